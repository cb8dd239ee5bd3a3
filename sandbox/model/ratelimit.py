"""A per-minute allowance that refills steadily, and the headers that tell a client about it."""

import time
from dataclasses import dataclass, field


@dataclass
class Allowance:
    """`per_minute` units, refilled continuously; at most one minute's worth is saved up."""

    per_minute: int
    _left: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._at = float(self.per_minute), time.monotonic()

    def take(self, units: int = 1) -> float:
        """Take `units` and return 0.0, or take nothing and return the seconds until they are there."""
        self._refill()
        if self._left >= units:
            self._left -= units
            return 0.0
        return (units - self._left) * 60 / self.per_minute

    def state(self) -> tuple[int, float]:
        """Units left, and seconds until all are back."""
        self._refill()
        return int(self._left), (self.per_minute - self._left) * 60 / self.per_minute

    def headers(self, name: str) -> dict[str, str]:
        """`x-ratelimit-{limit,remaining,reset}-<name>` as they stand now."""
        remaining, reset = self.state()
        return {
            f"x-ratelimit-limit-{name}": str(self.per_minute),
            f"x-ratelimit-remaining-{name}": str(remaining),
            f"x-ratelimit-reset-{name}": f"{reset:.3f}s" if reset >= 1 else f"{reset * 1000:.0f}ms",
        }

    def _refill(self) -> None:
        now = time.monotonic()
        self._left = min(self.per_minute, self._left + (now - self._at) * self.per_minute / 60)
        self._at = now
