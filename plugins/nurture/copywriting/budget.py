"""The hard budget, in `ops.budget`: reserved at a call's worst case before it goes out, settled at what it cost after.

Everyone who spends goes through here: runs at the same time, their retries, their batches. A row of `ops.budget` is locked
from the check to the commit, so together they never pass a cap. What a killed attempt had reserved for calls that went out
stays reserved: they may have been charged.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate

import psycopg

from nurture.contact_policy.seed_list import campaign_of
from nurture.copywriting.pieces import canonical
from nurture.copywriting.prices import Price
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run
from nurture.policy import Budget
from nurture.warehouse.statements import statement


@dataclass(frozen=True)
class Amount:
    """US dollars, and tokens in and out."""

    usd: Decimal = Decimal(0)
    tokens: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.usd + other.usd, self.tokens + other.tokens)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.usd - other.usd, self.tokens - other.tokens)


NOTHING = Amount()


@dataclass(frozen=True)
class Cap:
    """The most that one row of `ops.budget` may come to; `name` begins its two keys in policy."""

    scope: str
    key: str
    name: str
    most: Amount


@dataclass(frozen=True)
class Purse:
    """The caps that a call counts against: of the run, the day, the campaign. What was reserved in one is settled in it."""

    caps: tuple[Cap, ...]
    day: date

    @classmethod
    def of(cls, run: Run, budget: Budget, day: date) -> "Purse":
        """Those of a call on the UTC day `day`. A test send uses its campaign's money."""
        campaign = campaign_of(run.campaign)
        month = budget.campaigns.get(campaign)
        month_usd = month.month_usd if month else budget.campaign_month_usd
        month_tokens = month.month_tokens if month else budget.campaign_month_tokens
        return cls(
            (
                Cap("run", f"{run.dag_id}/{run.run_id}", "run", _amount(budget.run_usd, budget.run_tokens)),
                Cap("day", day.isoformat(), "day", _amount(budget.day_usd, budget.day_tokens)),
                Cap("campaign", f"{campaign}/{day:%Y-%m}", "campaign_month", _amount(month_usd, month_tokens)),
            ),
            day,
        )

    @property
    def rows(self) -> dict[str, list[str]]:
        """As parameters of the statements."""
        return {"scopes": [cap.scope for cap in self.caps], "keys": [cap.key for cap in self.caps]}


@dataclass(frozen=True)
class Granted:
    """What became of a wish to reserve. True when all was granted.

    Attributes:
        calls: how many of those asked for, the first ones, have their money.
        capped_by: the key in policy (`llm.budget`) of the cap that the next one would pass, e.g. `run_usd`.
    """

    calls: int
    capped_by: str | None = None

    def __bool__(self) -> bool:
        return self.capped_by is None


def worst_case(request: CopyRequest, price: Price | None, *, in_batch: bool = False) -> Amount:
    """The most that `request` can cost. A token is at least one byte, so bytes bound the prompt's tokens."""
    prompt_bytes = len(canonical([request.messages, request.response_format]).encode())
    most_tokens = int(request.parameters["max_completion_tokens"])
    usd = price.cost(prompt_bytes, most_tokens, in_batch=in_batch) if price else Decimal(0)
    return Amount(usd, prompt_bytes + most_tokens)


def reserve(connection: psycopg.Connection, purse: Purse, worst: Amount) -> Granted:
    """Reserve `worst` for one effect (a call, a batch), or nothing. Commit soon: the rows stay locked until then."""
    return reserve_each(connection, purse, [worst])


def reserve_each(connection: psycopg.Connection, purse: Purse, worst: Sequence[Amount]) -> Granted:
    """Reserve for as many of `worst`, from the first on, as every cap allows; the rest gets nothing. Commit soon."""
    total = sum(worst, NOTHING)
    rows = connection.execute(statement("copy/reserve.sql"), {**purse.rows, "usd": total.usd, "tokens": total.tokens})
    used_before = {scope: Amount(usd, tokens) - total for scope, usd, tokens in rows}
    for count, so_far in enumerate(accumulate(worst)):
        capped_by = _passed(purse.caps, used_before, so_far)
        if capped_by:
            settle(connection, purse, reserved=sum(worst[count:], NOTHING), spent=NOTHING)
            return Granted(count, capped_by)
    return Granted(len(worst))


def settle(connection: psycopg.Connection, purse: Purse, *, reserved: Amount, spent: Amount) -> None:
    """Replace a reservation by what was spent. Commit it together with the outcome of the call."""
    values = {"reserved_usd": reserved.usd, "reserved_tokens": reserved.tokens,
              "spent_usd": spent.usd, "spent_tokens": spent.tokens}  # fmt: skip
    connection.execute(statement("copy/settle.sql"), {**purse.rows, **values})


def _passed(caps: Iterable[Cap], used: dict[str, Amount], more: Amount) -> str | None:
    for cap in caps:
        after = used[cap.scope] + more
        if after.usd > cap.most.usd:
            return f"{cap.name}_usd"
        if after.tokens > cap.most.tokens:
            return f"{cap.name}_tokens"
    return None


def _amount(usd: float, tokens: int) -> Amount:
    return Amount(Decimal(str(usd)), tokens)
