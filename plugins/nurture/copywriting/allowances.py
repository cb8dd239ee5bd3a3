"""What an endpoint says about its rate limits with each answer, in OpenAI's headers or in Anthropic's."""

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Allowance:
    """One limit: `limit` units, of which `remaining` are left; it is full again in `reset_seconds`."""

    limit: float
    remaining: float
    reset_seconds: float


@dataclass(frozen=True)
class Allowances:
    """The limits of one endpoint; None where it does not tell."""

    requests: Allowance | None = None
    tokens: Allowance | None = None


def read_allowances(headers: Mapping[str, str]) -> Allowances:
    """The limits in the headers of an answer or an error; what cannot be read is left out."""
    return Allowances(_read(headers, "requests"), _read(headers, "tokens"))


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as the endpoint asks for, in milliseconds, in seconds or as a date."""
    with suppress(KeyError, ValueError):
        return float(headers["retry-after-ms"]) / 1000
    with suppress(KeyError, ValueError):
        return float(headers["retry-after"])
    with suppress(KeyError, ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    return None


def _read(headers: Mapping[str, str], what: str) -> Allowance | None:
    for name in (f"x-ratelimit-{{}}-{what}", f"anthropic-ratelimit-{what}-{{}}"):
        with suppress(KeyError, ValueError):
            limit, remaining, reset = (headers[name.format(part)] for part in ("limit", "remaining", "reset"))
            return Allowance(float(limit), float(remaining), _seconds(reset))
    return None


def _seconds(reset: str) -> float:
    """Seconds until the reset: `6m0s` and `20ms` (OpenAI), an RFC 3339 time (Anthropic), or a plain number (others)."""
    with suppress(ValueError):
        return float(reset)
    if "".join("".join(found) for found in DURATION.findall(reset)) == reset and reset:
        return sum(float(number) * SECONDS[unit] for number, unit in DURATION.findall(reset))
    return max(0.0, datetime.fromisoformat(reset).timestamp() - time.time())
