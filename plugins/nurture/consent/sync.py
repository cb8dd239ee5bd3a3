"""Changes of consent, from the CRM into the warehouse between two nights: who withdrew today is out of today's audiences."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Protocol

import psycopg

from nurture.policy import Consent, Crm
from nurture.warehouse.crm_contact_consent import kept_properties
from nurture.warehouse.crm_contact_rows import SOURCE as LOAD
from nurture.warehouse.crm_contact_rows import Contact, fit
from nurture.warehouse.crm_contacts import COPY, consent_parameters
from nurture.warehouse.statements import statement

SOURCE = "hubspot.consent"  # of the watermark and of ops.load_log
FOLLOW = (
    "marts/lock_identity.sql",
    "marts/create_touched.sql",
    "consent/touch_people.sql",
    "consent/refresh_person.sql",
    "marts/consent_event.sql",
)
"""How people and the history of consent follow staging.contacts."""


class ChangedContacts(Protocol):
    """Where changes come from."""

    def iter_changed_contacts(self, since: datetime, properties: Iterable[str]) -> Iterator[Contact]:
        """Living contacts modified at or after `since`."""


@dataclass
class SyncCounts:
    """What a sync did.

    Attributes:
        contacts: contacts that changed in the CRM, in whatever way.
        changed: of these, those whose consent, opt-outs or region differ from what the warehouse had.
        events: statements of consent that are news, kept in `ops.consent_event`.
        watermark: the new one, ISO 8601 UTC; None before the first load of contacts.
    """

    contacts: int = 0
    changed: int = 0
    events: int = 0
    watermark: str | None = None


def sync_consent(
    connection: psycopg.Connection, source: ChangedContacts, policy: Crm, consent: Consent, *, dag_id: str, run_id: str
) -> SyncCounts:
    """Read contacts that changed since the last sync or load, with their properties of consent only, and follow them.

    One transaction, under the lock of the contact load: whichever comes second waits, then reads what is newer. The archived
    and the merged are the load's affair, and so is everything before the first load.
    """
    started_at = datetime.now(UTC)
    counts = SyncCounts()
    connection.commit()  # a transaction of the caller's would keep the temporary tables
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (LOAD,))
        watermark = _watermark(connection)
        if watermark is None:
            return counts
        properties = kept_properties(consent)
        connection.execute(statement("raw_hubspot/create_delivered.sql"))
        since = watermark - timedelta(seconds=policy.watermark_overlap_seconds)
        changed = source.iter_changed_contacts(since, [*properties, "lastmodifieddate"])
        latest = _deliver(connection, changed, policy, consent, counts)
        connection.execute(statement("raw_hubspot/create_changed.sql"))
        counts.changed = connection.execute(
            statement("consent/merge_contacts.sql"), {"consent_properties": properties}
        ).rowcount
        if counts.changed:
            connection.execute(statement("staging/contacts.sql"), consent_parameters(consent))
        for name in FOLLOW:
            counts.events = connection.execute(statement(name)).rowcount
        # What changes while the walk goes on may be missed by it, so the watermark never passes the walk's beginning.
        watermark = max(watermark, min(latest, started_at)) if latest else watermark
        counts.watermark = watermark.isoformat()
        connection.execute(
            statement("consent/log_sync.sql"),
            {"source": SOURCE, "watermark": watermark, "dag_id": dag_id, "run_id": run_id, "contacts": counts.contacts},
        )
    return counts


def _watermark(connection: psycopg.Connection) -> datetime | None:
    """From where to read: what the last sync saw, or the last load where that saw more; None before the first load."""
    row = connection.execute(
        "SELECT max(value), bool_or(source = %s) FROM ops.watermark WHERE source IN (%s, %s)", (LOAD, LOAD, SOURCE)
    ).fetchone()
    return row[0].astimezone(UTC) if row and row[1] else None


def _deliver(
    connection: psycopg.Connection, contacts: Iterator[Contact], policy: Crm, consent: Consent, counts: SyncCounts
) -> datetime | None:
    """COPY page after page; returns the latest `lastmodifieddate` seen. What does not fit, the load complains about."""
    latest: datetime | None = None
    while page := list(islice(contacts, policy.page_size)):
        with connection.cursor() as cursor, cursor.copy(COPY) as copy:
            for contact in page:
                fitted = fit(contact, policy, consent)
                if fitted.row and fitted.modified_at:
                    copy.write_row(fitted.row)
                    latest = max(latest or fitted.modified_at, fitted.modified_at)
        counts.contacts += len(page)
    return latest
