"""Facts in the warehouse: in step with the files, nothing written for nothing, never reworded under an old version."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest

from nurture.copywriting.fact_store import Synced, choose_facts, sync_facts
from nurture.copywriting.facts import Fact, load_facts
from nurture.copywriting.vocabulary import Vocabulary, load_vocabulary
from nurture.errors import ConfigError

DAY = date(2026, 11, 20)
VOCABULARY: Vocabulary = load_vocabulary()


def fact(fact_id: str = "count-what", **keys: Any) -> Fact:
    known: dict[str, Any] = {
        "id": fact_id, "version": 1, "text": "Count counts shelf by shelf.", "source": "sheet", "approver": "product",
        "valid_from": date(2018, 1, 1), "valid_until": None, "topics": (),
    }  # fmt: skip
    return Fact(**(known | keys))


@dataclass
class Store:
    """The facts of one warehouse."""

    connection: psycopg.Connection

    def sync(self, *facts: Fact) -> Synced:
        return sync_facts(self.connection, facts)

    def rows(self) -> list[tuple[Any, ...]]:
        return self.connection.execute("SELECT fact_id, version, is_current FROM ops.fact ORDER BY 1, 2").fetchall()

    def offered(self, day: date = DAY, **context: str) -> list[str]:
        [chosen] = choose_facts(self.connection, [context], day, VOCABULARY)
        return [fact_id for fact_id, _ in chosen]


@pytest.fixture
def store(warehouse: psycopg.Connection) -> Store:
    return Store(warehouse)


def test_facts_go_into_the_warehouse_as_the_files_have_them(store: Store) -> None:
    facts = load_facts()

    synced = store.sync(*facts.values())

    assert len(synced.written) == len(facts)
    row = store.connection.execute(
        "SELECT version, text, source, approver, valid_from, valid_until, regions, topics, is_current FROM ops.fact "
        "WHERE fact_id = 'scan-price-uk'"
    ).fetchone()
    one = facts["scan-price-uk"]
    assert row == (
        1,
        one.text,
        one.source,
        one.approver,
        one.valid_from,
        one.valid_until,
        ["united_kingdom"],
        ["LF-SCAN"],
        True,
    )


def test_a_change_of_nothing_writes_nothing_and_takes_no_lock(store: Store) -> None:
    store.sync(*load_facts().values())
    store.connection.commit()

    synced = store.sync(*load_facts().values())

    assert synced == Synced((), ())
    assert store.connection.execute("SELECT pg_current_xact_id_if_assigned()").fetchone() == (None,)


def test_a_new_version_takes_the_place_of_the_old_one_which_is_kept(store: Store) -> None:
    store.sync(fact())

    synced = store.sync(fact(version=2, text="Count counts on a phone."))

    assert synced == Synced((("count-what", 2),), (("count-what", 1),))
    assert store.rows() == [("count-what", 1, False), ("count-what", 2, True)]
    assert store.sync(fact()) == Synced((("count-what", 1),), (("count-what", 2),)), "a roll-back of the files works too"


def test_a_fact_that_left_the_files_is_kept_but_not_current(store: Store) -> None:
    store.sync(fact("a"), fact("b"))

    store.sync(fact("b"))

    assert store.rows() == [("a", 1, False), ("b", 1, True)]
    assert store.offered() == ["b"]


def test_other_words_under_the_same_version_are_an_error_and_nothing_is_written(store: Store) -> None:
    store.sync(fact("a"), fact("b"))

    with pytest.raises(ConfigError) as failure:
        store.sync(fact("a", text="Count counts twice as fast."), fact("c"))

    assert "include/facts: a: version 1 says other words than version 1 in the warehouse" in str(failure.value)
    assert "a change of wording is a new version" in str(failure.value)
    assert store.rows() == [("a", 1, True), ("b", 1, True)]


@pytest.mark.parametrize(
    "keys",
    [{"valid_until": date(2027, 1, 1)}, {"topics": ("retail",)}, {"regions": ("north_america",)}, {"source": "sheet 2"}],
)
def test_whatever_is_no_wording_may_change_under_the_same_version(store: Store, keys: dict[str, Any]) -> None:
    store.sync(fact())

    synced = store.sync(fact(**keys))

    assert synced == Synced((("count-what", 1),), ())
    [column] = keys
    [[stored]] = store.connection.execute(f"SELECT {column} FROM ops.fact".encode()).fetchall()
    assert stored == (list(keys[column]) if isinstance(keys[column], tuple) else keys[column])


def test_a_fact_is_offered_from_its_first_to_its_last_day_only(store: Store) -> None:
    store.sync(fact(valid_until=date(2019, 12, 31)))

    offered = [store.offered(date(*day)) for day in [(2017, 12, 31), (2018, 1, 1), (2019, 12, 31), (2020, 1, 1)]]

    assert offered == [[], ["count-what"], ["count-what"], []]


@pytest.mark.parametrize(
    ("context", "offered"),
    [
        ({}, ["everywhere"]),
        ({"market": "other"}, ["everywhere"]),
        ({"market": "united_kingdom"}, ["british", "everywhere"]),
        ({"market": "north_america"}, ["everywhere"]),
    ],
)
def test_a_fact_with_regions_is_offered_in_these_markets_only(
    store: Store, context: dict[str, str], offered: list[str]
) -> None:
    store.sync(fact("everywhere"), fact("british", regions=("united_kingdom", "european_union")))

    assert store.offered(**context) == offered


def test_facts_on_the_context_come_first_then_those_near_to_its_words_then_those_for_everyone(store: Store) -> None:
    store.sync(
        fact("a-everyone"),
        fact("b-near", text="Picking is quick with it.", topics=("LF-ROUTE",)),
        fact("c-one", topics=("slow_picking",)),
        fact("d-two", topics=("slow_picking", "retail")),
        fact("e-other", topics=("healthcare",)),
    )

    offered = store.offered(industry="retail", pain_point="slow_picking", recent_product="none")

    assert offered == ["d-two", "c-one", "b-near", "a-everyone"]


def test_no_word_of_the_context_goes_without_its_fact(store: Store) -> None:
    pairs = [fact(f"a-{number}", topics=("retail", "slow_picking")) for number in range(9)]
    store.sync(*pairs, fact("z-product", topics=("LF-SCAN",)))

    offered = store.offered(industry="retail", pain_point="slow_picking", recent_product="LF-SCAN")

    assert offered[:2] == ["a-0", "z-product"]
    assert len(offered) == 6


def test_a_context_that_is_no_query_is_harmless(store: Store) -> None:
    store.sync(fact(topics=("retail",)), fact("everyone"))

    offered = store.offered(industry="retail' | !(:*&<->", pain_point="'); DROP TABLE ops.fact; --")

    assert offered == ["everyone"]


def test_all_contexts_of_a_night_are_answered_by_one_statement_each_in_its_place(
    facts_warehouse: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts = [
        {"industry": industry, "pain_point": pain}
        for industry in VOCABULARY.industries for pain in VOCABULARY.pain_points
    ]  # fmt: skip
    spy = Mock(wraps=facts_warehouse.execute)
    monkeypatch.setattr(facts_warehouse, "execute", spy)

    chosen = choose_facts(facts_warehouse, contexts, DAY, VOCABULARY)

    assert spy.call_count == 1
    assert len(chosen) == len(contexts)
    alone = [choose_facts(facts_warehouse, [context], DAY, VOCABULARY)[0] for context in contexts]
    assert chosen == alone


def test_the_same_context_gets_the_same_facts_however_the_warehouse_keeps_them(
    store: Store, facts_warehouse: psycopg.Connection
) -> None:
    contexts = [{"industry": "logistics", "pain_point": "slow_picking", "recent_product": "LF-SCAN"}, {"persona": "it_lead"}]
    facts = load_facts()
    store.sync(*[one.model_copy(update={"version": 9, "text": "Old."}) for one in facts.values()])
    store.sync(*reversed(facts.values()))
    store.connection.execute("UPDATE ops.fact SET synced_at = now() WHERE fact_id > 'm'")

    here = choose_facts(store.connection, contexts, DAY, VOCABULARY)
    there = choose_facts(facts_warehouse, [dict(reversed(one.items())) for one in contexts], DAY, VOCABULARY)

    assert here == there
