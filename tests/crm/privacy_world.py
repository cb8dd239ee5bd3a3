"""A small world for privacy: five contacts, two of one person, what they did on the site, one campaign's night pushed."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import psycopg
import pyarrow as pa
import pytest
from campaign_night import CAMPAIGN, add_copy, add_messages, push
from psycopg import sql

from demo.postgres import EmbeddedPostgres
from nurture.hooks.hubspot import HubSpotHook, PropertyDefinition
from nurture.operators.push_to_crm import GROUP, LABELS, SHAPES
from nurture.policy import Crm, load_policy
from nurture.privacy.data_map import load_data_map
from nurture.privacy.erasure import erase
from nurture.privacy.leftovers import leftovers
from nurture.privacy.requests import Action, Named, close_request, open_request
from nurture.privacy.schema import read_schema
from nurture.warehouse.crm_contact_rows import Contact
from nurture.warehouse.crm_contacts import LoadCounts, load_chosen_contacts, load_contacts
from nurture.warehouse.ga4_events import Run, load_day
from nurture.warehouse.statements import statement
from sandbox.crm.server import RunningCrm
from tests.ga4_fixtures import Row, arrow, event, param
from warehouse_rows import DAY, resolve

PEOPLE = [71_000_001, 71_000_002, 71_000_003, 71_000_004, 71_000_005]
ERIN, MERGED_ERIN = 71_000_003, 71_000_005
NAMES = {71_000_003: "Erinesque", 71_000_005: "Erinesque"}
ADDRESSES = {71_000_003: "erinesque@example.com", 71_000_005: "erinesque.before@example.com"}


@pytest.fixture
def warehouse_url(
    postgres: EmbeddedPostgres, housekeeping: psycopg.Connection, crm: RunningCrm, hook: HubSpotHook, crm_policy: Crm
) -> Iterator[str]:
    """A warehouse of this test's own with the world in it; built once, copied for each test. The CRM has its contacts."""
    furnish(crm, hook)
    if not housekeeping.execute("SELECT 1 FROM pg_database WHERE datname = 'privacy_world'").fetchone():
        postgres.create_database("privacy_world", template="migrated")
        with psycopg.connect(postgres.url("privacy_world")) as connection:
            build(connection, hook, crm_policy)
    name = f"wh_{uuid4().hex[:12]}"
    housekeeping.execute(f'CREATE DATABASE "{name}" TEMPLATE privacy_world STRATEGY FILE_COPY'.encode())
    yield postgres.url(name)
    housekeeping.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def world(warehouse: psycopg.Connection) -> psycopg.Connection:
    """A connection to it."""
    return warehouse


def furnish(crm: RunningCrm, hook: HubSpotHook) -> None:
    """The CRM's side: five contacts, two of them merged."""
    crm.seed([contact(number) for number in PEOPLE])
    definitions = [PropertyDefinition(name, label, *SHAPES.get(name, ())) for name, label in LABELS.items()]
    hook.ensure_properties(definitions, group=GROUP)
    ids = {"primaryObjectId": str(ERIN), "objectIdToMerge": str(MERGED_ERIN)}
    hook._call("POST", "/crm/v3/objects/contacts/merge", json=ids)


def build(warehouse: psycopg.Connection, hook: HubSpotHook, policy: Crm) -> None:
    """The warehouse's side, up to the push of one night; before it, the two contacts were two persons."""
    policy_of_consent = load_policy().consent
    before = [Contact(str(number), as_delivered(number), created_at="2026-01-01T00:00:00Z") for number in PEOPLE]
    load_chosen_contacts(warehouse, before, policy, policy_of_consent, dag_id="customer_data", run_id="r")
    resolve(warehouse)
    warehouse.commit()
    load_crm(warehouse, hook, policy)
    load_events(warehouse, events())
    resolve(warehouse)
    warehouse.commit()
    warehouse.execute(statement("marts/person_features.sql"), {"day": DAY})
    add_copy(warehouse, "copy-ai")
    add_copy(warehouse, "copy-static", origin="static")
    add_messages(warehouse, DAY.isoformat())
    push(warehouse, hook, policy)
    mention(warehouse, person_of(warehouse, ERIN))


def as_delivered(number: int) -> dict[str, str | None]:
    """The properties of a contact before anything was merged."""
    return contact(number)["properties"] | {"lastmodifieddate": "2026-01-02T00:00:00Z"}


