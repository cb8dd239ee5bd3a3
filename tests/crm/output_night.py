"""A small night whose messages the CRM has confirmed, and the notes and tasks that were made for them."""

from collections.abc import Sequence
from typing import Any

import psycopg
from campaign_night import CAMPAIGN, DAY, prepare
from hubspot import HubSpot
from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest

from nurture.hooks.hubspot import HubSpotHook
from nurture.hooks.hubspot_engagements import HubSpotEngagements
from nurture.ledger.attempt import attempt
from nurture.ledger.outputs import write_outputs
from nurture.operators.push_to_crm import GROUP, fill_copy
from nurture.policy import Crm, load_policy
from sandbox.crm.server import RunningCrm

NOTE = ["hs_timestamp", "hs_note_body", "hubspot_owner_id", "nurture_key"]
TASK = [
    "hs_timestamp",
    "hs_task_subject",
    "hs_task_body",
    "hs_task_status",
    "hs_task_priority",
    "hubspot_owner_id",
    "nurture_key",
]


def confirmed_night(
    warehouse: psycopg.Connection, crm: RunningCrm, hook: HubSpotHook, people: int, **properties: str
) -> HubSpotEngagements:
    """People p0001… as in `prepare`, each with a message that the CRM confirmed; the portal knows our key."""
    prepare(warehouse, crm, hook, people, **properties)
    warehouse.execute(
        """
        INSERT INTO ops.push_ledger (campaign, person_id, slot, state, reason, crm_id, message_id, copy_id, day, claim_token,
                                     run_id)
        SELECT campaign, person_id, slot, 'confirmed', 'written', crm_id, message_id, copy_id, day, gen_random_uuid(),
               'run-0'
        FROM ops.message JOIN marts.audience USING (campaign, day, person_id, slot)
        """
    )
    warehouse.commit()
    timeline = HubSpotEngagements("crm", policy=hook.policy, backoff_seconds=0.01)
    timeline.ensure_keys(["note", "task"], group=GROUP)
    return timeline


def write(
    warehouse: psycopg.Connection,
    timeline: Any,
    crm_policy: Crm,
    *,
    outputs: Sequence[str] = ("note",),
    run_id: str = "run-1",
    **more: Any,
) -> dict[str, dict[str, int]]:
    """One attempt at the outputs of the night."""
    policy = load_policy().model_copy(update={"crm": crm_policy})
    with attempt(warehouse, campaign=CAMPAIGN, lane="ready", day=DAY, run_id=run_id, **more) as mine:
        return write_outputs(mine, timeline, outputs, lambda row: fill_copy(row.parts, row.placeholder_values), policy)


def on_timeline(crm: RunningCrm, kind: str = "notes") -> list[dict[str, Any]]:
    """Every living note (or task) as the vendor's own client sees it: properties, and `contacts` that show it."""
    client = HubSpot(access_token=crm.token, host=crm.url)
    records: list[Any] = []
    after = None
    while after or not records:
        page = getattr(client.crm.objects, kind).basic_api.get_page(
            limit=100, properties=NOTE if kind == "notes" else TASK, **({"after": after} if after else {})
        )
        records += page.results
        after = page.paging.next.after if page.paging else None
        if not page.results:
            return []
    asked = BatchInputPublicFetchAssociationsBatchRequest([{"id": record.id} for record in records])
    linked = client.crm.associations.v4.batch_api.get_page(kind, "contacts", asked).results
    contacts = {link._from.id: [to.to_object_id for to in link.to] for link in linked}
    return [record.properties | {"id": record.id, "contacts": contacts.get(record.id, [])} for record in records]


def keys_of(crm: RunningCrm, kind: str = "notes") -> list[str]:
    return sorted(record["nurture_key"] for record in on_timeline(crm, kind))


def output_states(warehouse: psycopg.Connection, output: str = "note") -> dict[str, int]:
    rows = warehouse.execute(
        "SELECT state, count(*)::int FROM ops.push_output WHERE output = %s GROUP BY 1", (output,)
    ).fetchall()
    warehouse.commit()
    return dict(rows)


def output_reason(warehouse: psycopg.Connection, person_id: str, output: str = "note") -> tuple[str, str]:
    row = warehouse.execute(
        "SELECT state, reason FROM ops.push_output WHERE person_id = %s AND output = %s", (person_id, output)
    ).fetchone()
    warehouse.commit()
    assert row is not None
    return row[0], row[1]
