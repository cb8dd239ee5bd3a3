"""Contacts of one mailbox: what one of them refused keeps the message from the others, also before it was loaded."""

from typing import Any

import psycopg
import pytest
from campaign_night import CAMPAIGN, DAY, MESSAGE_ID, SLOT, merge, prepare, push, reason_of, unsubscribe

from nurture.errors import TerminalError
from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.attempt import attempt
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # whole pushes to the CRM over HTTP

IN_CRM = "another contact of the same address: {} in the CRM, as read right before the push"
ELSEWHERE = "another contact of the same address withdrew consent (ops.consent_event)"


def share_a_mailbox(warehouse: psycopg.Connection, people: int, *, recipient: str = "p0001") -> None:
    """Contacts 1… `people` have one address, and only `recipient` has a message."""
    warehouse.execute("UPDATE staging.contacts SET email = 'both@example.com' WHERE crm_id::int <= %s", (people,))
    warehouse.execute("DELETE FROM ops.message WHERE person_id <> %s", (recipient,))
    warehouse.commit()


def say(warehouse: psycopg.Connection, *events: tuple[str, str, str]) -> None:
    """Person, status, when."""
    with warehouse.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ops.consent_event (person_id, status, happened_at, source) VALUES (%s, %s, %s, 'page')", events
        )
    warehouse.commit()


def written_to(crm: RunningCrm) -> list[str]:
    return [write["contact_id"] for write in crm.writes(MESSAGE_ID)]


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([("p0002", "denied", "2026-06-01")], ELSEWHERE),
        ([("p0002", "denied", "2026-06-01"), ("p0001", "granted", "2026-07-01")], ELSEWHERE),
        ([("p0003", "denied", "2026-06-01")], ELSEWHERE),
        ([("p0003", "denied", "2026-06-01"), ("p0003", "granted", "2026-07-01")], ELSEWHERE),
        (
            [("p0001", "denied", "2026-06-01"), ("p0002", "denied", "2026-06-01")],
            "consent was withdrawn (ops.consent_event)",
        ),
        ([("p0002", "denied", "2026-06-01"), ("p0002", "granted", "2026-07-01")], None),
        ([("p0003", "denied", "2026-06-01"), ("p0002", "granted", "2026-07-01")], None),
        ([("p0002", "granted", "2026-06-01"), ("p0002", "unknown", "2026-07-01")], None),
        ([("p0004", "denied", "2026-06-01")], None),
    ],
)
def test_a_denial_of_a_twin_holds_until_the_twin_grants_anew(
    crm: RunningCrm,
    warehouse: psycopg.Connection,
    hook: HubSpotHook,
    crm_policy: Crm,
    events: list[tuple[str, str, str]],
    reason: str | None,
) -> None:
    prepare(warehouse, crm, hook, 4)
    share_a_mailbox(warehouse, 2)
    warehouse.execute("UPDATE marts.person SET merged_into = 'p0002', crm_id = NULL WHERE person_id = 'p0003'")
    say(warehouse, *events)

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.suppressed, written_to(crm)) == ((0, 1, []) if reason else (1, 0, ["1"]))
    assert reason is None or reason_of(warehouse, "p0001") == ("suppressed", reason)


@pytest.mark.parametrize("words", ["opted out of one type", "opted out of all", "denied", "in words that nobody knows"])
def test_a_refusal_of_a_twin_that_only_the_crm_knows_is_seen_right_before_the_push(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, words: str
) -> None:
    prepare(warehouse, crm, hook, 2)
    share_a_mailbox(warehouse, 2)
    if words == "opted out of one type":
        unsubscribe(hook, 2, 101)
    else:
        name, value = {
            "opted out of all": ("hs_email_optout", "true"),
            "denied": ("consent_status", "withdrawn"),
            "in words that nobody knows": ("consent_status", "rather not"),
        }[words]
        crm.seed([{"id": 2, "properties": {name: value}}])

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.suppressed, written_to(crm)) == (0, 1, [])
    reason = IN_CRM.format("opted out" if words.startswith("opted out") else "consent denied")
    assert reason_of(warehouse, "p0001") == ("suppressed", reason)
    decision = warehouse.execute("SELECT is_allowed, region, rule, basis FROM ops.consent_decision").fetchall()
    assert decision == [(False, "DE", "eu_eprivacy", reason)]