def contact(number: int, **properties: str) -> Row:
    values = {
        "email": address(number), "firstname": NAMES.get(number, "Annika"), "lastname": f"Sample{number}", "region": "DE",
        "consent_status": "granted", "consent_timestamp": "2026-01-05T10:00:00Z", "site_user_id": f"user-{number}",
        "lifecyclestage": "lead",
    }  # fmt: skip
    return {"id": number, "properties": values | properties, "createdate": "2026-01-01T00:00:00Z"}


def address(number: int) -> str:
    return ADDRESSES.get(number, f"annika.{number}@example.com")


def events() -> list[Row]:
    """Each person on a device of their own, three of them on a shared one too, and somebody whom nobody knows."""
    rows = [event(DAY, "page_view", second=1, user_id=None, user_pseudo_id="888.nobody")]
    for place, number in enumerate(PEOPLE):
        own = {"user_id": f"user-{number}", "user_pseudo_id": f"555.{number}"}
        page = param("page_location", f"https://larkfield.example/form?email={address(number).replace('@', '%40')}#top")
        title = param("page_title", f"Welcome back {address(number)}")
        rows += [
            event(DAY, "form_submit", second=10 + place, **own, event_params=[param("ga_session_id", 77), page, title]),
            event(DAY, "page_view", second=20 + place, **own | {"user_id": None}),
            event(DAY, "page_view", second=30 + place, **own | {"user_pseudo_id": "999.shared"}),
        ]
    return rows


def load_crm(warehouse: psycopg.Connection, hook: HubSpotHook, policy: Crm) -> LoadCounts:
    counts = load_contacts(
        warehouse, hook, policy, load_policy().consent, dag_id="customer_data", run_id="r", day=DAY.isoformat()
    )
    warehouse.commit()
    return counts


def load_events(warehouse: psycopg.Connection, rows: list[Row], *, day: date = DAY) -> None:
    table: pa.Table = arrow(rows)
    load_day(
        warehouse, day=day, table=f"events_{day:%Y%m%d}", rows=table.to_reader(), max_param_bytes=1_000,
        run=Run("customer_data", "run-1"),
    )  # fmt: skip


def person_of(warehouse: psycopg.Connection, number: int) -> str:
    row = warehouse.execute(
        "SELECT person_id FROM marts.person_identity WHERE kind = 'crm_id' AND value = %s", (str(number),)
    ).fetchone()
    assert row is not None
    return str(row[0])


def mention(warehouse: psycopg.Connection, person_id: str) -> None:
    """The person in every table that a quiet night leaves empty."""
    bound = {"person": person_id, "crm": str(ERIN), "email": address(ERIN), "campaign": CAMPAIGN, "day": DAY}
    bound |= {"letter": f"{CAMPAIGN}/{person_id}/week-2026-W40"}
    for insert in (
        "marts.contact_change VALUES (%(crm)s)",
        "marts.contact_split VALUES ('71000001', %(crm)s)",
        "marts.person_split SELECT person_id, %(person)s, now() FROM marts.person WHERE crm_id = '71000001'",
        "ops.push_output (campaign, person_id, slot, output, state, reason, output_key, record_id, day, claim_token, run_id)"
        " SELECT campaign, person_id, slot, 'note', 'confirmed', 'written', 'k', '9', day, claim_token, run_id"
        " FROM ops.push_ledger WHERE person_id = %(person)s",
        "ops.assignment VALUES (%(campaign)s, %(person)s, 'ai', %(day)s)",
        "ops.consent_decision (campaign, person_id, slot, day, stage, is_allowed, basis, run_id)"
        " VALUES (%(campaign)s, %(person)s, 's', %(day)s, 'push', true, 'opt-in of contact ' || %(crm)s, 'r')",
        "ops.suppression (list, kind, value, source, added_by)"
        " VALUES ('test', 'crm_id', %(crm)s, 'set_suppression', 'robin')",
        "ops.dry_run (dag_id, run_id, campaign, day, lane, person_id, slot, crm_id, message_id, outcome, reason, changes)"
        " VALUES ('d', 'r', %(campaign)s, %(day)s, 'ready', %(person)s, 's', %(crm)s, 'm', 'written', 'x',"
        " json_build_array(%(email)s::text))",
        "ops.dead_letter (source, key, reason, payload) VALUES ('crm.push', %(letter)s, 'refused',"
        " jsonb_build_object('crm_id', %(crm)s::text)), ('ga4.events', 'events_20261101:9', 'too long',"
        " jsonb_build_object('user_id', 'user-' || %(crm)s, 'page', 'https://x.example/' || %(email)s))",
        "ops.dead_letter_retry (dead_letter_id, dag_id, run_id, asked_by, outcome, words, ended_at)"
        " SELECT dead_letter_id, 'd', 'r', 'robin', 'refused', 'contact ' || %(crm)s || ' is refused again', now()"
        " FROM ops.dead_letter WHERE source = 'crm.push'",
        "ops.gate_result (dag_id, run_id, gate, check_name, day, table_name, severity, status, detail, sample_keys)"
        " VALUES ('d', 'r', 'g', 'c', %(day)s, 't', 'warn', 'warn', 'one',"
        " jsonb_build_array(%(crm)s::text, '71000001'))",
        "ops.data_docs VALUES ('d', 'r', 'g', '<td>' || %(crm)s || '</td>')",
        "ops.run_report VALUES ('d', 'r', %(day)s, 'completed',"
        " json_build_object('sample', json_build_array(%(person)s::text)))",
        "ops.identity_event (kind, person_id, crm_id, reason, decided_by) VALUES"
        " ('linked', %(person)s, %(crm)s, 'contact ' || %(crm)s || ' is living', 'robin')",
    ):
        warehouse.execute(f"INSERT INTO {insert}".encode(), bound)
    warehouse.commit()


