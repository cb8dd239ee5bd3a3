"""One human, one message: merged contacts, contacts that share an address, and nights that are run late."""

from collections.abc import Iterator

import psycopg
import pytest
from campaign_night import CAMPAIGN, DAY, MESSAGE_ID, SLOT, add_messages, merge, prepare, push, reason_of, states

from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.accounting import account
from nurture.ledger.attempt import Attempt, attempt
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # a CRM over HTTP for each

NEXT_DAY = "2026-11-21"


def written_to(crm: RunningCrm) -> list[str]:
    return [write["contact_id"] for write in crm.writes(MESSAGE_ID)]


def keep_message_of(warehouse: psycopg.Connection, person_id: str, day: str = DAY) -> None:
    warehouse.execute("DELETE FROM ops.message WHERE person_id <> %s AND day = %s", (person_id, day))
    warehouse.commit()


def follow_merge(warehouse: psycopg.Connection) -> None:
    """What the next load makes of contact 1 being merged into contact 2."""
    warehouse.execute("UPDATE marts.person SET merged_into = 'p0002', crm_id = NULL WHERE person_id = 'p0001'")
    warehouse.execute("DELETE FROM staging.contacts WHERE crm_id = '1'")
    warehouse.commit()


def share_address(warehouse: psycopg.Connection) -> None:
    warehouse.execute("UPDATE staging.contacts SET email = 'both@example.com' WHERE crm_id IN ('1', '2')")
    warehouse.commit()


@pytest.fixture
def running(warehouse_url: str) -> Iterator[Attempt]:
    """Another attempt at the same night, still at work."""
    with (
        psycopg.connect(warehouse_url) as session,
        attempt(session, campaign=CAMPAIGN, lane="ready", day=DAY, run_id="other") as other,
    ):
        yield other


