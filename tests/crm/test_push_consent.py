"""Consent at the push: what the sandbox CRM says at that instant, and what is not understood means no."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from campaign_night import CAMPAIGN, DAY, MESSAGE_ID, SLOT, prepare, push, reason_of, states, unsubscribe

from nurture.errors import TerminalError
from nurture.hooks.hubspot import HubSpotHook
from nurture.policy import Crm, load_policy
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # a server over HTTP for each

OPTED_OUT = "opted out in the CRM, as read right before the push"
CONSENT = load_policy().consent


def written_to(crm: RunningCrm) -> set[str]:
    return {write["contact_id"] for write in crm.writes(MESSAGE_ID)}


def decisions(warehouse: psycopg.Connection) -> dict[str, tuple[Any, ...]]:
    """Person → what was decided at the push: allowed, region, rule, basis."""
    rows = warehouse.execute(
        "SELECT person_id, is_allowed, region, rule, basis FROM ops.consent_decision WHERE stage = 'push'"
    ).fetchall()
    warehouse.commit()
    assert len({row[0] for row in rows}) == len(rows), "each message moved once, so one decision each"
    return {row[0]: row[1:] for row in rows}


def test_who_unsubscribed_from_marketing_e_mail_gets_no_message(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3, region="US")
    unsubscribe(hook, 1, 101)
    unsubscribe(hook, 2, 103)

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.suppressed) == (2, 1)
    assert written_to(crm) == {"2", "3"}
    assert reason_of(warehouse, "p0001") == ("suppressed", OPTED_OUT)


def test_policy_says_which_subscription_types_count(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    unsubscribe(hook, 1, 101)
    unsubscribe(hook, 2, 103)

    push(warehouse, hook, crm_policy, consent=CONSENT.model_copy(update={"subscription_ids": (103,)}))

    assert written_to(crm) == {"1"}


@pytest.mark.parametrize("word", ["opt_out", "opted-out", "no", "false", "do not contact", "REVOKED", "grantedd", "-"])
def test_a_word_of_refusal_or_one_that_nobody_knows_means_no_also_where_no_opt_in_is_needed(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, word: str
) -> None:
    prepare(warehouse, crm, hook, 1, region="US", consent_status=word)

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.suppressed) == (0, 1)
    assert reason_of(warehouse, "p0001")[1].startswith("consent denied")


@pytest.mark.parametrize("word", ["", " ", "Unknown", "not_asked", " Granted "])
def test_a_word_that_says_nothing_is_no_refusal_where_no_opt_in_is_needed(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, word: str
) -> None:
    prepare(warehouse, crm, hook, 1, region="US", consent_status=word)

    counts = push(warehouse, hook, crm_policy)

    assert counts.pushed == 1


@pytest.mark.parametrize(
    ("place", "pushed"),
    [
        ({"region": "us-ca", "country": "DE"}, 1),
        ({"region": "DE", "country": "US"}, 0),
        ({"region": "California", "country": "US"}, 1),
        ({"region": "", "country": "de"}, 0),
        ({"region": "", "country": ""}, 0),
    ],
)
def test_the_region_is_what_the_crm_says_at_the_push(
    crm: RunningCrm,
    warehouse: psycopg.Connection,
    hook: HubSpotHook,
    crm_policy: Crm,
    place: dict[str, str],
    pushed: int,
) -> None:
    prepare(warehouse, crm, hook, 1, region="US", consent_status="unknown")
    crm.seed([{"id": 1, "properties": {"consent_status": "unknown"} | place}])

    counts = push(warehouse, hook, crm_policy)

    assert counts.pushed == pushed


def test_each_message_that_moves_keeps_the_decision_behind_it(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 5, consent_timestamp="2026-01-05T23:30:00-02:00")
    crm.seed(
        [
            {"id": 2, "properties": {"region": "US-CA"}},
            {"id": 3, "properties": {"country": "in"}},
            {"id": 4, "properties": {"consent_status": "granted", "region": "FR", "hs_email_optout": "true"}},
        ]
    )
    warehouse.execute("UPDATE marts.audience SET suppressed_reason = 'opted_out' WHERE person_id = 'p0005'")
    warehouse.commit()

    push(warehouse, hook, crm_policy)

    assert decisions(warehouse) == {
        "p0001": (True, "DE", "eu_eprivacy", "opt-in of 2026-01-06"),
        "p0002": (True, "US-CA", "us_ca_ccpa", "no opt-out, and rule us_ca_ccpa needs no opt-in"),
        "p0003": (False, "IN", "strictest", reason_of(warehouse, "p0003")[1]),
        "p0004": (False, "FR", "eu_eprivacy", OPTED_OUT),
        "p0005": (False, None, None, "not in the audience any more: opted_out"),
    }
    row = warehouse.execute("SELECT DISTINCT campaign, slot, day::text, run_id FROM ops.consent_decision").fetchall()
    assert row == [(CAMPAIGN, SLOT, DAY, "run-1")]


def test_an_attempt_that_lost_its_messages_keeps_no_decision(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)

    class LosesThem(HubSpotHook):
        def batch_read(self, crm_ids, properties, **options):  # type: ignore[no-untyped-def]
            with psycopg.connect(warehouse_url) as another:
                another.execute("UPDATE ops.push_ledger SET claim_token = gen_random_uuid()")
            return super().batch_read(crm_ids, properties, **options)

    push(warehouse, LosesThem("crm", policy=crm_policy), crm_policy)

    assert decisions(warehouse) == {}
    assert written_to(crm) == set()


def test_an_answer_without_an_opt_out_property_stops_the_push_and_suppresses_nobody(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2, region="US")

    class KnowsNoSuchType(HubSpotHook):
        def batch_read(self, *asked, **options):  # type: ignore[no-untyped-def]
            found: Mapping[str, Any] = super().batch_read(*asked, **options)
            without = "hs_email_optout_101"
            return {
                crm_id: replace(each, properties={k: v for k, v in each.properties.items() if k != without})
                for crm_id, each in found.items()
            }

    with pytest.raises(TerminalError, match=r"does not hold hs_email_optout_101.*consent.subscription_ids"):
        push(warehouse, KnowsNoSuchType("crm", policy=crm_policy), crm_policy)
    between = states(warehouse), written_to(crm)

    counts = push(warehouse, hook, crm_policy)

    assert between == ({"claimed": 2}, set())
    assert counts.pushed == 2


def test_consent_that_canada_infers_is_asked_for_again_at_the_push(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3, region="CA", consent_status="unknown")
    for number, days_ago in ((1, 20), (2, 200)):
        identity = {"user": f"u-{number}", "person": f"p000{number}", "number": number, "days": days_ago}
        warehouse.execute("INSERT INTO marts.person_identity VALUES ('user_id', %(user)s, %(person)s)", identity)
        warehouse.execute(
            "INSERT INTO staging.events (event_day, row_number, event_at, event_name, user_id)"
            " VALUES (current_date, %(number)s, now() - make_interval(days => %(days)s), 'demo_request', %(user)s)",
            identity,
        )
    warehouse.commit()

    push(warehouse, hook, crm_policy)

    assert written_to(crm) == {"1"}
    assert [decisions(warehouse)[f"p000{n}"][:3] for n in (1, 2, 3)] == [
        (True, "CA", "ca_casl"), (False, "CA", "ca_casl"), (False, "CA", "ca_casl"),
    ]  # fmt: skip
    assert decisions(warehouse)["p0001"][3].startswith("implied by demo_request of ")
