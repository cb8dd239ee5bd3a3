"""What models cost: `include/prices.yaml`, and the arithmetic over it."""

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, RootModel, field_validator

from nurture.paths import INCLUDE
from nurture.strict_yaml import Strict, Usd, read_strict

PRICES = INCLUDE / "prices.yaml"
MILLION = Decimal(1_000_000)


class Price(Strict):
    """US dollars per million tokens, from a day on.

    Attributes:
        vendor: whose model it is; a connection of another vendor cannot serve it.
        batch_share: what a batch costs of the list price.
        source: where it was read.
    """

    since: Annotated[date, Field(alias="from")]
    vendor: Literal["openai", "anthropic"]
    input: Usd
    output: Usd
    batch_share: Annotated[float, Field(gt=0, le=1)]
    source: Annotated[str, Field(min_length=1)]

    def cost(self, prompt_tokens: int, completion_tokens: int, *, in_batch: bool = False) -> Decimal:
        """US dollars for one request."""
        full = prompt_tokens * Decimal(str(self.input)) + completion_tokens * Decimal(str(self.output))
        return full * (Decimal(str(self.batch_share)) if in_batch else 1) / MILLION


class Prices(RootModel[dict[str, Annotated[list[Price], Field(min_length=1)]]]):
    """All prices, by model."""

    @field_validator("root")
    @classmethod
    def _one_price_a_day(cls, prices: dict[str, list[Price]]) -> dict[str, list[Price]]:
        for model, entries in prices.items():
            days = [entry.since for entry in entries]
            if days != sorted(set(days)):
                raise ValueError(f"the entries of {model} must be in the order of their `from`, each with another day")
        return prices

    def of(self, model: str, day: date) -> Price | None:
        """The price of `model` on `day`; None when there is none yet."""
        return next((price for price in reversed(self.root.get(model, [])) if price.since <= day), None)


@cache
def load_prices(path: Path = PRICES) -> Prices:
    """Read the prices.

    Raises:
        ConfigError: the file is missing or wrong.
    """
    return read_strict(path, Prices)
