"""Contact policy at the claim: what changed since the audience was chosen counts, also what another campaign did."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import psycopg
import pytest
from campaign_night import CAMPAIGN, DAY, MESSAGE_ID, SLOT, prepare, push, reason_of, states

from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.attempt import attempt
from nurture.ledger.push import Push, PushCounts
from nurture.operators.push_to_crm import PushToCrmOperator
from nurture.policy import Contact, Crm, FrequencyCap, load_policy
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # whole pushes to the CRM over HTTP

OTHER = "cart_recovery"
POLICY = load_policy().contact
ONE_A_WEEK = POLICY.model_copy(
    update={"frequency_cap": FrequencyCap(messages=1, days=7), "campaign_priority": (OTHER, CAMPAIGN)}
)


def add_campaign(warehouse: psycopg.Connection, campaign: str = OTHER, day: str = DAY) -> None:
    """The same messages in the same slot for another campaign, which has its audience without arms yet."""
    for table, columns in (
        (
            "marts.audience",
            "person_id, slot, crm_id, trigger_event, trigger_at, trigger_event_day, trigger_row_number, context",
        ),
        ("ops.message", "person_id, slot, message_id, copy_id, fallback_copy_id, lane"),
    ):
        warehouse.execute(
            f"INSERT INTO {table} (campaign, day, {columns}) "
            f"SELECT %s, %s, {columns} FROM {table} WHERE campaign = %s".encode(),
            (campaign, day, CAMPAIGN),
        )
    warehouse.execute("UPDATE ops.message SET message_id = campaign || message_id WHERE campaign <> %s", (CAMPAIGN,))
    warehouse.commit()


def push_of(
    warehouse: psycopg.Connection, hook: HubSpotHook, policy: Crm, campaign: str, contact: Contact, day: str = DAY
) -> PushCounts:
    operator = PushToCrmOperator(task_id="push", campaign=campaign, lane="ready", day=day)
    with attempt(warehouse, campaign=campaign, lane="ready", day=day, run_id=campaign, contact=contact) as mine:
        return Push(mine, hook, operator.compose, policy, load_policy().consent).run()


def reasons(warehouse: psycopg.Connection, campaign: str) -> list[tuple[str, str]]:
    query = "SELECT DISTINCT state, reason FROM ops.push_ledger WHERE campaign = %s"
    rows = warehouse.execute(query, (campaign,)).fetchall()
    warehouse.commit()
    return rows


def test_who_came_onto_a_list_since_the_audience_was_chosen_gets_nothing(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    warehouse.execute("INSERT INTO ops.suppression (list, kind, value, reason, source, added_by)"
                      " VALUES ('legal', 'person_id', 'p0001', 'case 7', 'test', 'robin')")  # fmt: skip
    warehouse.commit()

    push(warehouse, hook, crm_policy)

    assert [write["contact_id"] for write in crm.writes(MESSAGE_ID)] == ["2"]
    assert reason_of(warehouse, "p0001") == ("suppressed", "on the suppression list legal: case 7")


def test_the_cap_counts_what_another_campaign_sent_since(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    add_campaign(warehouse, day="2026-11-19")
    first = push_of(warehouse, hook, crm_policy, OTHER, ONE_A_WEEK, day="2026-11-19")

    second = push_of(warehouse, hook, crm_policy, CAMPAIGN, ONE_A_WEEK)

    assert (first.pushed, second.pushed, second.suppressed) == (2, 0, 2)
    words = "had 1 messages in the last 7 days, of all campaigns; 1 are the most"
    assert reasons(warehouse, CAMPAIGN) == [("suppressed", words)]


def test_the_lower_campaign_gives_way_whichever_pushes_first(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    add_campaign(warehouse)
    warehouse.execute("UPDATE marts.audience SET consent_basis = 'opt-in'")
    warehouse.commit()
    both = POLICY.model_copy(update={"campaign_priority": (OTHER, CAMPAIGN)})

    lower = push_of(warehouse, hook, crm_policy, CAMPAIGN, both)
    upper = push_of(warehouse, hook, crm_policy, OTHER, both)

    assert (lower.pushed, lower.suppressed, upper.pushed) == (0, 2, 2)
    words = "cart_recovery goes first: it wants the person for the same night"
    assert reasons(warehouse, CAMPAIGN) == [("suppressed", words)]


def test_two_campaigns_that_claim_at_once_stay_below_the_cap_together(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 200)
    add_campaign(warehouse, day="2026-11-19")
    start = Barrier(2)

    def run(campaign: str, day: str) -> int:
        with (
            psycopg.connect(warehouse_url) as session,
            attempt(session, campaign=campaign, lane="ready", day=day, run_id=campaign, contact=ONE_A_WEEK) as mine,
        ):
            start.wait()
            got = 0
            for number in range(1, 201):
                [claimed] = mine.claim([(f"p{number:04}", SLOT)])
                got += claimed.blocked is None
                if claimed.blocked:
                    mine.move("suppressed", {claimed.key: claimed.blocked})
            return got

    with ThreadPoolExecutor(2) as pool:
        got = list(pool.map(run, (CAMPAIGN, OTHER), (DAY, "2026-11-19")))

    assert sum(got) == 200, "each person got one message, of one of the campaigns"
    assert states(warehouse) == {"claimed": 200, "suppressed": 200}


@pytest.mark.parametrize("hours", [("00:00", "00:00"), ("00:00", "23:59"), ("23:59", "23:58")])
def test_the_crm_is_told_when_it_may_send(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, hours: tuple[str, str]
) -> None:
    prepare(warehouse, crm, hook, 1)
    warehouse.execute("UPDATE marts.audience SET time_zone = 'America/New_York'")
    warehouse.commit()
    quiet = POLICY.quiet_hours.model_copy(update={"begin": hours[0], "end": hours[1]})
    before = datetime.now(UTC)

    push_of(warehouse, hook, crm_policy, CAMPAIGN, POLICY.model_copy(update={"quiet_hours": quiet}))

    value = hook.batch_read(["1"], ["nurture_send_after"])["1"].properties["nurture_send_after"]
    query = "SELECT ops.next_allowed(%s, 'America/New_York', %s::time, %s::time, false)"
    [expected] = warehouse.execute(query, (before, *hours)).fetchone() or ()
    assert abs((datetime.fromtimestamp(int(value or 0) / 1000, UTC) - expected).total_seconds()) < 60
