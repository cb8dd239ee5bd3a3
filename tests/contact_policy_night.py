"""One night under contact policy, for tests: the same rules asked of a whole audience and of a claim."""

from typing import Any

import psycopg

from audience_night import NIGHT, leads, resolve
from nurture.contact_policy.rules import timing, withholding
from nurture.policy import Contact, load_policy
from nurture.warehouse.statements import statement
from warehouse_rows import DAY

CONTACT = load_policy().contact
PRIORITY = ("cart_recovery", "lead_nurture")


def contact(**changes: Any) -> Contact:
    """The real contact policy with two campaigns, and what a test changes."""
    return CONTACT.model_copy(update={"campaign_priority": PRIORITY} | changes)


def quiet(**changes: Any) -> Contact:
    """The real contact policy with other quiet hours."""
    return contact(quiet_hours=CONTACT.quiet_hours.model_copy(update=changes))


def lead_night(warehouse: psycopg.Connection, *crm_ids: str, **columns: Any) -> None:
    """Leads whom consent allows to write to tonight."""
    leads(warehouse, *crm_ids, **columns)
    resolve(warehouse)
    put_in_audience(warehouse, "lead_nurture")


def put_in_audience(warehouse: psycopg.Connection, campaign: str, **columns: Any) -> None:
    """Everyone with a living contact wants a message of `campaign` tonight, as the consent step leaves it."""
    values = {"campaign": campaign, "day": DAY, "slot": "week-2026-W47", "arm": None, "suppressed_reason": None}
    values |= {"is_rehearsal": False} | columns
    warehouse.execute(
        """
        INSERT INTO marts.audience (campaign, day, person_id, slot, crm_id, trigger_event, trigger_at, trigger_event_day,
                                    trigger_row_number, context, consent_basis, arm, suppressed_reason,
                                    is_rehearsal)
        SELECT %(campaign)s, %(day)s, person_id, %(slot)s, crm_id, 'form_submit', %(day)s, %(day)s, 1, '{}', 'opt-in',
               %(arm)s, %(suppressed_reason)s, %(is_rehearsal)s
        FROM marts.person WHERE merged_into IS NULL
        """,
        values,
    )


def apply(
    warehouse: psycopg.Connection, policy: Contact | None = None, campaign: str = "lead_nurture"
) -> dict[str, str | None]:
    """Run the step; returns the reason in words by CRM id."""
    policy = policy or contact()
    values = {**NIGHT, "campaign": campaign, **withholding(policy, campaign), **timing(policy)}
    warehouse.execute(statement("audience/apply_contact_policy.sql"), values)
    return dict(
        warehouse.execute("SELECT crm_id, suppressed_detail FROM marts.audience WHERE campaign = %s", (campaign,)).fetchall()
    )


def at_the_claim(
    warehouse: psycopg.Connection, policy: Contact | None = None, campaign: str = "lead_nurture"
) -> dict[str, str | None]:
    """Ask as a claim of everybody does; returns the reason in words by CRM id."""
    people = dict(
        warehouse.execute("SELECT person_id, crm_id FROM marts.audience WHERE campaign = %s", (campaign,)).fetchall()
    )
    values = {**NIGHT, "campaign": campaign, "person_ids": list(people), **withholding(policy or contact(), campaign)}
    found = dict(warehouse.execute(statement("ledger/withheld.sql"), values).fetchall())
    return {crm_id: found.get(person_id) for person_id, crm_id in people.items()}


def list_as(warehouse: psycopg.Connection, kind: str, value: str, list_name: str = "competitors") -> None:
    """An entry of a suppression list."""
    warehouse.execute(
        "INSERT INTO ops.suppression (list, kind, value, source, added_by) VALUES (%s, %s, %s, 'test', 'robin')",
        (list_name, kind, value),
    )
