"""What the benchmarks of the push share: a warehouse, a sandbox CRM in its own process that takes its time, and messages."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="nurture-bench-airflow-"))  # read when it is first imported

import psycopg
from psycopg.types.json import Jsonb

from benchmarks.scratch_warehouse import warehouse
from nurture.copywriting.pieces import sha256
from sandbox.crm.server import RunningCrm, running

DAY = datetime.now(UTC).date().isoformat()
OUTPUT = {"headline": "Count less, {first_name}", "body": "Made for {company}.", "cta": "See how", "cited_fact_ids": []}


@dataclass(frozen=True)
class PushNight:
    """A CRM that answers after a while, reached through the Airflow connections `crm` and `warehouse`, and people for it."""

    url: str
    connection: psycopg.Connection
    crm: RunningCrm

    def invite(self, campaign: str, *, first: int, people: int) -> None:
        """One message of `campaign` for each of so many new contacts, with ids from `first` on, who all consented."""
        ids = range(first, first + people)
        values = {"firstname": "Annika", "consent_status": "granted", "region": "US"}
        for start in range(0, people, 2_000):
            self.crm.seed(
                [{"id": n, "properties": values | {"email": f"p{n}@example.com"}} for n in ids[start : start + 2_000]]
            )
        bound = {"campaign": campaign, "day": DAY, "first": first, "last": first + people - 1, "copy": self._copy()}
        for query in (
            """INSERT INTO staging.contacts (crm_id, email, first_name, company, region, consent_status, is_opted_out,
                                             modified_at)
               SELECT n::text, 'p' || n || '@example.com', 'Annika', 'Nordlicht', 'US', 'granted', false, now()
               FROM generate_series(%(first)s::int, %(last)s::int) AS n""",
            """INSERT INTO marts.person (person_id, crm_id, consent_status)
               SELECT 'p_' || n, n::text, 'granted' FROM generate_series(%(first)s::int, %(last)s::int) AS n""",
            """INSERT INTO marts.audience (campaign, day, person_id, slot, crm_id, trigger_event, trigger_at,
                                           trigger_event_day, trigger_row_number, context, arm)
               SELECT %(campaign)s, %(day)s::date, 'p_' || n, 'bench', n::text, 'form_submit', now(),
                      %(day)s::date, 1, '{}', 'ai'
               FROM generate_series(%(first)s::int, %(last)s::int) AS n""",
            """INSERT INTO ops.message (campaign, day, person_id, slot, message_id, copy_id, fallback_copy_id, lane)
               SELECT campaign, day, person_id, slot, encode(sha256(convert_to(campaign, 'UTF8')), 'hex'),
                      %(copy)s, %(copy)s, 'ready'
               FROM marts.audience WHERE campaign = %(campaign)s""",
            "ANALYZE staging.contacts, marts.person, marts.audience, ops.message",
        ):
            self.connection.execute(query.encode(), bound)
        self.connection.commit()

    def _copy(self) -> str:
        copy_id = sha256({"request_hash": "bench", "output": OUTPUT})
        self.connection.execute(
            "INSERT INTO ops.copy (copy_id, request_hash, campaign, template_id, template_version, origin, parameters,"
            " context, fact_ids, output, verdict)"
            " VALUES (%s, 'bench', 'bench', 'bench', 1, 'static', '{}', '{}', '[]', %s, 'clear') ON CONFLICT DO NOTHING",
            (copy_id, Jsonb(OUTPUT)),
        )
        return copy_id

    def requests(self) -> dict[int, int]:
        """Requests to the API since the last time that this was asked, by status."""
        by_status: dict[int, int] = {}
        for counted in self.crm.admin("requests?last=1")["counts"]:
            by_status[counted["status"]] = by_status.get(counted["status"], 0) + counted["count"]
        self.crm.admin("requests", method="DELETE")
        return by_status


@contextmanager
def push_night(*, latency_ms: float, ten_secondly_limit: int | None) -> Iterator[PushNight]:
    """Start both, and stop them at the end.

    Args:
        latency_ms: added to each batch request, before the CRM does its work.
        ten_secondly_limit: requests in any 10 s, beyond which the CRM answers 429; None: no limit.
    """
    with warehouse() as connection:
        connection.autocommit = True
        connection.execute("CREATE DATABASE crm")
        connection.autocommit = False
        server = f"postgresql://{connection.info.user}@{connection.info.host}:{connection.info.port}"
        with running(f"{server}/crm") as crm:
            crm.configure(ten_secondly_limit=ten_secondly_limit, daily_limit=None)
            if latency_ms:
                crm.fault("/crm/v3/objects/contacts/batch/", delay_seconds=latency_ms / 1000, times=None)
            os.environ["AIRFLOW_CONN_WAREHOUSE"] = url = f"{server}/{connection.info.dbname}"
            os.environ["AIRFLOW_CONN_CRM"] = json.dumps({"conn_type": "http", "host": crm.url, "password": crm.token})
            yield PushNight(url, connection, crm)
