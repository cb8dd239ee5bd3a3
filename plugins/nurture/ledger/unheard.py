"""For how long nothing has been heard of what was sent."""

import time
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Unheard(Generic[Key]):
    """Counts by this process's own monotonic clock: the warehouse's may be set forward, and an answer still be on its way.

    Of what an earlier process sent, it counts from the first time that it is asked.
    """

    def __init__(self) -> None:
        self._since: dict[Key, float] = {}

    def begin(self, keys: Iterable[Key]) -> None:
        """Count anew for `keys`."""
        self._since |= dict.fromkeys(keys, time.monotonic())

    def seconds(self, key: Key) -> float:
        now = time.monotonic()
        return now - self._since.setdefault(key, now)
