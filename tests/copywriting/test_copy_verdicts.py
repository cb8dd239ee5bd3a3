"""What guardrails said of a piece stays: a message is explained by the verdict under which it went out."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from copy_night import CAMPAIGN, DAY, RETAIL, Invite, Night
from fastapi.testclient import TestClient
from psycopg.rows import dict_row

from nurture.copywriting import copy_plan
from nurture.copywriting.guardrails import Verdict
from warehouse_rows import insert

STRICTER = Verdict("rejected", ({"name": "superlatives", "found": "a rule of a later day"},))
Rejudge = Callable[..., None]


@pytest.fixture
def flagged(night: Night, invite: Invite) -> str:
    """Two people's piece, which waits for approval. Gives back its message's id."""
    night.server.misbehave("flagged_claim")
    invite(RETAIL, people=2)
    night.write()
    [(message_id,)] = night.rows("SELECT DISTINCT message_id FROM ops.message")
    return str(message_id)


@pytest.fixture
def rejudge(night: Night, monkeypatch: pytest.MonkeyPatch) -> Rejudge:
    """Runs the night again under guardrails that say something else of every piece."""

    def again(verdict: Verdict = STRICTER) -> None:
        monkeypatch.setattr(copy_plan, "judge", lambda *_: verdict)
        night.write()

    return again


@pytest.fixture
def pages(warehouse: psycopg.Connection) -> Iterator[TestClient]:
    from airflow.api_fastapi.core_api.security import get_user

    from nurture.scorecard import app as scorecard

    scorecard.app.dependency_overrides = {get_user: lambda: None, scorecard.warehouse: lambda: warehouse}
    yield TestClient(scorecard.app)
    scorecard.app.dependency_overrides = {}


def push(night: Night, message_id: str, person_id: str = "p_000000", *, state: str = "confirmed") -> None:
    """The message goes to a person, now."""
    [(copy_id,)] = night.rows("SELECT copy_id FROM ops.copy WHERE origin = 'model'")
    row = {"campaign": CAMPAIGN, "person_id": person_id, "slot": "week-2026-W47", "state": state, "reason": "written",
           "crm_id": "1", "message_id": message_id, "copy_id": copy_id, "day": DAY, "run_id": night.run_id,
           "claim_token": "00000000-0000-0000-0000-000000000000"}  # fmt: skip
    insert(night.connection, "ops", "push_ledger", row)
    night.connection.commit()


def lineage(night: Night, message_id: str) -> dict[str, Any]:
    with night.connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("SELECT * FROM ops.message_lineage WHERE message_id = %s", (message_id,)).fetchone()
    assert row is not None
    return row


def outcomes(night: Night) -> list[Any]:
    return [verdict for (verdict,) in night.rows(
        "SELECT verdict.verdict FROM ops.copy_verdict AS verdict JOIN ops.copy USING (copy_id) WHERE origin = 'model'"
        " ORDER BY judged_at")]  # fmt: skip


def test_a_sent_message_keeps_the_verdict_under_which_it_went_out(night: Night, flagged: str, rejudge: Rejudge) -> None:
    push(night, flagged)

    rejudge()

    shown = lineage(night, flagged)
    assert night.rows("SELECT verdict FROM ops.copy WHERE origin = 'model'") == [("rejected",)]
    assert (shown["verdict"], shown["reasons"][0]["name"]) == ("flagged", "discount")
    assert [verdict["verdict"] for verdict in shown["verdicts"]] == ["flagged", "rejected"]
    assert shown["verdicts"][-1]["reasons"] == list(STRICTER.reasons)


@pytest.mark.parametrize("state", ["claimed", "rejected"])
def test_a_message_that_was_not_sent_shows_the_newest_verdict(
    night: Night, flagged: str, rejudge: Rejudge, state: str
) -> None:
    push(night, flagged, state=state)

    rejudge()

    shown = lineage(night, flagged)
    assert (shown["pushed_at"], shown["verdict"]) == (None, "rejected")


def test_of_two_pushes_the_later_one_counts(night: Night, flagged: str, rejudge: Rejudge) -> None:
    push(night, flagged)
    rejudge(Verdict("clear", ()))
    push(night, flagged, "p_000001")
    rejudge()

    shown = lineage(night, flagged)

    assert (shown["verdict"], [one["verdict"] for one in shown["verdicts"]]) == ("clear", ["flagged", "clear", "rejected"])


def test_a_repeated_night_that_finds_the_same_adds_nothing(night: Night, flagged: str) -> None:
    night.write()
    night.connection.execute("UPDATE ops.copy SET verdict = verdict")

    assert outcomes(night) == ["flagged"]


def test_another_reason_for_the_same_outcome_is_noted_once(night: Night, flagged: str, rejudge: Rejudge) -> None:
    other = Verdict("flagged", ({"name": "superlatives", "found": "the best"},), 0.5)

    rejudge(other)
    rejudge(other)

    assert outcomes(night) == ["flagged", "flagged"]
    assert night.rows("SELECT reasons, confidence FROM ops.copy WHERE origin = 'model'") == [(list(other.reasons), 0.5)]


@pytest.mark.parametrize("change", ["UPDATE ops.copy_verdict SET verdict = 'clear'", "DELETE FROM ops.copy_verdict"])
def test_nobody_changes_what_was_said(night: Night, flagged: str, change: str) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match=r"ops\.copy_verdict is a history"):
        night.rows(change)


def test_the_page_shows_what_held_and_what_came_after(
    night: Night, flagged: str, rejudge: Rejudge, pages: TestClient
) -> None:
    push(night, flagged)
    before = pages.get("/message", params={"message_id": flagged}).text

    rejudge()

    after = pages.get("/message", params={"message_id": flagged}).text
    assert "Over time" not in before
    assert "<dt>Verdict</dt><dd>flagged</dd>" in after
    assert "a rule of a later day" in after[after.index("Over time") :]
    assert "held when the message was last pushed" in after


def test_the_review_page_shows_the_reasons_on_which_was_decided(
    night: Night, flagged: str, rejudge: Rejudge, pages: TestClient
) -> None:
    [(copy_id, now)] = night.rows("SELECT copy_id, clock_timestamp() FROM ops.copy WHERE origin = 'model'")
    approval = {"campaign": CAMPAIGN, "day": DAY, "copy_id": copy_id, "decision": "approved", "reviewer": "robin"}
    insert(night.connection, "ops", "approval", approval | {"decided_at": now, "run_id": night.run_id})
    night.connection.commit()

    rejudge(Verdict("flagged", STRICTER.reasons))

    page = pages.get("/review", params={"campaign": CAMPAIGN, "day": DAY}).text
    assert ("discount" in page, "a rule of a later day" in page) == (True, False)


def test_a_moment_before_the_first_verdict_has_the_first(night: Night, flagged: str) -> None:
    [(copy_id, judged_at)] = night.rows("SELECT copy_id, judged_at FROM ops.copy_verdict WHERE verdict = 'flagged'")
    assert isinstance(judged_at, datetime)

    row = night.connection.execute(
        "SELECT verdict FROM ops.verdict_at(%s, %s)", (copy_id, judged_at - timedelta(days=1))
    ).fetchone()

    assert row == ("flagged",)
