"""HubSpot's events of marketing e-mails: what became of what its workflows sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nurture.hooks.hubspot_portal import HubSpotPortal

PAGE = 1000  # vendor limit
PATH = "/email/public/v1/events"  # has no version of its own beside v1


@dataclass(frozen=True, repr=False)
class EmailEvent:
    """One event. `recipient` is an e-mail address as delivered: personal data, which no log may hold."""

    event_id: str
    recipient: str
    created_at: datetime


class HubSpotEmailEvents(HubSpotPortal):
    """Reads of the events API; the private app needs the scope `content`."""

    def iter_events(self, event_type: str, since: datetime) -> Iterator[EmailEvent]:
        """Events of one type created at or after `since`, newest first.

        Raises:
            TransientError: no answer after all attempts. TerminalError: this caller may not read them.
        """
        asked: dict[str, Any] = {
            "eventType": event_type, "startTimestamp": int(since.timestamp() * 1000), "limit": PAGE,
        }  # fmt: skip
        while True:
            answer = self._call("GET", PATH, params=asked)
            for event in answer.get("events") or []:
                created_at = datetime.fromtimestamp(event["created"] / 1000, UTC)
                yield EmailEvent(str(event["id"]), str(event.get("recipient") or ""), created_at)
            if not answer.get("hasMore"):
                return
            asked["offset"] = answer["offset"]