def test_a_twin_that_left_the_crm_or_never_answered_keeps_nothing_back(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 4)
    share_a_mailbox(warehouse, 4)
    crm.seed([{"id": 2, "properties": {"hs_email_optout": "true"}, "archived": True}])
    crm.seed([{"id": 3, "properties": {"consent_status": "unknown"}}])
    merge(hook, survivor=1, loser=4)

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, written_to(crm)) == (1, ["1"])


def test_the_grant_of_a_twin_is_nobody_elses(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    share_a_mailbox(warehouse, 2)
    crm.seed([{"id": 1, "properties": {"consent_status": "unknown"}}])

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.suppressed) == (0, 1)
    assert reason_of(warehouse, "p0001")[1].startswith("no opt-in")


def test_twins_that_do_not_fit_into_one_request_are_asked_in_several(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 10)
    share_a_mailbox(warehouse, 9)
    unsubscribe(hook, 9, 101)
    asked: list[int] = []

    class Counts(HubSpotHook):
        def batch_read(self, crm_ids: Any, *more: Any, **options: Any) -> Any:
            asked.append(len(crm_ids))
            return super().batch_read(crm_ids, *more, **options)

    few = crm_policy.model_copy(update={"batch_size": 4})
    counts = push(warehouse, Counts("crm", policy=few), few)

    assert asked == [4, 4, 1]
    assert (counts.pushed, counts.suppressed) == (0, 1)


def test_consent_that_has_become_old_is_read_again_for_the_twins_too(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    share_a_mailbox(warehouse, 2)

    class UnsubscribesMeanwhile(HubSpotHook):
        def batch_update(self, *asked: Any, **options: Any) -> Any:
            unsubscribe(hook, 2, 101)
            return super().batch_update(*asked, **options)

    impatient = crm_policy.model_copy(update={"consent_seconds": 0.0})
    counts = push(warehouse, UnsubscribesMeanwhile("crm", policy=impatient), impatient)

    assert (counts.pushed, counts.suppressed, written_to(crm)) == (0, 1, [])
    assert reason_of(warehouse, "p0001")[1] == IN_CRM.format("opted out")


def test_an_answer_that_does_not_say_whether_a_twin_opted_out_stops_the_push(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    share_a_mailbox(warehouse, 2)

    class SaysNothingOfTwins(HubSpotHook):
        def batch_read(self, *asked: Any, **options: Any) -> Any:
            found = super().batch_read(*asked, **options)
            found["2"].properties.pop("hs_email_optout")  # type: ignore[attr-defined]
            return found

    with pytest.raises(TerminalError, match="does not hold hs_email_optout"):
        push(warehouse, SaysNothingOfTwins("crm", policy=crm_policy), crm_policy)

    assert written_to(crm) == []


def test_a_claim_names_the_other_living_contacts_of_the_address_and_nobody_elses(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook
) -> None:
    prepare(warehouse, crm, hook, 4)
    warehouse.execute("UPDATE staging.contacts SET email = 'both@example.com' WHERE crm_id IN ('1', '2', '3')")
    warehouse.execute("UPDATE staging.contacts SET email = NULL WHERE crm_id = '4'")
    warehouse.commit()

    with attempt(warehouse, campaign=CAMPAIGN, lane="ready", day=DAY, run_id="run-1") as mine:
        claimed = mine.claim([(f"p000{number}", SLOT) for number in (1, 2, 3, 4)])

    assert [row.twin_crm_ids for row in claimed] == [["2", "3"], ["1", "3"], ["1", "2"], []]