def request(warehouse: psycopg.Connection, number: int = ERIN, *, action: Action = "erase", run_id: str = "run-e") -> int:
    """Open a request by CRM id, as the DAG's first step does."""
    return open_request(warehouse, action, Named("crm_id", str(number)), asked_by="robin", ticket="T-1", run_id=run_id)


def erase_here(warehouse: psycopg.Connection, request_id: int) -> dict[str, int]:
    """What follows in the warehouse; returns what is left."""
    erase(warehouse, load_data_map(), request_id)
    warehouse.commit()
    left = leftovers(warehouse, load_data_map(), request_id)
    if not left:
        close_request(warehouse, request_id)
    warehouse.commit()
    return left


def dump(warehouse: psycopg.Connection) -> str:
    """The whole database as text, in lower case; binary values in hex."""
    parts: list[str] = []
    for name in read_schema(warehouse):
        query = sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(*name.split(".")))
        parts += [f"{name} {row[0]}" for row in warehouse.execute(query)]
    warehouse.commit()
    return "\n".join(parts).lower()


def found(text: str, identifiers: Iterable[str]) -> list[str]:
    """Lines of a dump in which an identifier stands."""
    return [line[:200] for line in text.splitlines() if any(each.lower() in line for each in identifiers)]


def traces(warehouse: psycopg.Connection) -> list[str]:
    """Everything by which Erin could be found; asked before the erasure."""
    person_id = person_of(warehouse, ERIN)
    rows = warehouse.execute("SELECT member_id FROM marts.person_member WHERE person_id = %s", (person_id,)).fetchall()
    assert len(rows) == 2
    return [str(ERIN), str(MERGED_ERIN), "Erinesque", *(row[0] for row in rows)]


def aggregates(warehouse: psycopg.Connection) -> dict[str, Any]:
    """What reports, gates and experiments count."""
    queries = {
        "events": "SELECT event_day, event_name, count(*), count(user_id), count(DISTINCT user_id),"
        " count(DISTINCT user_pseudo_id) FROM staging.events GROUP BY 1, 2",
        "raw": "SELECT event_day, event_name, count(*), count(DISTINCT user_pseudo_id) FROM raw_ga4.events GROUP BY 1, 2",
        "ledger": "SELECT campaign, slot, state, count(*), count(DISTINCT person_id) FROM ops.push_ledger GROUP BY 1, 2, 3",
        "messages": "SELECT campaign, day, lane, count(*) FROM ops.message GROUP BY 1, 2, 3",
        "audience": "SELECT campaign, day, arm, suppressed_reason, count(*) FROM marts.audience GROUP BY 1, 2, 3, 4",
        "arms": "SELECT experiment, arm, count(*) FROM ops.assignment GROUP BY 1, 2",
        "consent": "SELECT status, count(*), count(DISTINCT person_id) FROM ops.consent_event GROUP BY 1",
    }
    result = {name: sorted(map(str, warehouse.execute(query.encode()).fetchall())) for name, query in queries.items()}
    warehouse.commit()
    return result
