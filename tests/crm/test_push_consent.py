"""Consent at the push: what the sandbox CRM says at that instant, and what is not understood means no."""

import psycopg
import pytest
from campaign_night import MESSAGE_ID, prepare, push, reason_of, unsubscribe

from nurture.hooks.hubspot import HubSpotHook
from nurture.policy import Crm, load_policy
from sandbox.crm.server import RunningCrm

OPTED_OUT = "opted out in the CRM, as read right before the push"
CONSENT = load_policy().consent


def written_to(crm: RunningCrm) -> set[str]:
    return {write["contact_id"] for write in crm.writes(MESSAGE_ID)}


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
