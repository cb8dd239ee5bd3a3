"""Who was erased stays away until they come back by themselves; nobody else is touched; no running push reaches them."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from campaign_night import CAMPAIGN, add_messages, push
from privacy_world import (
    DAY,
    ERIN,
    MERGED_ERIN,
    address,
    contact,
    dump,
    erase_here,
    events,
    found,
    load_crm,
    load_events,
    person_of,
    request,
    warehouse_url,
    world,
)

from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.attempt import attempt
from nurture.policy import Crm
from nurture.warehouse.statements import statement
from sandbox.crm.server import RunningCrm
from tests.ga4_fixtures import event
from warehouse_rows import resolve

pytestmark = pytest.mark.slow  # whole pushes to the CRM over HTTP

__all__ = ["warehouse_url", "world"]

NEW = 82_000_001
LATER = DAY + timedelta(days=7)


def sign_up(crm: RunningCrm, *, made: datetime, agreed: datetime | None) -> None:
    """A contact with Erin's address and account under a new id."""
    given = contact(NEW, email=address(ERIN), site_user_id=f"user-{ERIN}")
    given["properties"]["consent_timestamp"] = agreed.isoformat() if agreed else ""
    crm.seed([given | {"createdate": made.isoformat(), "lastmodifieddate": datetime.now(UTC).isoformat()}])


def is_loaded(warehouse: psycopg.Connection) -> bool:
    row = warehouse.execute("SELECT FROM staging.contacts WHERE crm_id = %s", (str(NEW),)).fetchone()
    warehouse.commit()
    return row is not None


@pytest.mark.parametrize(
    ("made_after", "agreed_after", "expected"),
    [(True, True, True), (True, None, False), (True, False, False), (False, True, False)],
)
def test_only_a_new_contact_with_a_new_consent_comes_back(
    world: psycopg.Connection, crm: RunningCrm, hook: HubSpotHook, crm_policy: Crm,
    made_after: bool, agreed_after: bool | None, expected: bool,
) -> None:  # fmt: skip
    erase_here(world, request(world))
    before, after = datetime.now(UTC) - timedelta(days=2), datetime.now(UTC) + timedelta(milliseconds=20)
    moment = {True: after, False: before, None: None}

    sign_up(crm, made=after if made_after else before, agreed=moment[agreed_after])
    load_crm(world, hook, crm_policy)

    assert is_loaded(world) is expected


def test_who_came_back_is_a_new_person_and_a_later_withdrawal_arrives(
    world: psycopg.Connection, crm: RunningCrm, hook: HubSpotHook, crm_policy: Crm
) -> None:
    old = person_of(world, ERIN)
    erase_here(world, request(world))
    back = datetime.now(UTC) + timedelta(milliseconds=20)
    sign_up(crm, made=back, agreed=back)
    load_crm(world, hook, crm_policy)
    account = {"user_id": f"user-{ERIN}", "user_pseudo_id": f"555.{ERIN}"}
    load_events(world, [event(LATER, "form_submit", **account)], day=LATER)
    load_events(world, events())
    resolve(world, LATER)
    world.commit()
    hook._call("PATCH", f"/crm/v3/objects/contacts/{NEW}", json={"properties": {"consent_status": "denied"}})

    load_crm(world, hook, crm_policy)

    assert person_of(world, NEW) != old
    assert world.execute("SELECT event_day FROM staging.events WHERE user_id = %s", (f"user-{ERIN}",)).fetchall() == [
        (LATER,)
    ]
    assert world.execute("SELECT consent_status FROM staging.contacts WHERE crm_id = %s", (str(NEW),)).fetchone() == (
        "denied",
    )


def test_an_address_that_another_person_carries_too_is_theirs_and_stays(
    world: psycopg.Connection, crm: RunningCrm, hook: HubSpotHook, crm_policy: Crm
) -> None:
    crm.seed([contact(NEW, email=address(ERIN))])
    load_crm(world, hook, crm_policy)
    resolve(world)
    world.commit()

    left = erase_here(world, request(world))
    world.execute("DELETE FROM ops.watermark")
    load_crm(world, hook, crm_policy)

    assert left == {}
    assert is_loaded(world)
    assert found(dump(world), [str(ERIN), "Sample71000003"]) == []


