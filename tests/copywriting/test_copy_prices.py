"""Prices have dates, and the file is read strictly."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from nurture.copywriting.prices import load_prices
from nurture.errors import ConfigError

TWO = """
m:
  - {from: 2026-01-01, vendor: openai, input: 1, output: 4, batch_share: 0.5, source: here}
  - {from: 2026-06-01, vendor: openai, input: 0.5, output: 2, batch_share: 0.25, source: there}
"""


def written(path: Path, text: str) -> Path:
    file = path / "prices.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("day", "cost", "in_batch"),
    [(date(2026, 5, 31), "5", "2.5"), (date(2026, 6, 1), "2.5", "0.625"), (date(2030, 1, 1), "2.5", "0.625")],
)
def test_the_price_of_the_day_counts(tmp_path: Path, day: date, cost: str, in_batch: str) -> None:
    price = load_prices(written(tmp_path, TWO)).of("m", day)

    assert price is not None
    assert price.cost(10**6, 10**6) == Decimal(cost)
    assert price.cost(10**6, 10**6, in_batch=True) == Decimal(in_batch)


def test_before_its_first_price_and_for_an_unknown_model_there_is_none(tmp_path: Path) -> None:
    prices = load_prices(written(tmp_path, TWO))

    assert (prices.of("m", date(2025, 12, 31)), prices.of("n", date(2026, 6, 1))) == (None, None)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            "m: [{from: 2026-01-01, vendor: openai, input: 1, outptu: 4, batch_share: 0.5, source: x}]",
            "unknown key `m.0.outptu`",
        ),
        ("m: [{from: 2026-01-01, vendor: openai, input: -1, output: 4, batch_share: 0.5, source: x}]", "`m.0.input`"),
        ("m: [{vendor: openai, input: 1, output: 4, batch_share: 0.5, source: x}]", "key `m.0.from` is missing"),
        ("m: []", "`m`"),
        (TWO.replace("2026-06", "2025-06"), "in the order of their `from`"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, wrong: str, said: str) -> None:
    file = written(tmp_path, wrong)

    with pytest.raises(ConfigError, match=r"prices\.yaml") as error:
        load_prices(file)

    assert said in str(error.value)


def test_every_price_of_the_repository_says_where_it_is_from() -> None:
    assert all(price.source for entries in load_prices().root.values() for price in entries)
