"""Load changed CRM contacts into `raw_hubspot.contacts` and `staging.contacts`, in one transaction with the watermark."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any, Protocol

import psycopg
from psycopg import sql

from nurture.policy import Consent, Crm
from nurture.warehouse.crm_contact_consent import NOT_OPTED_OUT, opt_out_properties
from nurture.warehouse.crm_contact_letters import keep
from nurture.warehouse.crm_contact_rows import COLUMNS, SOURCE, Contact, fit, wanted_properties
from nurture.warehouse.dead_letter import DeadLetter
from nurture.warehouse.statements import statement

COPY = sql.SQL("COPY delivered_contact ({}) FROM STDIN").format(sql.SQL(", ").join(map(sql.Identifier, COLUMNS)))


class ContactSource(Protocol):
    """Where contacts come from; paging is its own affair."""

    def iter_contacts(self, *, archived: bool, properties: Iterable[str]) -> Iterator[Contact]:
        """All living or all archived contacts."""

    def iter_changed_contacts(self, since: datetime, properties: Iterable[str]) -> Iterator[Contact]:
        """Living contacts modified at or after `since`."""


@dataclass
class LoadCounts:
    """What a load did, in contacts.

    Attributes:
        full_load: no watermark was there, so everything was read.
        contacts: deliveries read, archived ones included.
        changed: stored rows that are new or differ.
        archived: deliveries from the archived list.
        merged: stored contacts that now point to a survivor.
        dead: deliveries that could not be loaded at all.
        dead_letters: written by this load, those of contacts loaded without a field included.
        watermark: the new one, ISO 8601 UTC; None while nothing was ever seen.
    """

    full_load: bool
    contacts: int = 0
    changed: int = 0
    archived: int = 0
    merged: int = 0
    dead: int = 0
    dead_letters: int = 0
    watermark: str | None = None


def load_contacts(
    connection: psycopg.Connection,
    source: ContactSource,
    policy: Crm,
    consent: Consent,
    *,
    dag_id: str,
    run_id: str,
    day: str,
) -> LoadCounts:
    """Read what changed since the watermark (at first: everything), and follow it in staging.

    Memory is bounded by a page of contacts. One load at a time: a second one waits, then begins at the new watermark.
    """
    started_at = datetime.now(UTC)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (SOURCE,))
        watermark = _watermark(connection)
        counts = LoadCounts(full_load=watermark is None)
        contacts = _read(source, watermark, policy, wanted_properties(consent))
        latest = _take_in(connection, contacts, policy, consent, counts, dag_id, run_id)
        # What changes while the walk goes on may be missed by it, so the watermark never passes the walk's beginning.
        seen = [moment for moment in (watermark, latest and min(latest, started_at)) if moment]
        if seen:
            counts.watermark = max(seen).isoformat()
            _keep_watermark(connection, max(seen))
        _log(connection, counts, dag_id=dag_id, run_id=run_id, day=day)
    return counts


def load_chosen_contacts(
    connection: psycopg.Connection, contacts: Iterable[Contact], policy: Crm, consent: Consent, *, dag_id: str, run_id: str
) -> LoadCounts:
    """Load `contacts`, as read a moment ago, and nothing else: the watermark stays. Commits, as `load_contacts` does."""
    connection.commit()  # a transaction of the caller's would keep the temporary tables
    counts = LoadCounts(full_load=False)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (SOURCE,))
        _take_in(connection, iter(contacts), policy, consent, counts, dag_id, run_id)
    return counts


def _take_in(
    connection: psycopg.Connection,
    contacts: Iterator[Contact],
    policy: Crm,
    consent: Consent,
    counts: LoadCounts,
    dag_id: str,
    run_id: str,
) -> datetime | None:
    """Raw, then staging for what changed; returns the latest `lastmodifieddate` seen."""
    connection.execute(statement("raw_hubspot/create_delivered.sql"))
    connection.execute(statement("raw_hubspot/create_changed.sql"))
    latest = _deliver(connection, contacts, policy, consent, counts, dag_id, run_id)
    connection.execute(statement("privacy/drop_erased_contacts.sql"), consent_parameters(consent))
    counts.changed = connection.execute(statement("raw_hubspot/merge_contacts.sql")).rowcount
    connection.execute(statement("raw_hubspot/mark_merged.sql"))
    connection.execute(statement("staging/contacts.sql"), consent_parameters(consent))
    counts.merged = _count_merged(connection)
    return latest


def _read(source: ContactSource, watermark: datetime | None, policy: Crm, properties: Sequence[str]) -> Iterator[Contact]:
    """Living contacts that changed, then the archived ones, for a list of changes does not name those."""
    if watermark is None:
        living = source.iter_contacts(archived=False, properties=properties)
    else:
        since = watermark - timedelta(seconds=policy.watermark_overlap_seconds)
        living = source.iter_changed_contacts(since, properties)
    return chain(living, source.iter_contacts(archived=True, properties=properties))


def _deliver(
    connection: psycopg.Connection,
    contacts: Iterator[Contact],
    policy: Crm,
    consent: Consent,
    counts: LoadCounts,
    dag_id: str,
    run_id: str,
) -> datetime | None:
    """COPY page after page; returns the latest `lastmodifieddate` seen."""
    latest: datetime | None = None
    while page := list(islice(contacts, policy.page_size)):
        letters: list[DeadLetter] = []
        rows: list[tuple[Any, ...]] = []
        for contact in page:
            fitted = fit(contact, policy, consent)
            letters += fitted.letters
            counts.archived += contact.is_archived
            if fitted.row and fitted.modified_at:
                rows.append(fitted.row)
                latest = max(latest or fitted.modified_at, fitted.modified_at)
            else:
                counts.dead += 1
        with connection.cursor() as cursor, cursor.copy(COPY) as copy:
            for row in rows:
                copy.write_row(row)
        counts.contacts += len(page)
        crm_ids = [contact.crm_id for contact in page]
        counts.dead_letters += keep(connection, crm_ids, letters, dag_id=dag_id, run_id=run_id)
    return latest


def consent_parameters(consent: Consent) -> dict[str, Any]:
    """What staging/contacts.sql binds."""
    words = {f"{kind}_words": list(words) for kind, words in consent.status_words.model_dump().items()}
    return words | {
        "opt_outs": opt_out_properties(consent),
        "not_opted_out": list(NOT_OPTED_OUT),
        "text_property": consent.text_property,
    }


def _watermark(connection: psycopg.Connection) -> datetime | None:
    row = connection.execute("SELECT value FROM ops.watermark WHERE source = %s", (SOURCE,)).fetchone()
    return row[0].astimezone(UTC) if row else None


def _keep_watermark(connection: psycopg.Connection, value: datetime) -> None:
    connection.execute(
        """
        INSERT INTO ops.watermark (source, value) VALUES (%s, %s)
        ON CONFLICT (source) DO UPDATE SET value = excluded.value
        """,
        (SOURCE, value),
    )


def _count_merged(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM raw_hubspot.contacts WHERE merged_into IS NOT NULL").fetchone()
    return int(row[0]) if row else 0


def _log(connection: psycopg.Connection, counts: LoadCounts, *, dag_id: str, run_id: str, day: str) -> None:
    note = "first load: everything" if counts.full_load else "changed since the watermark, and all archived"
    connection.execute(
        """
        INSERT INTO ops.load_log (dag_id, run_id, source, day, loaded_rows, dead_rows, note)
        VALUES (%s, %s, %s, %s::date, %s, %s, %s)
        ON CONFLICT (dag_id, run_id, source) DO UPDATE SET
            day = excluded.day, loaded_rows = excluded.loaded_rows, dead_rows = excluded.dead_rows, note = excluded.note,
            loaded_at = clock_timestamp()
        """,
        (dag_id, run_id, SOURCE, day, counts.contacts - counts.dead, counts.dead, note),
    )
