"""One human taken for two, then told apart: what was sent before counts for both, what is sent after for one."""

from collections.abc import Callable

import psycopg
import pytest
from campaign_night import CAMPAIGN, DAY, MESSAGE_ID, SLOT, add_messages, prepare, push, reason_of, states

from nurture.hooks.hubspot import HubSpotHook
from nurture.identity.unmerge import unmerge
from nurture.ledger.attempt import attempt
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # whole pushes to the CRM over HTTP

NEXT_DAY, NEXT_SLOT = "2026-11-21", "week-2026-W48"


@pytest.fixture
def people(warehouse: psycopg.Connection, crm: RunningCrm, hook: HubSpotHook) -> None:
    """p0002 of contact 2 has swallowed p0001 of contact 1; contact 3 is what the CRM will have for p0001 afterwards."""
    prepare(warehouse, crm, hook, 3)
    warehouse.execute(
        """
        INSERT INTO marts.person_identity (kind, value, person_id, first_person_id)
        SELECT 'crm_id', crm_id, CASE crm_id WHEN '1' THEN 'p0002' ELSE person_id END, person_id FROM marts.person
        """
    )
    warehouse.execute(
        """
        INSERT INTO raw_hubspot.contacts (crm_id, merged_ids, merged_into, modified_at, properties)
        VALUES ('1', '{}', '2', '2026-11-20Z', '{}'), ('2', '{1}', NULL, '2026-11-20Z', '{}'),
               ('3', '{}', NULL, '2026-11-20Z', '{}')
        """
    )
    warehouse.execute("UPDATE marts.person SET merged_into = 'p0002', crm_id = NULL WHERE person_id = 'p0001'")
    warehouse.execute("DELETE FROM staging.contacts WHERE crm_id = '1'")
    warehouse.execute("DELETE FROM ops.message WHERE person_id <> 'p0002'")
    warehouse.commit()


def told_apart(warehouse: psycopg.Connection) -> None:
    unmerge(warehouse, person_id="p0001", crm_id=None, new_crm_id="3", decided_by="robin", note="two sisters")
    warehouse.commit()


def written_to(crm: RunningCrm) -> list[str]:
    return sorted(write["contact_id"] for write in crm.writes(MESSAGE_ID))


def first_gets(warehouse: psycopg.Connection) -> None:
    """The swallowed person had got it before the merge."""
    warehouse.execute("UPDATE ops.push_ledger SET person_id = 'p0001', crm_id = '1'")
    warehouse.execute("UPDATE ops.message SET person_id = 'p0001'")
    warehouse.execute("DELETE FROM marts.audience WHERE person_id = 'p0001'")
    warehouse.execute("UPDATE marts.audience SET person_id = 'p0001', crm_id = '1' WHERE person_id = 'p0002'")
    warehouse.commit()


@pytest.mark.parametrize(("who_got_it", "other"), [(lambda _: None, "p0001"), (first_gets, "p0002")])
def test_a_message_confirmed_before_the_split_counts_for_both(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, people: None,
    who_got_it: Callable[[psycopg.Connection], None], other: str,
) -> None:  # fmt: skip
    push(warehouse, hook, crm_policy)
    who_got_it(warehouse)
    told_apart(warehouse)
    add_messages(warehouse, NEXT_DAY)

    counts = push(warehouse, hook, crm_policy, day=NEXT_DAY, run_id="run-2")

    assert written_to(crm) == ["2"]
    assert counts.pushed == 0
    assert reason_of(warehouse, other)[1].startswith("sent before")


def test_after_the_split_each_gets_the_messages_of_their_own(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, people: None
) -> None:
    push(warehouse, hook, crm_policy)
    told_apart(warehouse)
    add_messages(warehouse, NEXT_DAY, slot=NEXT_SLOT)
    warehouse.execute("CREATE TEMP TABLE later AS SELECT * FROM ops.message WHERE person_id = 'p0001'")
    warehouse.execute("DELETE FROM ops.message WHERE person_id = 'p0001'")
    warehouse.commit()

    push(warehouse, hook, crm_policy, day=NEXT_DAY, run_id="run-2")
    warehouse.execute("INSERT INTO ops.message SELECT * FROM later")
    warehouse.commit()
    push(warehouse, hook, crm_policy, day=NEXT_DAY, run_id="run-3")

    assert written_to(crm) == ["2", "2", "3"]
    assert states(warehouse) == {"confirmed": 3}


def test_a_message_on_its_way_at_the_split_is_waited_for(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm, people: None
) -> None:
    with (
        psycopg.connect(warehouse_url) as session,
        attempt(session, campaign=CAMPAIGN, lane="ready", day=DAY, run_id="other") as running,
    ):
        [message] = running.claim([("p0002", SLOT)])
        running.move("sent", {message.key: "going out"})
        told_apart(warehouse)
        add_messages(warehouse, NEXT_DAY)

        push(warehouse, hook, crm_policy, day=NEXT_DAY, run_id="run-2")

    assert written_to(crm) == []
    assert states(warehouse) == {"sent": 1}
