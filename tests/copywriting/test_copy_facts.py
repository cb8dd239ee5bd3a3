"""Facts as files: strictly loaded, each with source and approver; a mistake names the file and the valid choices."""

import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml

from nurture.copywriting.facts import load_facts
from nurture.copywriting.vocabulary import load_vocabulary
from nurture.errors import ConfigError
from nurture.paths import FACTS

DAY = date(2026, 11, 20)
WORDS = load_vocabulary()


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
        ({"topcis": []}, "prices.yaml: facts: count-price: unknown key `topcis`. Valid keys are: approver"),
        ({"text": "Larkfield Count costs a little."}, "states no price in $; the vocabulary says $49 for LF-COUNT"),
        ({"text": "Count, $49, and Larkfield Route, $79."}, "says what Larkfield Route costs: add `price_of: LF-ROUTE`"),
        ({"topics": ["helthcare"]}, f"count-price: unknown topic `helthcare`. Topics are: {WORDS.industries[0]}, "),
        ({"regions": ["texas"]}, f"region `texas`. Regions are the markets of the vocabulary: {WORDS.markets[0].id}, "),
        ({"text": "Larkfield Count costs $48 a month."}, "states $48; the vocabulary says $49 for LF-COUNT"),
        ({"price_of": "LF-NONE"}, f"price_of names no product: LF-NONE. Products are: {WORDS.products[0].id}, "),
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


SCAN_PRICES = [
    "Larkfield Scan costs $329 a device.",
    "A Larkfield Scan is $329.",
    "Today Larkfield Scan costs $329.",
    "The price of a Larkfield Scan handheld is only $329.",
    "Larkfield Scan, now only $329.",
    "With Larkfield Count on a phone, Larkfield Scan costs US$349.",
]


@pytest.mark.parametrize("text", SCAN_PRICES)
def test_a_product_s_price_must_be_held_against_the_vocabulary(folder: Path, text: str) -> None:
    change_first(folder, text=text, price_of=None)

    with pytest.raises(
        ConfigError, match=r"count-price: says what Larkfield Scan costs: add `price_of: LF-SCAN`, which .* \$349"
    ):
        load_facts(folder)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("A roll of 1,000 labels for Larkfield Print 200 costs $12.", {}),
        ("Larkfield Scan is insured for $500.", {}),
        ("A Larkfield Scan cover costs $30.", {}),
        ("In its first year Larkfield Scan costs $329.", {"valid_until": date(2018, 12, 31)}),
        ("In Canada Larkfield Scan costs $379.", {"regions": ["north_america"]}),
        ("Larkfield Scan costs $349.00.", {"price_of": "LF-SCAN"}),
    ],
)  # fmt: skip
def test_what_else_costs_dollars_needs_no_price_of(folder: Path, text: str, keys: dict[str, object]) -> None:
    change_first(folder, text=text, **({"price_of": None} | keys))

    assert load_facts(folder)["count-price"].text == text


@pytest.mark.parametrize("keys", [{}, {"regions": ["north_america"]}])
def test_a_condition_alone_or_a_limit_alone_does_not_excuse_another_price(folder: Path, keys: dict[str, object]) -> None:
    text = "Larkfield Scan costs $329." if keys else "In our shop Larkfield Scan costs $329."
    change_first(folder, text=text, price_of=None, **keys)

    with pytest.raises(ConfigError, match="says what Larkfield Scan costs"):
        load_facts(folder)


def test_a_folder_without_facts_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no facts found"):
        load_facts(tmp_path)
