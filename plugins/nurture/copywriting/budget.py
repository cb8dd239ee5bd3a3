"""The hard cap on what a run may cost: reserved before a call at its worst case, settled after."""

import logging
from decimal import Decimal
from typing import Any

from nurture.copywriting.pieces import canonical
from nurture.policy import Llm

log = logging.getLogger(__name__)

MILLION = Decimal(1_000_000)


class Budget:
    """Money of one run, in US dollars.

    Attributes:
        is_priced: whether policy has a price for the model. Without one the cap cannot hold.
        may_ask: False for a model without a price, unless policy allows such models; their costs are then noted as 0.
    """

    def __init__(self, policy: Llm, model: str, spent_usd: Decimal) -> None:
        price = policy.prices_usd_per_million_tokens.get(model)
        self.is_priced = price is not None
        self.input_usd = Decimal(str(price.input)) / MILLION if price else Decimal(0)
        self.output_usd = Decimal(str(price.output)) / MILLION if price else Decimal(0)
        self.cap_usd = Decimal(str(policy.max_usd_per_run))
        self.committed_usd = spent_usd
        self.may_ask = self.is_priced or policy.allow_unpriced_models
        if not self.is_priced:
            log.log(
                logging.WARNING if self.may_ask else logging.ERROR,
                "include/policy.yaml has no price for the model %s, so the cap of $%s cannot hold: %s Add its price under "
                "llm.prices_usd_per_million_tokens%s.", model, self.cap_usd,
                "its cost is noted as 0." if self.may_ask else "it is not asked, and what is new is static copy.",
                "" if self.may_ask else ", or set llm.allow_unpriced_models to true to go without a cap",
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
