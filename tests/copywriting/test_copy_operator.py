"""The operator over the whole stage, through Airflow connections and switches."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from copy_night import CAMPAIGN, DAY, FALLBACK, SECOND_MODEL, TEMPLATE, Invite, Night

from nurture.copywriting.switch import set_switch
from nurture.errors import ConfigError
from nurture.policy import load_policy

pytestmark = pytest.mark.airflow


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets an Airflow connection."""

    def to(conn_id: str, **connection: Any) -> None:
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))

    return to


@pytest.fixture
def connections(night: Night, warehouse_url: str, connect: Callable[..., None]) -> None:
    url = urlsplit(warehouse_url)
    connect("warehouse", conn_type="postgres", host=url.hostname, port=url.port, login=url.username, schema=url.path[1:])
    connect("llm", conn_type="openai", host=night.server.url, password=night.server.api_key,
            extra={"model": "sandbox-writer-1"})  # fmt: skip


def generate(template: str = TEMPLATE) -> dict[str, Any]:
    """Run the operator as a task would."""
    from nurture.operators.generate_copy import GenerateCopyOperator

    operator = GenerateCopyOperator(
        task_id="generate_copy", campaign=CAMPAIGN, template=template, fallback_template=FALLBACK, day=DAY
    )
    context = {"dag": SimpleNamespace(dag_id=CAMPAIGN), "run_id": "manual__1"}
    return operator.execute(context)  # type: ignore[arg-type]


