"""Whole nights through Airflow's own scheduler, on real parts: the good one, the repeated one, the stopped one."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import psycopg
import pytest
from hubspot import HubSpot

import personal_data
from demo import stack
from demo.fill import DAYS, PEOPLE, SEED
from demo.state import AIRFLOW_HOME, FOLDER
from demo.summary import print_night
from running_nights import Nights, running_nights
from sandbox.crm.server import TOKEN
from sandbox.model.server import RunningModel
from sandbox.world import generate

pytestmark = [pytest.mark.airflow, pytest.mark.emulator, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def nights() -> Iterator[Nights]:
    """One good night was run; the tests below go through what follows in order."""
    with running_nights() as started:
        started.run("customer_data")
        started.run("lead_nurture")
        yield started


def test_a_good_day_passes_every_gate_and_is_trusted(nights: Nights) -> None:
    with nights.warehouse() as connection:
        failed = connection.execute(
            "SELECT check_name, detail FROM ops.gate_result WHERE status NOT IN ('pass', 'warn')"
        ).fetchall()

    assert nights.runs["customer_data"]["state"] == "success"
    assert failed == []
    assert nights.one("SELECT status FROM ops.trusted_day WHERE day = %s", nights.day) == "trusted"
    assert nights.one("SELECT count(*) FROM raw_ga4.events") > 5_000
    assert nights.one("SELECT count(DISTINCT event_day) FROM staging.events") == DAYS


def test_the_crm_carries_what_the_ledger_says_seen_by_the_vendors_own_client(nights: Nights) -> None:
    client = HubSpot(access_token=TOKEN, host=nights.state.crm_url)
    names = ["nurture_subject", "nurture_body", "nurture_cta", "nurture_message_id", "nurture_campaign", "nurture_template"]
    contacts = [c for c in client.crm.contacts.get_all(properties=names) if c.properties.get("nurture_message_id")]
    with nights.warehouse() as connection:
        ledger = dict(
            connection.execute("SELECT crm_id, message_id FROM ops.push_ledger WHERE state = 'confirmed'").fetchall()
        )

    assert len(contacts) > 50
    assert {c.id: c.properties["nurture_message_id"] for c in contacts} == ledger
    for contact in contacts:
        assert all(contact.properties[name] for name in names)
        assert contact.properties["nurture_campaign"] == "lead_nurture"
        assert re.fullmatch(r"(lead_nurture@v3|static_template@v3)", contact.properties["nurture_template"])
        assert not re.search(r"\{[a-z_]+\}", contact.properties["nurture_body"]), "a placeholder was not filled"


def test_nobody_without_consent_has_a_message(nights: Nights) -> None:
    wrong = nights.one(
        """
        SELECT count(*) FROM ops.push_ledger AS ledger JOIN staging.contacts AS contact USING (crm_id)
        WHERE contact.is_opted_out OR contact.consent_status = 'denied'
           OR (contact.consent_status <> 'granted' AND split_part(coalesce(contact.region, ''), '-', 1) NOT IN ('US', 'CA'))
        """
    )
    suppressed = nights.one("SELECT count(DISTINCT suppressed_reason) FROM marts.audience")

    assert wrong == 0
    assert suppressed >= 3


def test_there_are_fewer_model_calls_than_people(nights: Nights) -> None:
    people = nights.one("SELECT count(*) FROM marts.audience WHERE arm = 'ai'")
    calls = nights.one("SELECT count(*) FROM ops.llm_call WHERE status = 'ok'")

    assert 0 < calls < people


def test_flagged_copy_waits_and_an_answer_lets_it_go(nights: Nights) -> None:
    run_id = nights.runs["lead_nurture"]["dag_run_id"]
    waiting = nights.one("SELECT count(*) FROM ops.message WHERE lane = 'approval'")
    assert waiting > 0, "the sandbox writer was told to write something risky now and then"
    assert nights.states("lead_nurture")["approve_flagged"] == "awaiting_input"
    detail = nights.api.get("/dags/~/dagRuns/~/hitlDetails", response_received="false")["hitl_details"][0]
    assert "discount" in detail["body"]

    nights.approve_all(run_id, note="agreed with sales")

    assert nights.api.get(f"/dags/lead_nurture/dagRuns/{run_id}")["state"] == "success"
    assert nights.one("SELECT decision, reviewer, note FROM ops.approval LIMIT 1") == (
        "approved",
        "admin",
        "agreed with sales",
    )
    pushed = nights.one(
        """
        SELECT count(*) FROM ops.push_ledger AS ledger JOIN ops.approval AS approval USING (copy_id)
        WHERE ledger.state = 'confirmed' AND approval.decision = 'approved'
        """
    )
    assert pushed == waiting


def test_everyone_selected_is_accounted_for(nights: Nights) -> None:
    lost = nights.one(
        """
        SELECT count(*) FROM marts.audience AS audience
        LEFT JOIN ops.push_ledger AS ledger USING (campaign, person_id, slot)
        WHERE audience.suppressed_reason IS NULL AND audience.arm <> 'none' AND ledger.state IS NULL
        """
    )

    assert lost == 0


def test_the_same_night_again_asks_no_model_and_sends_nothing(nights: Nights) -> None:
    before = nights.messages_seen_by_crm()
    calls = nights.one("SELECT count(*) FROM ops.llm_call")
    tables = _fingerprints(nights)

    nights.run("customer_data")
    nights.run("lead_nurture")

    assert nights.runs["lead_nurture"]["state"] == "success"
    assert nights.one("SELECT count(*) FROM ops.llm_call") == calls
    assert nights.messages_seen_by_crm() == before
    assert max(before.values()) == 1
    assert _fingerprints(nights) == tables


def test_the_summary_names_every_promised_figure(nights: Nights) -> None:
    said: list[str] = []
    with nights.warehouse() as connection:
        for dag_id in ("customer_data", "lead_nurture"):
            print_night(connection, nights.api, run=nights.runs[dag_id], day=str(nights.day), say=said.append)

    text = "\n".join(said)
    for word in ("loaded", "gate", "limit 5.00%", "limit 2.00%", "audience", "suppressed", "distinct pieces", "calls",
                 "tokens", "$", "pushed", "seconds"):  # fmt: skip
        assert word in text


def test_pages_of_the_plugin_ask_who_it_is(nights: Nights) -> None:
    run_id = nights.runs["customer_data"]["dag_run_id"]
    token = httpx.post(
        f"{nights.state.airflow_url}/auth/token", json={"username": "admin", "password": nights.state.password}
    ).json()["access_token"]
    paths = {
        "/nurture/": "customer_data",
        f"/nurture/run?dag_id=customer_data&run_id={run_id}": "missing",
        f"/nurture/data-docs?dag_id=customer_data&run_id={run_id}&gate=gate_customer_data": "Expectation",
    }
    for path, word in paths.items():
        url = nights.state.airflow_url + path.replace("+", "%2B")
        assert httpx.get(url).status_code == 401, path
        answer = httpx.get(url, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200 and word in answer.text, path


def test_a_broken_day_is_stopped_red_and_a_backfill_of_failed_runs_mends_it(nights: Nights) -> None:
    sent = nights.messages_seen_by_crm()
    nights.export(breakage=["user_ids_missing"])
    nights.run("customer_data")

    states = nights.states("customer_data")
    assert nights.runs["customer_data"]["state"] == "failed"
    assert states["gate_customer_data"] == "success" and states["report_run"] == "failed"
    assert states["resolve_identity"] == states["trust_day"] == "skipped"
    status, reason = nights.one("SELECT status, reason FROM ops.trusted_day WHERE day = %s", nights.day)
    assert status == "stopped" and "user_id" in reason
    nights.run("lead_nurture")
    assert nights.runs["lead_nurture"]["state"] == "failed"
    assert nights.states("lead_nurture")["push_ready"] == "upstream_failed"
    assert nights.messages_seen_by_crm() == sent

    nights.export()
    for dag_id in ("customer_data", "lead_nurture"):
        words = _documented_backfill(dag_id, nights.day)
        nights.airflow(*words)
        for _ in nights.api.watch(dag_id, nights.runs[dag_id]["dag_run_id"], 900):
            pass
        run = nights.api.get(f"/dags/{dag_id}/dagRuns/{nights.runs[dag_id]['dag_run_id']}")
        assert (run["state"], run["run_type"]) == ("success", "backfill"), dag_id

    assert nights.one("SELECT status FROM ops.trusted_day WHERE day = %s", nights.day) == "trusted"
    assert nights.messages_seen_by_crm() == sent, "who has the message of this week gets no second one"


def test_no_log_xcom_or_prompt_carries_a_name_or_an_address(nights: Nights) -> None:
    world = generate(people=PEOPLE, days=DAYS, last_day=nights.day, seed=SEED)
    traces = personal_data.file_traces(AIRFLOW_HOME / "logs", FOLDER / "airflow.log")
    logs = sum(map(len, traces.values()))
    with psycopg.connect(stack.postgres(nights.state).url("airflow")) as airflow:  # XComs, rendered fields, events, notes, …
        traces |= personal_data.database_traces(airflow, "public")
    with nights.warehouse() as warehouse:
        traces |= personal_data.database_traces(warehouse, "ops", but=personal_data.HOLDS_PERSONAL_DATA)
    traces |= personal_data.page_traces(nights.state, _pages(nights))
    traces["model requests"] = str(RunningModel(nights.state.model_url).admin("requests"))

    wanted = personal_data.needles(world, personal_data.secrets_of(nights.state))

    assert logs > 10_000 and len(traces["model requests"]) > 10_000
    assert {"public.xcom.value", "public.rendered_task_instance_fields.rendered_fields"} <= set(traces)
    assert len(wanted.addresses) > 500 and len(wanted.words) > 50
    assert personal_data.found(wanted, traces) == []


def _pages(nights: Nights) -> list[str]:
    """Every kind of page of the plugin."""
    campaign, day = "lead_nurture", nights.day
    runs = [f"dag_id={dag_id}&run_id={run['dag_run_id']}" for dag_id, run in nights.runs.items()]
    message_id = nights.one("SELECT message_id FROM ops.push_ledger WHERE state = 'confirmed' LIMIT 1")
    return [
        "/nurture/", *(f"/nurture/run?{run}" for run in runs),
        "/nurture/dead-letters", "/nurture/dead-letters?state=resolved",
        f"/nurture/review?campaign={campaign}&day={day}", f"/nurture/message?message_id={message_id}",
        f"/nurture/data-docs?{runs[0]}&gate=gate_customer_data",
    ]  # fmt: skip


def _documented_backfill(dag_id: str, day: date) -> list[str]:
    """README's own command for `dag_id`, with its days replaced by `day`."""
    readme = (Path(__file__).resolve().parents[1] / "README.md").read_text()
    command = next(line for line in readme.splitlines() if line.startswith("airflow backfill create") and dag_id in line)
    return re.sub(r"20\d\d-\d\d-\d\d", str(day), command).split()[1:]


def _fingerprints(nights: Nights) -> dict[str, str]:
    # Not raw_hubspot.contacts: our own push has changed lastmodifieddate there. tests/crm covers it.
    tables = ("raw_ga4.events", "staging.events", "marts.person", "marts.person_identity", "marts.person_features")
    sql = "SELECT md5(string_agg(row::text, '|' ORDER BY row::text)) FROM {} AS row"
    return {table: nights.one(sql.format(table)) for table in tables}
