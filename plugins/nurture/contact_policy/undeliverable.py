"""Hard bounces and spam complaints onto suppression lists, from which only a person takes somebody off."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import psycopg

from nurture.warehouse.statements import statement

COMPLAINT = "SPAMREPORT"
"""Type of e-mail event; no contact property says it."""
SOURCE = "hubspot.email_events"
BEGINNING = datetime(2006, 1, 1, tzinfo=UTC)
OVERLAP = timedelta(hours=1)  # events come in late


class Event(Protocol):
    """What is needed of an e-mail event."""

    @property
    def recipient(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...


class EventSource(Protocol):
    """Where e-mail events come from; paging is its own affair."""

    def iter_events(self, event_type: str, since: datetime) -> Iterator[Event]:
        """Events created at or after `since`, in any order."""


@dataclass(frozen=True)
class ComplaintCounts:
    """Events read, and addresses that came onto the list."""

    read: int
    added: int


def keep_hard_bounces(connection: psycopg.Connection) -> int:
    """Put every address that HubSpot marks as bounced for good onto the list `hard_bounce`; returns how many are new."""
    return connection.execute(statement("contact_policy/keep_hard_bounces.sql")).rowcount


def keep_complaints(connection: psycopg.Connection, events: EventSource) -> ComplaintCounts:
    """Put whoever reported a message as spam since the last time onto the list `spam_complaint`.

    Addresses are hashed as the look-ups hash them, and kept nowhere. The watermark moves in the same transaction.
    """
    row = connection.execute("SELECT value FROM ops.watermark WHERE source = %s", (SOURCE,)).fetchone()
    since = row[0] - OVERLAP if row else BEGINNING
    latest: dict[str, datetime] = {}
    read, newest = 0, row[0] if row else None
    for event in events.iter_events(COMPLAINT, since):
        read += 1
        newest = max(newest or event.created_at, event.created_at)
        if event.recipient.strip():
            latest[event.recipient] = max(latest.get(event.recipient, event.created_at), event.created_at)
    added = connection.execute(
        statement("contact_policy/keep_complaints.sql"), {"addresses": list(latest), "moments": list(latest.values())}
    ).rowcount
    if newest:
        connection.execute(
            "INSERT INTO ops.watermark (source, value) VALUES (%s, %s)"
            " ON CONFLICT (source) DO UPDATE SET value = greatest(watermark.value, excluded.value)",
            (SOURCE, min(newest, datetime.now(UTC))),
        )
    return ComplaintCounts(read, added)