def test_the_operator_writes_messages_and_tells_only_counts(
    night: Night, invite: Invite, connections: None, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    invite({"industry": "retail", "first_name": "Zelda"}, people=2)
    invite({"industry": "healthcare"}, arm="static")

    with caplog.at_level(logging.DEBUG, logger="nurture"):  # where Airflow sends it depends on what ran before
        counts = generate()

    said = caplog.text + "".join(capsys.readouterr())
    json.dumps(counts)
    assert (counts["audience"], counts["contexts"], counts["model_calls"], counts["static"]) == (3, 1, 1, 1)
    assert night.rows("SELECT dag_id, run_id FROM ops.llm_call") == [(CAMPAIGN, "manual__1")]
    assert night.rows("SELECT count(*) FROM ops.message") == [(3,)]
    assert "3 people, 1 distinct contexts" in said
    assert "Zelda" not in said


def test_the_risk_level_of_the_template_chooses_the_model(
    night: Night, invite: Invite, connections: None, connect: Callable[..., None]
) -> None:
    extra = {"model": "no-such-model", "models": {"medium": "sandbox-writer-1-mini", "high": "no-such-model"}}
    connect("llm", conn_type="openai", host=night.server.url, password=night.server.api_key, extra=extra)
    invite({"industry": "retail"})

    generate()

    assert night.rows("SELECT model, status FROM ops.llm_call") == [("sandbox-writer-1-mini", "ok")]


def test_pins_turn_back_the_template_and_the_model(night: Night, invite: Invite, connections: None) -> None:
    invite({"industry": "retail"})
    set_switch(night.connection, "template", CAMPAIGN, value="lead_nurture@v1", changed_by="test")
    set_switch(night.connection, "model", CAMPAIGN, value="sandbox-writer-1-mini", changed_by="test")
    night.connection.commit()

    counts = generate(template="lead_nurture@v2")

    assert (counts["template"], counts["models"]) == ("lead_nurture@v1", ["sandbox-writer-1-mini"])
    assert night.rows("SELECT template_version, model, status FROM ops.llm_call") == [(1, "sandbox-writer-1-mini", "ok")]


def test_the_connection_named_by_policy_takes_over(
    night: Night, invite: Invite, connections: None, connect: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect("llm", conn_type="openai", host="http://127.0.0.1:9/v1", password="k", extra={"model": "sandbox-writer-1"})
    connect("llm_second", conn_type="openai", host=night.server.root, password=night.server.api_key,
            extra={"vendor": "anthropic", "model": SECOND_MODEL})  # fmt: skip
    fall_over_to("llm_second", monkeypatch)
    invite({"industry": "retail"})

    counts = generate()

    assert (counts["fell_over_to"], counts["unanswered"]) == (SECOND_MODEL, 0)


def fall_over_to(conn_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = load_policy()
    changed = policy.llm.model_copy(update={"fallover_conn_id": conn_id, "backoff_seconds": 0.01})
    monkeypatch.setattr("nurture.policy.load_policy", lambda: policy.model_copy(update={"llm": changed}))


def test_a_pinned_model_alone_is_asked_and_what_another_wrote_is_written_again(
    night: Night, invite: Invite, connections: None, connect: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    anthropic = {"conn_type": "openai", "host": night.server.root, "password": night.server.api_key,
                 "extra": {"vendor": "anthropic", "model": SECOND_MODEL}}  # fmt: skip
    invite({"industry": "retail"})
    with monkeypatch.context() as second_only:
        second_only.setenv("AIRFLOW_CONN_LLM", json.dumps(anthropic))
        generate()
    connect("llm_second", **anthropic)
    fall_over_to("llm_second", monkeypatch)
    set_switch(night.connection, "model", CAMPAIGN, value="sandbox-writer-1", changed_by="test")
    night.connection.commit()

    counts = generate()

    assert (counts["models"], counts["from_store"], counts["model_calls"]) == (["sandbox-writer-1"], 0, 1)
    assert night.rows("SELECT model FROM ops.message JOIN ops.copy USING (copy_id)") == [("sandbox-writer-1",)]


@pytest.mark.parametrize("wrong", [None, {"vendor": "openia"}, {}, {"model": "m"}])
def test_a_wrong_connection_to_fall_over_to_does_not_stop_the_first(
    night: Night,
    invite: Invite,
    connections: None,
    connect: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    wrong: dict[str, str] | None,
) -> None:
    """Missing; of an unknown vendor; without a model; without a password."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    if wrong is not None:
        connect("llm_second", conn_type="openai", extra=wrong)
    fall_over_to("llm_second", monkeypatch)
    invite({"industry": "retail"})

    with caplog.at_level(logging.WARNING, logger="nurture"):
        counts = generate()

    assert (counts["models"], counts["unanswered"]) == (["sandbox-writer-1"], 0)
    assert "Nothing takes over through connection 'llm_second'" in caplog.text


def test_a_connection_without_a_password_says_what_to_mend(
    night: Night, invite: Invite, connections: None, connect: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    connect("llm", conn_type="openai", host=night.server.url, extra={"model": "sandbox-writer-1"})

    with pytest.raises(ConfigError, match=r"connection 'llm': .*Check its password"):
        generate()


def test_only_a_night_of_single_calls_has_a_deadline() -> None:
    from nurture.campaign import Arms, campaign

    given: dict[str, Any] = {
        "dag_id": CAMPAIGN, "doc": None, "template": TEMPLATE, "fallback_template": FALLBACK, "triggers": [],
        "lifecycle_stages": [], "arms": Arms(0.4, 0.4),
    }  # fmt: skip
    calls, batch = (campaign(**given, mode=mode).get_task("generate_copy") for mode in ("calls", "batch"))

    assert (calls.execution_timeout, batch.execution_timeout) == (timedelta(hours=2), None)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({}, "'llm' names no model; put"),
        ({"vendor": "openia", "model": "m"}, "unknown vendor 'openia' in its extra; it is one of openai, anthropic"),
        (
            {"model": "m", "models": {"hihg": "x"}},
            r"found \['hihg'\] in `models` of its extra; its keys are low, medium, high",
        ),
    ],
)
def test_a_wrong_connection_says_what_to_mend(
    night: Night, invite: Invite, connections: None, connect: Callable[..., None], extra: dict[str, Any], said: str
) -> None:
    connect("llm", conn_type="openai", host=night.server.url, extra=extra)

    with pytest.raises(ConfigError, match=said):
        generate()
