"""A copybook offers what was chosen for a context, and nothing that this deployment does not know."""

from datetime import date

import psycopg
import pytest
from copy_night import DAY, FALLBACK, TEMPLATE

from nurture.copywriting.copybook import Copybook
from nurture.copywriting.fact_store import choose_facts, sync_facts
from nurture.copywriting.facts import Fact, load_facts
from nurture.copywriting.vocabulary import load_vocabulary, normalise
from nurture.errors import NurtureError

VOCABULARY = load_vocabulary()
CONTEXT = normalise({"industry": "retail", "pain_point": "stock_errors", "country": "GB"}, VOCABULARY)


@pytest.fixture
def fresh() -> Copybook:
    return Copybook(TEMPLATE, FALLBACK, date.fromisoformat(DAY))


@pytest.mark.parametrize(("today", "is_backfilled"), [(date(2018, 1, 1), False), (date(2035, 1, 1), True)])
def test_a_backfilled_night_says_nothing_that_has_run_out_since(
    warehouse: psycopg.Connection, today: date, is_backfilled: bool
) -> None:
    day = date.fromisoformat(DAY)
    book = Copybook(TEMPLATE, FALLBACK, day, today)
    context = {**CONTEXT, "recent_product": "LF-PRINT200"}
    book.choose_facts(warehouse, [context])

    facts = [*book.model_request(context, "model").facts, *book.static_request(context).facts]

    assert all(fact.is_valid_on(max(day, today)) for fact in facts)
    assert ("label-price" in {fact.id for fact in facts}) is not is_backfilled


def test_facts_come_into_the_warehouse_and_are_offered_in_the_order_in_which_they_were_chosen(
    warehouse: psycopg.Connection, fresh: Copybook
) -> None:
    fresh.choose_facts(warehouse, [CONTEXT])

    request = fresh.model_request(CONTEXT, "model")

    [chosen] = choose_facts(warehouse, [fresh.template.narrowed(CONTEXT)], fresh.facts_day, VOCABULARY)
    assert [(fact.id, fact.version) for fact in request.facts] == list(chosen)
    assert "count-what" in request.messages[1]["content"]
    assert fresh.model_request({**CONTEXT, "persona": "founder"}, "model") is request
    warehouse.rollback()
    assert warehouse.execute("SELECT count(*) FROM ops.fact").fetchone() == (len(load_facts()),), "committed"


def test_a_context_for_which_no_facts_were_chosen_is_an_error_and_no_prompt_without_facts(fresh: Copybook) -> None:
    with pytest.raises(NurtureError, match=r"no facts were chosen for .*call choose_facts with all contexts first"):
        fresh.model_request(CONTEXT, "model")


def test_facts_of_another_deployment_are_never_offered(
    warehouse: psycopg.Connection, fresh: Copybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = Fact(
        id="a-foreign", version=1, text="Stock errors end.", source="x", approver="x", valid_from=date(2018, 1, 1),
        valid_until=None, topics=("retail", "stock_errors"),
    )  # fmt: skip

    def synced_by_another(connection: psycopg.Connection, facts: object) -> None:
        sync_facts(connection, [*load_facts().values(), foreign])

    monkeypatch.setattr("nurture.copywriting.copybook.sync_facts", synced_by_another)

    with pytest.raises(NurtureError, match=r"facts \[\('a-foreign', 1\)\] came into the warehouse meanwhile"):
        fresh.choose_facts(warehouse, [CONTEXT])
