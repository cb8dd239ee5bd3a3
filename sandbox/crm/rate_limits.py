"""HubSpot's request limits: two rolling windows and a day, with the headers that report them."""

import time
from collections import deque
from dataclasses import dataclass, field

from sandbox.crm.errors import HubSpotError
from sandbox.crm.settings import Settings


@dataclass
class RollingWindow:
    """Counts requests in the last `seconds`."""

    seconds: float
    _moments: deque[float] = field(default_factory=deque)

    def used(self, now: float) -> int:
        while self._moments and self._moments[0] <= now - self.seconds:
            self._moments.popleft()
        return len(self._moments)

    def seconds_until_free(self, now: float) -> float:
        return self._moments[0] + self.seconds - now if self._moments else 0.0

    def add(self, now: float) -> None:
        self._moments.append(now)


class RateLimits:
    """What was used of each limit; a refused request uses nothing."""

    def __init__(self) -> None:
        self._ten_secondly = RollingWindow(10)
        self._searches = RollingWindow(1)
        self._day = 0
        self._today = 0

    def take(self, settings: Settings, *, is_search: bool) -> dict[str, str]:
        """Count one request and give the headers of its answer.

        Raises:
            HubSpotError: 429 naming the policy that has no room.
        """
        now, day = time.monotonic(), int(time.time() // 86_400)
        if day != self._day:
            self._day, self._today = day, 0
        window, limit, policy = (
            (self._searches, settings.search_secondly_limit, "SECONDLY")
            if is_search
            else (self._ten_secondly, settings.ten_secondly_limit, "TEN_SECONDLY_ROLLING")
        )
        if settings.daily_limit is not None and self._today >= settings.daily_limit:
            raise refused("DAILY", 86_400 - time.time() % 86_400 if settings.sends_retry_after else None)
        used = window.used(now)
        if limit is not None and used >= limit:
            raise refused(policy, window.seconds_until_free(now) if settings.sends_retry_after else None)
        window.add(now)
        self._today += 1
        return {} if is_search else self._headers(settings, used + 1)

    def _headers(self, settings: Settings, used: int) -> dict[str, str]:
        # Search answers carry no such headers at the vendor either.
        headers = {}
        if settings.daily_limit is not None:
            headers["X-HubSpot-RateLimit-Daily"] = str(settings.daily_limit)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(settings.daily_limit - self._today)
        if settings.ten_secondly_limit is not None:
            headers["X-HubSpot-RateLimit-Interval-Milliseconds"] = "10000"
            headers["X-HubSpot-RateLimit-Max"] = str(settings.ten_secondly_limit)
            headers["X-HubSpot-RateLimit-Remaining"] = str(settings.ten_secondly_limit - used)
        return headers


def refused(policy: str, retry_after_seconds: float | None = None) -> HubSpotError:
    """429 with the policy that refused, and `Retry-After` in whole seconds where one is given."""
    headers = {} if retry_after_seconds is None else {"Retry-After": str(int(retry_after_seconds) + 1)}
    return HubSpotError(
        429, f"You have reached your {policy.lower()} limit.", "RATE_LIMITS", headers=headers,
        errorType="RATE_LIMIT", policyName=policy,
    )  # fmt: skip
