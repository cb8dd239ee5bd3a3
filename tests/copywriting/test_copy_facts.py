"""Facts as files: strictly loaded, each with source and approver; a mistake names the file and the valid choices."""

import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml

from nurture.copywriting.facts import load_facts
from nurture.errors import ConfigError
from nurture.paths import FACTS

DAY = date(2026, 11, 20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FACTS, tmp_path / "facts"))


def change_first(folder: Path, **keys: object) -> None:
    path = folder / "prices.yaml"
    data = yaml.safe_load(path.read_text())
    data["facts"][0] |= keys
    path.write_text(yaml.safe_dump(data))


def test_there_are_at_least_sixty_facts_of_every_kind_valid_today() -> None:
    facts = load_facts().values()
    valid = [fact for fact in facts if fact.is_valid_on(DAY)]

    assert len(valid) >= 60
    assert {path.stem for path in FACTS.glob("*.yaml")} == {"products", "prices", "proof", "service", "company"}
    assert all(fact.source and fact.approver for fact in facts)
    assert {fact.price_of for fact in facts} >= {"LF-COUNT", "LF-ROUTE", "LF-INSIGHT", "LF-PRINT200", "LF-SCAN"}
    assert any(fact.valid_until and fact.valid_until < DAY for fact in facts), "one that is over"
    assert any(fact.valid_until and fact.valid_until > DAY for fact in valid), "one that will be over"
    assert any(fact.valid_from > DAY for fact in facts), "one that is to come"
    assert {region for fact in facts for region in fact.regions} == {"north_america", "united_kingdom", "european_union"}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"topcis": []}, "unknown key `facts.0.topcis`"),
        ({"topics": ["helthcare"]}, "count-price: unknown topic `helthcare`. Topics are: healthcare, logistics"),
        ({"regions": ["texas"]}, "count-price: unknown region `texas`. Regions are the markets of the vocabulary: north"),
        ({"text": "Larkfield Count costs $48 a month."}, "states the price ['48']; the vocabulary says $49 for LF-COUNT"),
        ({"price_of": "LF-NONE"}, "price_of names no product: LF-NONE. Products are: LF-COUNT"),
        ({"valid_until": date(2017, 1, 1)}, "valid_until 2017-01-01 lies before valid_from"),
        ({"text": "Hi {first_name}, it costs $49"}, "facts are plain text"),
        ({"text": "It costs $49 [count-price]"}, "facts are plain text"),
        ({"id": "route-price"}, "the id route-price stands twice"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_file_the_fact_and_the_choices(folder: Path, keys: dict[str, object], said: str) -> None:
    change_first(folder, **keys)

    with pytest.raises(ConfigError) as failure:
        load_facts(folder)

    assert said in str(failure.value)
    assert "prices.yaml" in str(failure.value)


def test_a_folder_without_facts_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no facts found"):
        load_facts(tmp_path)
