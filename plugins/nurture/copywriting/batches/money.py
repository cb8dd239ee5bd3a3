"""What batches cost: a share of what the same requests cost one by one, reserved at the worst case before one is planned."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

import psycopg

from nurture.copywriting.batches.records import Batch
from nurture.copywriting.budget import NOTHING, Amount, Granted, Purse, reserve_each, settle, worst_case
from nurture.copywriting.chat_model import Answer
from nurture.copywriting.prices import Price, load_prices
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run
from nurture.policy import Llm


class BatchMoney:
    """Money of batches: those that are planned for `model`, and older ones of any model.

    A batch counts on the UTC day on which it was planned.
    """

    def __init__(self, connection: psycopg.Connection, policy: Llm, model: str) -> None:
        self.connection, self.policy, self.model = connection, policy, model

    def price(self, moment: datetime) -> Price | None:
        """The price of `model`."""
        return _price(self.model, moment)

    def reserve(self, run: Run, requests: Iterable[CopyRequest], moment: datetime) -> tuple[Granted, list[Amount]]:
        """Set the worst case aside for as many of `requests`, from the first on, as the caps allow. Commits nothing."""
        price = self.price(moment)
        worst = [worst_case(request, price, in_batch=True) for request in requests]
        granted = reserve_each(self.connection, self._purse(run, moment), worst)
        return granted, worst[: granted.calls]

    def cost(self, batch: Batch, answer: Answer) -> Decimal:
        """US dollars for one answer; an even share of the worst case where the vendor does not count its tokens."""
        price = _price(batch.model, batch.planned_at)
        if answer.prompt_tokens is None or answer.completion_tokens is None:
            return batch.worst_case_usd / len(batch.request_hashes)
        return price.cost(answer.prompt_tokens, answer.completion_tokens, in_batch=True) if price else Decimal(0)

    def settle(self, batch: Batch, spent: Amount = NOTHING) -> None:
        """Replace a batch's reservation by what it cost. Commits nothing."""
        reserved = Amount(batch.worst_case_usd, batch.worst_case_tokens)
        settle(self.connection, self._purse(batch.run, batch.planned_at), reserved=reserved, spent=spent)

    def _purse(self, run: Run, moment: datetime) -> Purse:
        return Purse.of(run, self.policy.budget, moment.astimezone(UTC).date())


def _price(model: str, moment: datetime) -> Price | None:
    return load_prices().of(model, moment.astimezone(UTC).date())
