"""A CRM's contacts for tests, and loads of them."""

from typing import Any

import psycopg

from nurture.hooks.hubspot import HubSpotHook
from nurture.policy import Crm, load_policy
from nurture.warehouse.crm_contacts import LoadCounts, load_contacts

MORNING = "2026-11-20T08:00:00.000Z"
NOON = "2026-11-20T12:00:00.000Z"
TABLES = ("raw_hubspot.contacts", "staging.contacts")


def contact(crm_id: int, *, modified: str = MORNING, archived: bool = False, **properties: str) -> dict[str, Any]:
    """A contact as `RunningCrm.seed` takes it."""
    return {
        "id": crm_id,
        "properties": {"email": f"p{crm_id}@example.com", **properties},
        "archived": archived,
        "createdate": "2026-01-01T00:00:00.000Z",
        "lastmodifieddate": modified,
    }


def load(warehouse: psycopg.Connection, hook: HubSpotHook, policy: Crm, run_id: str = "run-1") -> LoadCounts:
    consent = load_policy().consent
    counts = load_contacts(warehouse, hook, policy, consent, dag_id="customer_data", run_id=run_id, day="2026-11-20")
    warehouse.commit()
    return counts


def digest(warehouse: psycopg.Connection) -> list[tuple[int, str]]:
    """Rows and content of both tables."""
    found = []
    for table in TABLES:
        query = f"SELECT count(*)::int, md5(string_agg(t::text, E'\\n' ORDER BY crm_id)) FROM {table} AS t"
        found.append(warehouse.execute(query.encode()).fetchone())
    return found


def one(warehouse: psycopg.Connection, table: str, columns: str, crm_id: int) -> Any:
    query = f"SELECT {columns} FROM {table} WHERE crm_id = '{crm_id}'"
    return warehouse.execute(query.encode()).fetchone()


def loaded_and_dead(warehouse: psycopg.Connection, run_id: str) -> Any:
    return warehouse.execute("SELECT loaded_rows, dead_rows FROM ops.load_log WHERE run_id = %s", (run_id,)).fetchone()


def letters(warehouse: psycopg.Connection) -> dict[tuple[str, str], str]:
    rows = warehouse.execute("SELECT key, field, reason FROM ops.dead_letter WHERE source = 'hubspot.contacts'").fetchall()
    return {(key, name): reason for key, name, reason in rows}
