"""What a synthetic person does after a message, with a true effect that is known because it is written here."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sandbox.world.people import Person

Arm = Literal["ai", "static", "none"]

CONVERSION_FACTOR: dict[Arm, float] = {"none": 1.0, "static": 1.25, "ai": 1.5}
"""True effect: the arm multiplies a person's own rate of conversion."""

OPEN_RATE: dict[Arm, float] = {"none": 0.0, "static": 0.30, "ai": 0.34}
CLICK_RATE: dict[Arm, float] = {"none": 0.0, "static": 0.030, "ai": 0.040}
"""Of messages delivered."""


@dataclass(frozen=True)
class Response:
    """Synthetic outcome of one message, or of none. `email_events` are HubSpot's event types in order."""

    email_events: tuple[str, ...]
    converted: bool

    @property
    def clicked(self) -> bool:
        return "CLICK" in self.email_events


def respond(person: Person, arm: Arm, seed: int | str) -> Response:
    """What `person` does under `arm`. The same draw serves every arm, so a better arm never does worse."""
    events: tuple[str, ...] = ()
    if arm != "none":
        attention = _draw(person, seed, "attention")
        events = ("SENT", "DELIVERED")
        if attention < OPEN_RATE[arm]:
            events += ("OPEN",)
        if attention < CLICK_RATE[arm]:
            events += ("CLICK",)
    return Response(events, _draw(person, seed, "conversion") < conversion_rate(person, arm))


def conversion_rate(person: Person, arm: Arm) -> float:
    """The true probability that `person` converts under `arm`."""
    return min(1.0, person.base_conversion_rate * CONVERSION_FACTOR[arm])


def true_effect(people: Iterable[Person], arm: Arm, against: Arm) -> float:
    """The true difference in conversion rate, `arm` minus `against`, averaged over `people`."""
    differences = [conversion_rate(p, arm) - conversion_rate(p, against) for p in people]
    return sum(differences) / len(differences)


def _draw(person: Person, seed: int | str, what: str) -> float:
    digest = hashlib.sha256(f"{seed}:{person.user_id}:{what}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
