"""A small night of one campaign: people in the CRM and in the warehouse, and the message that each is to get."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from nurture.copywriting.pieces import sha256
from nurture.hooks.hubspot import HubSpotHook, PropertyDefinition
from nurture.ledger.attempt import attempt
from nurture.ledger.push import Push, PushCounts
from nurture.operators.push_to_crm import GROUP, LABELS, PushToCrmOperator
from nurture.policy import Consent, Crm, load_policy
from sandbox.crm.server import RunningCrm

CAMPAIGN, DAY, SLOT = "lead_nurture", "2026-11-20", "week-2026-W47"
MESSAGE_ID = "nurture_message_id"
OUTPUT = {"headline": "Count less, {first_name}", "body": "Made for {company}. No {surprise}.", "cta": "See how"}


def prepare(
    warehouse: psycopg.Connection,
    crm: RunningCrm,
    hook: HubSpotHook,
    people: int,
    *,
    lane: str = "ready",
    region: str = "DE",
    **properties: str,
) -> None:
    """People p0001…: consenting contacts 1… in the CRM, with one message each in `lane`."""
    values = {"consent_status": "granted", "region": region} | properties
    crm.seed(
        [
            {"id": n, "properties": {"email": f"p{n}@example.com", "firstname": "Annika"} | values}
            for n in range(1, people + 1)
        ]
    )
    hook.ensure_properties([PropertyDefinition(name, label) for name, label in LABELS.items()], group=GROUP)
    add_copy(warehouse, "copy-ai")
    add_copy(warehouse, "copy-static", origin="static")
    warehouse.execute(
        """
        INSERT INTO staging.contacts (crm_id, email, first_name, company, region, consent_status, is_opted_out, modified_at)
        SELECT n::text, 'p' || n || '@example.com', 'Annika', 'Nordlicht', %s, 'granted', false, '2026-11-20Z'
        FROM generate_series(1, %s) AS n
        """,
        (region, people),
    )
    warehouse.execute(
        """
        INSERT INTO marts.person (person_id, crm_id, consent_status)
        SELECT 'p' || lpad(crm_id, greatest(4, length(crm_id)), '0'), crm_id, 'granted' FROM staging.contacts
        """
    )
    add_messages(warehouse, DAY, lane=lane)


def add_copy(
    warehouse: psycopg.Connection,
    name: str,
    *,
    origin: str = "model",
    output: Any = None,
    verdict: str = "clear",
    model: str | None = None,
    cites: Mapping[str, int] | None = None,
) -> str:
    """A piece under its content hash, which is returned; `cites`: fact id → version."""
    output = dict(output or OUTPUT) | {"cited_fact_ids": list(cites or {})}
    warehouse.execute(
        """
        INSERT INTO ops.copy (copy_id, request_hash, campaign, template_id, template_version, origin, model, parameters,
                              context, fact_ids, output, verdict)
        VALUES (%s, %s, %s, 'lead_nurture', 3, %s, %s, '{}', '{}', '[]', %s, %s)
        """,
        (
            sha256({"request_hash": f"request of {name}", "output": output}),
            *(f"request of {name}", CAMPAIGN, origin, model, Jsonb(output), verdict),
        ),
    )
    for fact_id, version in (cites or {}).items():
        warehouse.execute(
            "INSERT INTO ops.copy_source (copy_id, fact_id, fact_version, source) VALUES (%s, %s, %s, 'a handbook')",
            (id_of(warehouse, name), fact_id, version),
        )
    return id_of(warehouse, name)


def id_of(warehouse: psycopg.Connection, name: str) -> str:
    """The content hash of the piece called `name`."""
    row = warehouse.execute("SELECT copy_id FROM ops.copy WHERE request_hash = %s", (f"request of {name}",)).fetchone()
    assert row is not None
    return str(row[0])


def add_messages(
    warehouse: psycopg.Connection, day: str, *, lane: str = "ready", slot: str = SLOT, copy: str = "copy-ai"
) -> None:
    """A message for everyone with a living contact on `day`."""
    values = {"campaign": CAMPAIGN, "day": day, "slot": slot, "lane": lane}
    values |= {"copy_id": id_of(warehouse, copy), "fallback": id_of(warehouse, "copy-static")}
    warehouse.execute(
        """
        INSERT INTO marts.audience (campaign, day, person_id, slot, crm_id, trigger_event, trigger_at, trigger_event_day,
                                    trigger_row_number, context, arm)
        SELECT %(campaign)s, %(day)s::date, person_id, %(slot)s, crm_id,
               'demo_request', clock_timestamp() - interval '1 day', '2026-11-19', 1, '{}', 'ai'
        FROM marts.person WHERE crm_id IS NOT NULL
        """,
        values,
    )
    warehouse.execute(
        """
        INSERT INTO ops.message (campaign, day, person_id, slot, message_id, copy_id, fallback_copy_id, lane)
        SELECT campaign, day, person_id, slot,
               encode(sha256(convert_to(concat_ws(E'\n', campaign, slot, %(copy_id)s::text), 'UTF8')), 'hex'),
               %(copy_id)s, %(fallback)s, %(lane)s
        FROM marts.audience WHERE campaign = %(campaign)s AND day = %(day)s::date
        """,
        values,
    )
    warehouse.commit()


def push(
    warehouse: psycopg.Connection,
    crm: Any,
    policy: Crm,
    *,
    lane: str = "ready",
    day: str = DAY,
    run_id: str = "run-1",
    consent: Consent | None = None,
    freshness_days: int = 7,
) -> PushCounts:
    """One attempt."""
    operator = PushToCrmOperator(task_id="push", campaign=CAMPAIGN, lane=lane, day=day)
    night = {"campaign": CAMPAIGN, "lane": lane, "day": day, "run_id": run_id}
    with attempt(warehouse, **night, freshness_days=freshness_days) as mine:
        return Push(mine, crm, operator.compose, policy, consent or load_policy().consent).run()


def states(warehouse: psycopg.Connection) -> dict[str, int]:
    rows = warehouse.execute("SELECT state, count(*)::int FROM ops.push_ledger GROUP BY 1").fetchall()
    warehouse.commit()
    return dict(rows)


def reason_of(warehouse: psycopg.Connection, person_id: str) -> tuple[str, str]:
    row = warehouse.execute("SELECT state, reason FROM ops.push_ledger WHERE person_id = %s", (person_id,)).fetchone()
    warehouse.commit()
    assert row is not None
    return row[0], row[1]


def most_writes(crm: RunningCrm) -> int:
    """How often the CRM saw the message that it saw most often."""
    seen = [(write["contact_id"], write["value"]) for write in crm.writes(MESSAGE_ID)]
    return max((seen.count(write) for write in set(seen)), default=0)


def merge(hook: HubSpotHook, *, survivor: int, loser: int) -> None:
    """Merge two contacts in the CRM."""
    ids = {"primaryObjectId": str(survivor), "objectIdToMerge": str(loser)}
    hook._call("POST", "/crm/v3/objects/contacts/merge", json=ids)


def unsubscribe(hook: HubSpotHook, number: int, subscription_id: int) -> None:
    """Contact `number` unsubscribes from one type of e-mail, as its preference page does it."""
    given = {"emailAddress": f"p{number}@example.com", "subscriptionId": str(subscription_id)}
    hook._call("POST", "/communication-preferences/v3/unsubscribe", json=given)


def push_letters(warehouse: psycopg.Connection) -> dict[str, bool]:
    """Dead letters of pushes by key, and whether each is still open."""
    query = "SELECT key, resolved_at IS NULL FROM ops.dead_letter WHERE source = 'crm.push'"
    rows = warehouse.execute(query).fetchall()
    warehouse.commit()
    return dict(rows)
