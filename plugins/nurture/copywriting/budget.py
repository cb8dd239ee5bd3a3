"""The hard cap on what a run may cost: reserved before a call at its worst case, settled after."""

import logging
from decimal import Decimal
from typing import Any

import psycopg

from nurture.copywriting.pieces import canonical
from nurture.policy import Llm

log = logging.getLogger(__name__)

MILLION = Decimal(1_000_000)


class Budget:
    """Money of one run, in US dollars.

    Attributes:
        is_priced: False when policy has no price for the model: costs are then noted as 0 and the cap cannot bind.
    """

    def __init__(self, policy: Llm, model: str, spent_usd: Decimal) -> None:
        price = policy.prices_usd_per_million_tokens.get(model)
        self.is_priced = price is not None
        self.input_usd = Decimal(str(price.input)) / MILLION if price else Decimal(0)
        self.output_usd = Decimal(str(price.output)) / MILLION if price else Decimal(0)
        self.cap_usd = Decimal(str(policy.max_usd_per_run))
        self.committed_usd = spent_usd
        if not self.is_priced:
            log.warning(
                "No price for model %s in include/policy.yaml (llm.prices_usd_per_million_tokens): "
                "its cost is noted as 0 and the cap of $%s cannot hold. Add its price.", model, self.cap_usd,
            )  # fmt: skip

    def cost(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        return prompt_tokens * self.input_usd + completion_tokens * self.output_usd

    def reserve(self, messages: list[dict[str, str]], response_format: dict[str, Any], max_tokens: int) -> Decimal | None:
        """Set aside the worst case of a call, or return None when the cap does not allow it.

        A token is at least one byte, so bytes bound the prompt's tokens.
        """
        prompt_bytes = len(canonical([messages, response_format]).encode())
        worst = self.cost(prompt_bytes, max_tokens)
        if self.committed_usd + worst > self.cap_usd:
            return None
        self.committed_usd += worst
        return worst

    def settle(self, reserved: Decimal, cost: Decimal) -> None:
        """Replace a reservation by what the call cost."""
        self.committed_usd += cost - reserved


def spent_usd(connection: psycopg.Connection, dag_id: str, run_id: str) -> Decimal:
    """What the run has spent so far, earlier attempts of its tasks included."""
    row = connection.execute(
        "SELECT coalesce(sum(cost_usd), 0) FROM ops.llm_call WHERE dag_id = %s AND run_id = %s", (dag_id, run_id)
    ).fetchone()
    return Decimal(row[0]) if row else Decimal(0)
