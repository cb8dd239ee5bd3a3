"""Several models in order of preference: the first that is not out is asked."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from nurture.copywriting.chat_model import ChatModel
from nurture.copywriting.pacing import Pace
from nurture.copywriting.prices import Price, Prices
from nurture.policy import Llm

log = logging.getLogger(__name__)

Reason = Literal["unpriced", "refused", "down"]


@dataclass
class Lane:
    """One model of a run.

    Attributes:
        place: 0 for the first choice.
        price: None when `include/prices.yaml` has none: only its tokens are capped.
        out: why nothing more is asked of it in this run, if so, and in words. The next run tries it again.
        answered_at: monotonic time of its latest answer.
    """

    place: int
    model: ChatModel
    price: Price | None
    pace: Pace
    out: tuple[Reason, str] | None = None
    answered_at: float = 0.0

    def give_up(self, reason: Reason, why: str) -> None:
        """Ask nothing more of it in this run, which is an error for whoever runs it."""
        if self.out is None:
            self.out = reason, why
            log.error("%s is asked no more in this run: %s", self.model.name, why)


class Lineup:
    """The models of a run.

    A model is out when it has no price, when it refuses everything, or when it is down: a request has used up its attempts,
    and nobody had an answer since the first of them failed. Errors among answers do not trip this: then the next model
    is asked for that one piece.
    """

    def __init__(self, models: Sequence[ChatModel], prices: Prices, policy: Llm, day: date) -> None:
        self.lanes = [
            Lane(place, model, prices.of(model.name, day), Pace(policy.max_concurrency))
            for place, model in enumerate(models)
        ]
        for lane in self.lanes:
            _check_price(lane, policy)

    def stop(self) -> None:
        """Let nobody wait for a turn any more."""
        for lane in self.lanes:
            lane.pace.stop()

    @property
    def took_over(self) -> str | None:
        """The model that answered where the first one did not, if any did."""
        return next((lane.model.name for lane in self.lanes[1:] if lane.answered_at), None)

    @property
    def refusal(self) -> str | None:
        """What the first endpoint that refuses everything says, if one does."""
        return next((lane.out[1] for lane in self.lanes if lane.out and lane.out[0] == "refused"), None)


def _check_price(lane: Lane, policy: Llm) -> None:
    if lane.price is not None:
        return
    missing = f"include/prices.yaml has no price for the model {lane.model.name}, so no cap on money can hold"
    if policy.allow_unpriced_models:
        log.warning("%s: its cost is noted as 0, and its tokens are capped. Add its price.", missing)
    else:
        lane.give_up(
            "unpriced", f"{missing}. Add its price, or set llm.allow_unpriced_models in include/policy.yaml to true."
        )
