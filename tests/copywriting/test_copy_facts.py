"""Facts: strictly loaded, chosen the same way every time, never outside their dates."""

import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml

from nurture.copywriting.facts import MOST_FACTS, load_facts, select_facts
from nurture.errors import ConfigError
from nurture.paths import FACTS

DAY = date(2026, 11, 20)
CONTEXT = {"industry": "logistics", "pain_point": "slow_picking", "recent_product": "LF-SCAN"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FACTS, tmp_path / "facts"))


def change_first(folder: Path, **keys: object) -> None:
    path = folder / "larkfield.yaml"
    data = yaml.safe_load(path.read_text())
    data["facts"][0] |= keys
    path.write_text(yaml.safe_dump(data))


def test_there_are_enough_facts_and_each_names_source_and_approver() -> None:
    facts = load_facts()

    assert len(facts) >= 25
    assert all(fact.source and fact.approver for fact in facts.values())
    assert {fact.price_of for fact in facts.values()} >= {"LF-COUNT", "LF-ROUTE", "LF-INSIGHT", "LF-PRINT200", "LF-SCAN"}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"topcis": []}, "unknown key `facts.0.topcis`"),
        ({"topics": ["helthcare"]}, "count-price: unknown topic `helthcare`. Topics are: healthcare, logistics"),
        ({"text": "Larkfield Count costs $48 a month."}, "states the price ['48']; the vocabulary says $49 for LF-COUNT"),
        ({"price_of": "LF-NONE"}, "price_of names no product: LF-NONE. Products are: LF-COUNT"),
        ({"valid_until": date(2017, 1, 1)}, "valid_until 2017-01-01 lies before valid_from"),
        ({"text": "Hi {first_name}, it costs $49"}, "facts are plain text"),
        ({"id": "route-price"}, "the id route-price stands twice"),
    ],
)
def test_a_mistake_names_the_file_the_fact_and_the_choices(folder: Path, keys: dict[str, object], said: str) -> None:
    change_first(folder, **keys)

    with pytest.raises(ConfigError) as failure:
        load_facts(folder)

    assert said in str(failure.value)
    assert "larkfield.yaml" in str(failure.value)


def test_the_same_context_gets_the_same_facts_each_of_its_words_first() -> None:
    facts = load_facts()

    chosen = select_facts(facts.values(), CONTEXT, DAY)
    again = select_facts(reversed(list(facts.values())), dict(reversed(CONTEXT.items())), DAY)

    assert chosen == again
    assert 3 <= len(chosen) <= MOST_FACTS
    for word in CONTEXT.values():
        assert any(word in fact.topics for fact in chosen[:3])
    assert all(set(fact.topics) & set(CONTEXT.values()) or not fact.topics for fact in chosen)


def test_without_anything_known_the_facts_for_everyone_are_offered() -> None:
    chosen = select_facts(load_facts().values(), {"industry": "other", "recent_product": "none"}, DAY)

    assert chosen
    assert all(not fact.topics for fact in chosen)


def test_a_fact_is_offered_from_its_first_to_its_last_day_only() -> None:
    guide = load_facts()["launch-guide"]
    days = [date(2017, 12, 31), date(2018, 1, 1), date(2019, 12, 31), date(2020, 1, 1)]

    offered = [guide in select_facts([guide], {}, day) for day in days]

    assert offered == [False, True, True, False]
