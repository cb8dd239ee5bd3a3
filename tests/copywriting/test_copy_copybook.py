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


def test_facts_come_into_the_warehouse_and_are_offered_in_the_order_in_which_they_were_chosen(
    warehouse: psycopg.Connection, fresh: Copybook
) -> None:
    fresh.choose_facts(warehouse, [CONTEXT])

    request = fresh.model_request(CONTEXT, "model")

    [chosen] = choose_facts(warehouse, [fresh.template.narrowed(CONTEXT)], fresh.day, VOCABULARY)
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
