"""Facts that do not hold on the day are not said, even if retrieval were to offer them."""

from datetime import date, timedelta

import pytest
from copy_night import DAY, RETAIL, Invite, Night

from nurture.copywriting import copybook
from nurture.copywriting.facts import load_facts

GONE = date.fromisoformat(DAY) - timedelta(days=1)
VERDICTS = "SELECT verdict, reasons -> 0 ->> 'name' FROM ops.copy WHERE origin = 'model'"


def choose(monkeypatch: pytest.MonkeyPatch, fact_id: str) -> None:
    """Offer one fact for every context, whatever its days."""
    monkeypatch.setattr(copybook, "choose_facts", lambda _, contexts, *__: [((fact_id, 1),) for _ in contexts])


def end(monkeypatch: pytest.MonkeyPatch, fact_id: str) -> None:
    """Let a fact have held until the day before the night's."""
    facts = load_facts()
    facts[fact_id] = facts[fact_id].model_copy(update={"valid_until": GONE})
    monkeypatch.setattr(copybook, "load_facts", lambda **_: facts)


def test_an_answer_that_cites_a_fact_that_has_run_out_is_rejected(
    night: Night, invite: Invite, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, "count-accuracy")
    end(monkeypatch, "count-accuracy")
    invite(RETAIL)

    counts = night.write()

    assert (counts.rejected, counts.static) == (1, 1)
    assert night.rows(VERDICTS) == [("rejected", "expired")]


def test_a_stored_piece_is_rejected_on_the_day_on_which_its_fact_has_run_out(
    night: Night, invite: Invite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day is no part of the request's hash: the piece is found again, and judged by today's calendar."""
    choose(monkeypatch, "count-accuracy")
    invite(RETAIL)
    before, first = night.write(), night.rows(VERDICTS)
    end(monkeypatch, "count-accuracy")

    after = night.write()

    assert (before.clear, first) == (1, [("clear", None)])
    assert (after.from_store, after.model_calls, after.rejected, after.static) == (1, 0, 1, 1)
    assert night.rows(VERDICTS) == [("rejected", "expired")]
