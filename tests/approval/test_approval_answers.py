"""The approval step: what becomes of a reviewer's answer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from approval_step import BODY, FACTS, Review, decisions, key

from nurture.copywriting.decisions import Decision
from nurture.copywriting.edits import keep_edit, shown_again


def test_each_piece_is_decided_on_its_own_and_who_when_and_why_are_kept(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    first, second, third = flag(people=3), flag(people=2, cta="Show me"), flag(people=1, cta="Show us")
    review.ask()

    result = review.answer("As decided below", note="agreed with legal",
                           **{key(first): "approve", key(second): "reject"})  # fmt: skip

    assert result == {"flagged": 3, "approved": 1, "rejected": 2}
    assert decisions(warehouse) == {
        first: ("approved", None), second: ("rejected", None), third: ("rejected", "it was left undecided"),
    }  # fmt: skip
    assert warehouse.execute("SELECT DISTINCT reviewer, note, decided_at, run_id FROM ops.approval").fetchall() == [
        ("robin", "agreed with legal", datetime(2026, 11, 21, 9, tzinfo=UTC), "run-1")
    ]


def test_an_edit_is_a_piece_of_its_own_judged_by_the_same_guardrails(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    copy_id = flag()
    review.ask()

    review.answer("As decided below", **{key(copy_id): "edit", key(copy_id, "cta"): "Show us how"})

    assert decisions(warehouse) == {copy_id: ("edited", None)}
    [row] = warehouse.execute(
        """
        SELECT edited.origin, edited.edited_from, edited.edited_by, edited.output ->> 'cta', edited.output ->> 'body',
               edited.model, edited.template_id, edited.verdict <> 'rejected',
               edited.copy_id = ops.content_id(edited.request_hash, edited.output),
               (SELECT array_agg(fact_id ORDER BY fact_id) FROM ops.copy_source WHERE copy_source.copy_id = edited.copy_id)
        FROM ops.approval JOIN ops.copy AS edited ON edited.copy_id = edited_copy_id
        """
    ).fetchall()
    assert row == ("edited", copy_id, "robin", "Show us how", BODY, "writer-1", "lead_nurture", True, True, FACTS)


@pytest.mark.parametrize(
    ("part", "text", "reason"),
    [
        ("body", BODY + " Only $1 today.", "the guardrails reject the edit: figures: "),
        ("cta", "Show me how, and " * 20, "the guardrails reject the edit: length: "),
        ("body", BODY.replace("38%", "83%"), "the guardrails reject the edit: figures: "),
    ],
)
def test_an_edit_that_the_guardrails_reject_is_kept_and_not_sent(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection, part: str, text: str, reason: str
) -> None:
    copy_id = flag()
    review.ask()

    review.answer("As decided below", **{key(copy_id): "edit", key(copy_id, part): text})

    decision, why = decisions(warehouse)[copy_id]
    assert (decision, (why or "")[: len(reason)]) == ("rejected", reason)
    assert warehouse.execute("SELECT origin, verdict FROM ops.copy WHERE edited_from = %s", (copy_id,)).fetchall() == [
        ("edited", "rejected")
    ]


def test_an_edit_may_only_rest_on_facts_that_hold_today(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    copy_id = flag()
    review.ask()
    warehouse.execute("UPDATE ops.fact SET is_current = false WHERE fact_id = 'count-accuracy'")
    warehouse.commit()

    review.answer("As decided below", **{key(copy_id): "edit", key(copy_id, "cta"): "Show us how"})

    decision, why = decisions(warehouse)[copy_id]
    assert decision == "rejected"
    assert "count-accuracy" in (why or "")


@pytest.mark.parametrize(("ran_out", "outcome"), [("yesterday", "rejected"), ("tomorrow", "edited")])
def test_an_edit_rests_on_the_facts_of_the_day_on_which_it_is_made_not_of_its_night(
    flag: Callable[..., str], warehouse: psycopg.Connection, ran_out: str, outcome: str
) -> None:
    """A night that is run again late: on its day the fact held."""
    copy_id, today = flag(), datetime.now(UTC).date()
    night = str(today - timedelta(days=10))
    until = today + timedelta(days=-1 if ran_out == "yesterday" else 1)
    warehouse.execute(
        "UPDATE ops.fact SET valid_from = '2000-01-01',"
        " valid_until = CASE WHEN fact_id = 'count-accuracy' THEN %s::date END",
        (until,),
    )
    shown = shown_again(warehouse, copy_id, night)
    assert shown is not None
    edit = Decision(copy_id, "edited", texts={**shown.texts, "cta": "Show us how"})

    kept = keep_edit(warehouse, edit, editor="robin", day=night)

    assert kept.outcome == outcome
    assert ("count-accuracy" in (kept.reason or "")) is (outcome == "rejected")


def test_approve_all_through_the_api_needs_no_fields(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    first, second = flag(people=2), flag(cta="Show me")
    review.ask()

    review.answer("Approve all", note="fine")

    assert decisions(warehouse) == {first: ("approved", None), second: ("approved", None)}


def test_no_answer_is_no_approval_and_is_asked_again_when_the_step_runs_again(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    copy_id = flag()
    review.ask()

    review.answer("Use static copy", timedout=True)

    assert decisions(warehouse) == {copy_id: ("timed_out", None)}
    assert "1 flagged piece waits" in review.ask().subject


def test_an_answer_approves_only_what_was_shown(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    """While the form was open the night's copy was written again: the people have other pieces by now."""
    shown = flag()
    review.ask()
    warehouse.execute("DELETE FROM ops.message")
    flag(cta="Show me")

    review.answer("Approve all")

    assert decisions(warehouse) == {shown: ("approved", None)}


def test_bytes_that_changed_after_they_were_shown_are_not_approved(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    copy_id = flag()
    review.ask()
    warehouse.execute('UPDATE ops.copy SET output = output || \'{"cta": "Pay now"}\'')
    warehouse.commit()

    review.answer("Approve all")

    assert decisions(warehouse) == {copy_id: ("rejected", f"the bytes of {copy_id[:12]} were changed after they were shown")}


def test_an_answer_outlives_a_warehouse_that_hiccups_while_it_is_kept(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    """The server ends the connection in the middle of the first attempt; a sequence is not rolled back, so only then."""
    copy_id = flag()
    review.ask()
    warehouse.execute("CREATE SEQUENCE attempt")
    warehouse.execute(
        """
        CREATE FUNCTION hiccup() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('attempt') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
            RETURN NEW;
        END $$
        """
    )
    warehouse.execute("CREATE TRIGGER hiccup BEFORE INSERT ON ops.approval FOR EACH ROW EXECUTE FUNCTION hiccup()")
    warehouse.commit()

    review.answer("As decided below", **{key(copy_id): "edit", key(copy_id, "cta"): "Show us how"})

    assert decisions(warehouse) == {copy_id: ("edited", None)}
    assert warehouse.execute("SELECT last_value FROM attempt").fetchone() == (2,)