def test_a_survivor_does_not_get_again_what_the_merged_contact_got(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    keep_message_of(warehouse, "p0001")
    push(warehouse, hook, crm_policy)
    merge(hook, survivor=2, loser=1)
    follow_merge(warehouse)
    add_messages(warehouse, NEXT_DAY)

    counts = push(warehouse, hook, crm_policy, day=NEXT_DAY, run_id="run-2")

    assert written_to(crm) == ["1"]
    assert (counts.pushed, counts.suppressed) == (0, 1)
    assert reason_of(warehouse, "p0002") == (
        "suppressed", "sent before: to a contact that was merged into this one, or to one of the same address",
    )  # fmt: skip


def test_a_survivor_waits_while_the_message_of_the_merged_contact_is_on_its_way(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, running: Attempt
) -> None:
    prepare(warehouse, crm, hook, 2)
    [message] = running.claim([("p0001", SLOT)])
    running.move("sent", {message.key: "going out"})
    follow_merge(warehouse)

    counts = push(warehouse, hook, crm_policy, run_id="run-2")

    assert (counts.pushed, counts.waiting) == (0, 2)
    assert states(warehouse) == {"sent": 1}


def test_a_survivor_gets_what_the_crm_refused_for_the_merged_contact(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    merge(hook, survivor=2, loser=1)
    push(warehouse, hook, crm_policy)
    first = states(warehouse), written_to(crm)
    follow_merge(warehouse)

    push(warehouse, hook, crm_policy, run_id="run-2")

    assert first == ({"rejected": 1, "confirmed": 1}, ["2"])
    assert written_to(crm) == ["2"]
    assert states(warehouse) == {"suppressed": 1, "confirmed": 1}


@pytest.mark.parametrize(
    ("events", "pushed"),
    [
        ([("p0002", "granted", "2026-01-01"), ("p0001", "denied", "2026-06-01")], 0),
        ([("p0001", "denied", "2026-06-01")], 0),
        ([("p0001", "denied", "2026-06-01"), ("p0002", "granted", "2026-07-01")], 1),
        ([("p0001", "denied", "2026-06-01"), ("p0001", "granted", "2026-07-01")], 0),
        ([("p0002", "denied", "2026-06-01"), ("p0002", "unknown", "2026-07-01")], 0),
    ],
)
def test_a_refusal_of_the_merged_contact_stands_until_the_survivor_grants_anew(
    crm: RunningCrm,
    warehouse: psycopg.Connection,
    hook: HubSpotHook,
    crm_policy: Crm,
    events: list[tuple[str, str, str]],
    pushed: int,
) -> None:
    prepare(warehouse, crm, hook, 2)
    follow_merge(warehouse)
    with warehouse.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.consent_event (person_id, status, happened_at, source) VALUES (%s, %s, %s, 'form')", events
        )
    warehouse.commit()

    counts = push(warehouse, hook, crm_policy)

    assert counts.pushed == pushed
    assert ("consent was withdrawn" in reason_of(warehouse, "p0002")[1]) is (pushed == 0)


def test_an_address_gets_a_message_once_however_many_contacts_carry_it(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3)
    share_address(warehouse)

    together = push(warehouse, hook, crm_policy)
    again = push(warehouse, hook, crm_policy, run_id="run-2")

    assert written_to(crm) == ["1", "3"]
    assert (together.pushed, together.suppressed, again.pushed) == (2, 1, 0)
    assert reason_of(warehouse, "p0002")[1] == "another contact of the same address gets it"


def test_an_address_that_got_the_message_under_another_contact_does_not_get_it_again(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    keep_message_of(warehouse, "p0001")
    push(warehouse, hook, crm_policy)
    share_address(warehouse)
    add_messages(warehouse, NEXT_DAY)

    push(warehouse, hook, crm_policy, day=NEXT_DAY, run_id="run-2")

    assert written_to(crm) == ["1"]
    assert reason_of(warehouse, "p0002")[1].startswith("sent before")


def test_a_contact_without_an_address_is_nobody_elses_twin(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3)
    warehouse.execute("UPDATE staging.contacts SET email = NULL")
    warehouse.commit()

    counts = push(warehouse, hook, crm_policy)

    assert counts.pushed == 3


@pytest.mark.parametrize("refusal", ["is_opted_out = true", "consent_status = 'denied'"])
def test_a_refusal_of_another_contact_of_the_same_address_counts(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, refusal: str
) -> None:
    prepare(warehouse, crm, hook, 2)
    share_address(warehouse)
    warehouse.execute(f"UPDATE staging.contacts SET {refusal} WHERE crm_id = '2'".encode())
    keep_message_of(warehouse, "p0001")

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.suppressed) == (0, 1)
    assert reason_of(warehouse, "p0001")[1] == "another contact of the same address opted out or denied consent"


def test_a_late_night_does_not_overwrite_a_fresher_message(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    add_messages(warehouse, "2026-11-27", slot="week-2026-W48")
    warehouse.execute("DELETE FROM ops.message WHERE day = '2026-11-27' AND person_id = 'p0002'")
    warehouse.commit()
    push(warehouse, hook, crm_policy, day="2026-11-27", run_id="on time")

    late = push(warehouse, hook, crm_policy, run_id="backfill")
    again = push(warehouse, hook, crm_policy, run_id="backfill again")

    assert (late.pushed, late.superseded, again.pushed) == (1, 1, 0)
    assert written_to(crm) == ["1", "2"]
    query = "SELECT state, reason FROM ops.push_ledger WHERE slot = %s AND person_id = 'p0001'"
    assert warehouse.execute(query, (SLOT,)).fetchone() == (
        "superseded", "a message of a later night was sent before this one: day 2026-11-27",
    )  # fmt: skip
    night = account(warehouse, campaign=CAMPAIGN, day=DAY)
    assert (night.states["superseded"], night.states["confirmed"], night.messages) == (1, 1, 2)


def test_a_fresher_message_to_a_contact_that_was_merged_away_counts_too(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    add_messages(warehouse, "2026-11-27", slot="week-2026-W48")
    keep_message_of(warehouse, "p0001", "2026-11-27")
    push(warehouse, hook, crm_policy, day="2026-11-27", run_id="on time")
    merge(hook, survivor=2, loser=1)
    follow_merge(warehouse)

    late = push(warehouse, hook, crm_policy, run_id="backfill")

    assert (late.pushed, late.superseded, late.suppressed) == (0, 1, 1)
    assert reason_of(warehouse, "p0002")[0] == "superseded"
