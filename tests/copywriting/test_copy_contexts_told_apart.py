"""A night is planned by the words that its templates read, not by what people typed."""

import json
from collections import Counter
from itertools import product
from typing import Any

import psycopg
import pytest
from copy_night import CAMPAIGN, DAY, RETAIL, Invite, Night

from nurture.copywriting.messages import distinct_contexts, found_spellings
from nurture.copywriting.vocabulary import CONTEXT_LISTS, load_vocabulary, normalise

VOCABULARY = load_vocabulary()
READ = {"industry", "pain_point", "recent_product", "market"}
VALUES = [
    "Retail", " retail ", "banking", "Larkfield Count", "lf_count", "GB", "gb", "united kingdom", "none", "r" * 81, "",
    None, 7, True, ["retail"], {"industry": "retail"},
]  # fmt: skip
PLACES: list[dict[str, Any]] = [
    {}, {"country": "DE"}, {"country": " de "}, {"country": "JP"}, {"country": 1}, {"market": "european_union"},
    {"market": "DE"}, {"market": None, "country": "DE"}, {"market": "nowhere", "country": "DE"},
]  # fmt: skip
ODD: list[Any] = [{}, [], ["industry"], "industry", 7, None, {"other": "field"}]


def words_of(context: Any) -> tuple[str, ...]:
    words = normalise(context, VOCABULARY)
    return tuple(words[name] for name in sorted(READ))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param([{key: value, "persona": "founder"} for key, value in product(sorted(READ), VALUES)], id="values"),
        pytest.param([{**RETAIL, **place} for place in PLACES], id="places"),
        pytest.param(ODD, id="no contexts"),
    ],
)
def test_cut_down_in_the_warehouse_a_context_has_the_same_words(
    warehouse: psycopg.Connection, invite: Invite, raw: list[Any]
) -> None:
    for number, context in enumerate(raw):  # a person each, alone in the night, but for the spellings of all
        invite(context, people=number + 1)

    spellings = found_spellings(warehouse, CAMPAIGN, DAY, READ, VOCABULARY)
    groups = distinct_contexts(warehouse, CAMPAIGN, DAY, spellings)

    expected = Counter[tuple[str, ...]]()
    for number, context in enumerate(raw):
        expected[words_of(context)] += number + 1
    found = Counter[tuple[str, ...]]()
    for group in groups:
        found[words_of(json.loads(group.context))] += group.people
    assert found == expected


def test_what_is_held_of_a_night_does_not_grow_with_what_people_type(
    warehouse: psycopg.Connection, invite: Invite, night: Night
) -> None:
    for number in range(300):
        invite({"industry": f"industry of {number}", "pain_point": "stock errors", "persona": f"persona {number}"})

    spellings = found_spellings(warehouse, CAMPAIGN, DAY, READ, VOCABULARY)
    groups = distinct_contexts(warehouse, CAMPAIGN, DAY, spellings)
    counts = night.write()

    assert spellings == {"country": {}, "industry": {}, "market": {}, "pain_point": {"stock errors": "stock_errors"},
                         "recent_product": {}}  # fmt: skip
    assert [(group.context, group.people) for group in groups] == [('{"industry": null, "pain_point": "stock_errors"}', 300)]
    assert (counts.audience, counts.contexts, counts.model_calls) == (300, 1, 1)
    assert night.rows("SELECT count(*), count(DISTINCT copy_id) FROM ops.message") == [(300, 1)]


def test_each_arm_is_a_group_of_its_own(warehouse: psycopg.Connection, invite: Invite) -> None:
    invite(RETAIL, arm="ai", people=2)
    invite({**RETAIL, "persona": "buyer"}, arm="static", people=3)

    groups = distinct_contexts(
        warehouse, CAMPAIGN, DAY, found_spellings(warehouse, CAMPAIGN, DAY, set(CONTEXT_LISTS) - {"persona"}, VOCABULARY)
    )

    assert [(group.arm, group.people) for group in groups] == [("ai", 2), ("static", 3)]
    assert len({group.context for group in groups}) == 1