def test_somebody_whom_a_person_told_apart_stays(world: psycopg.Connection) -> None:
    other = "p_told_apart"
    world.execute("INSERT INTO marts.person (person_id, consent_status) VALUES (%s, 'granted')", (other,))
    world.execute("UPDATE marts.person_identity SET person_id = %s WHERE value = %s", (other, str(MERGED_ERIN)))
    world.execute("UPDATE marts.person SET merged_into = NULL WHERE merged_into = %s", (person_of(world, ERIN),))
    world.execute("INSERT INTO marts.contact_split VALUES (%s, %s)", (str(MERGED_ERIN), str(ERIN)))
    world.commit()

    left = erase_here(world, request(world))

    assert left == {}
    assert found(dump(world), [str(ERIN)]) == []
    assert person_of(world, MERGED_ERIN) == other
    kept = "SELECT merged_into ^@ 'erased_' FROM raw_hubspot.contacts WHERE crm_id = %s"
    assert world.execute(kept, (str(MERGED_ERIN),)).fetchone() == (True,)


def test_from_the_first_step_on_no_push_reaches_the_person(
    world: psycopg.Connection, crm: RunningCrm, hook: HubSpotHook, crm_policy: Crm
) -> None:
    person_id = person_of(world, ERIN)
    add_messages(world, LATER.isoformat(), slot="week-2026-W48")
    request(world)

    push(world, hook, crm_policy, day=LATER.isoformat())

    row = world.execute(
        "SELECT state, reason FROM ops.push_ledger WHERE slot = 'week-2026-W48' AND person_id = %s", (person_id,)
    )
    assert row.fetchone() == ("suppressed", "erased: the person asked for it")
    others = world.execute(
        "SELECT state FROM ops.push_ledger WHERE slot = 'week-2026-W48' AND person_id <> %s", (person_id,)
    )
    assert {state for (state,) in others} == {"confirmed"}


def test_what_a_running_push_holds_is_taken_from_it(world: psycopg.Connection, warehouse_url: str) -> None:
    person_id, slot = person_of(world, ERIN), "week-2026-W48"
    add_messages(world, LATER.isoformat(), slot=slot)
    night = {"campaign": CAMPAIGN, "lane": "ready", "day": LATER.isoformat(), "run_id": "run-2"}
    with psycopg.connect(warehouse_url) as connection, attempt(connection, **night) as mine:
        [claimed] = mine.claim([(person_id, slot)])
        mine.move("sent", {claimed.key: "request going out"})

        left = erase_here(world, request(world))
        moved = mine.move("confirmed", {claimed.key: "written"})

        assert (left, moved) == ({}, set())
        assert not mine.still_holds([claimed.key])
    [(state, reason)] = world.execute(
        "SELECT state, reason FROM ops.push_ledger WHERE slot = %s AND person_id ^@ 'erased_'", (slot,)
    ).fetchall()
    assert (state, reason) == ("suppressed", "erased: the person asked for it; whether it had been written was not known")


def test_messages_that_wait_are_closed_with_a_reason(world: psycopg.Connection) -> None:
    add_messages(world, LATER.isoformat(), slot="week-2026-W48", lane="approval")

    erase_here(world, request(world))

    rows = world.execute("SELECT state, reason FROM ops.push_ledger WHERE slot = 'week-2026-W48'").fetchall()
    assert rows == [("suppressed", "erased: the person asked for it")]


def test_a_night_that_has_not_chosen_copy_yet_leaves_the_person_out(world: psycopg.Connection) -> None:
    add_messages(world, LATER.isoformat(), slot="week-2026-W48")
    world.execute("DELETE FROM ops.message WHERE day = %s", (LATER,))

    erase_here(world, request(world))

    reasons = "SELECT suppressed_reason, count(*)::int FROM marts.audience WHERE day = %s GROUP BY 1 ORDER BY 1"
    assert world.execute(reasons, (LATER,)).fetchall() == [("erased", 1), (None, 3)]


def test_nobody_is_asked_to_mend_a_row_of_an_erased_person(world: psycopg.Connection) -> None:
    erase_here(world, request(world))

    letters = "SELECT key ^@ 'lead_nurture/erased_', resolution, payload FROM ops.dead_letter WHERE source = 'crm.push'"
    assert world.execute(letters).fetchall() == [(True, "the person was erased", None)]


def test_no_note_or_task_is_written_for_an_erased_person(world: psycopg.Connection) -> None:
    world.execute("DELETE FROM ops.push_output")
    bound = {
        "campaign": CAMPAIGN, "day": DAY, "output": "task", "run_id": "r", "token": uuid4(), "abandoned": [],
        "freshness_days": 7, "only": None, "rows": 100, "after_person": "", "after_slot": "",
    }  # fmt: skip
    request_id = request(world)
    before = {row[0] for row in world.execute(statement("ledger/output_claim.sql"), bound)}
    world.execute("DELETE FROM ops.push_output")
    erase_here(world, request_id)

    after = {row[0] for row in world.execute(statement("ledger/output_claim.sql"), bound)}

    assert len(before) == 3
    assert after == before
