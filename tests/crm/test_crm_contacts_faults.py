"""Contacts that cannot be stored as they come: what is loaded of them, and their dead letters."""

import json

import psycopg
import pytest
from contact_load import MORNING, NOON, contact, letters, load, loaded_and_dead, one

from nurture.hooks.hubspot import HubSpotHook
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # a CRM over HTTP for each


def faults(warehouse: psycopg.Connection) -> dict[tuple[str, str], tuple[int, bool]]:
    """How often each fault was met, and whether it is still open."""
    rows = warehouse.execute("SELECT key, field, attempts, resolved_at IS NULL FROM ops.dead_letter").fetchall()
    return {(key, name): (attempts, is_open) for key, name, attempts, is_open in rows}


def test_hostile_contacts_are_loaded_without_what_does_not_fit_and_each_has_a_dead_letter(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    hostile = "{{ 7*7 }}</script><script>alert(1)</script> ignore your instructions; %s %(x)s \"' \\"
    crm.seed(
        [
            contact(1, email=""),
            contact(2, email="a@example.com;b@example.com"),
            contact(3, company="x" * 100_000, firstname="Kept"),
            contact(4, firstname=hostile),
            contact(5, email="not an address", hubspotscore="many", consent_timestamp="2026-99-99"),
        ]
    )

    counts = load(warehouse, hook, crm_policy)

    assert counts.contacts == counts.changed == 5
    assert warehouse.execute("SELECT crm_id FROM staging.contacts WHERE email IS NULL ORDER BY 1").fetchall() == [
        ("1",), ("2",), ("5",),
    ]  # fmt: skip
    assert one(warehouse, "staging.contacts", "first_name, company", 3) == ("Kept", None)
    assert one(warehouse, "staging.contacts", "first_name", 4) == (hostile,)
    assert one(warehouse, "staging.contacts", "lead_score, consent_at", 5) == (None, None)
    found = letters(warehouse)
    assert set(found) == {("2", "email"), ("3", "company")}
    assert "loaded without it" in found["3", "company"]
    assert "additional e-mail addresses" in found["2", "email"]
    assert "example.com" not in json.dumps(list(found.values()))
    assert (counts.dead, counts.dead_letters) == (0, 2)
    assert loaded_and_dead(warehouse, "run-1") == (5, 0)


def test_a_consent_word_that_nobody_knows_is_a_refusal_and_has_a_dead_letter(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    known = {"": "unknown", "Unknown": "unknown", "not_asked": "unknown", " GRANTED ": "granted", "revoked": "denied"}
    strange = ["opt_out", "opted-out", "no", "false", "do not contact", "ann@example.com said no"]
    words = [*known, *strange]
    crm.seed([contact(n, consent_status=word) for n, word in enumerate(words, 1)])

    counts = load(warehouse, hook, crm_policy)

    rows = warehouse.execute("SELECT consent_status FROM staging.contacts ORDER BY crm_id::int").fetchall()
    assert [status for (status,) in rows] == [*known.values(), *["denied"] * len(strange)]
    assert (counts.dead, counts.dead_letters) == (0, len(strange))
    found = letters(warehouse)
    assert set(found) == {(str(n), "consent_status") for n in range(len(known) + 1, len(words) + 1)}
    assert "granted: granted; unknown: unknown, not_asked; denied: denied, withdrawn" in found["6", "consent_status"]
    assert "example.com" not in json.dumps(list(found.values()))


def test_a_dead_letter_is_resolved_when_the_contact_comes_without_the_fault(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    crm.seed([contact(1, consent_status="nope", email="a@example.com;b@example.com"), contact(2, consent_status="nope")])
    load(warehouse, hook, crm_policy)
    crm.seed([contact(1, modified=NOON, consent_status="granted", email="a@example.com;b@example.com")])

    load(warehouse, hook, crm_policy, "run-2")

    assert faults(warehouse) == {
        ("1", "consent_status"): (1, False), ("1", "email"): (2, True), ("2", "consent_status"): (1, True),
    }  # fmt: skip


def test_an_archived_contact_with_a_fault_is_not_buried_every_night(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    crm.seed([contact(1, archived=True, consent_status="nope")])
    nights = [load(warehouse, hook, crm_policy, f"run-{n}").dead_letters for n in range(3)]
    unchanged = faults(warehouse)
    crm.seed([contact(1, modified=NOON, archived=True, consent_status="never")])

    load(warehouse, hook, crm_policy, "run-4")

    assert nights == [1, 0, 0]
    assert unchanged == {("1", "consent_status"): (1, True)}
    assert faults(warehouse) == {("1", "consent_status"): (2, True)}


def test_what_only_a_broken_crm_delivers_is_survived(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    page = {
        "results": [
            {"id": "1", "properties": {"firstname": "A\u0000nn\ud800", "lastmodifieddate": MORNING}},
            {"id": "2", "properties": {"firstname": "Bob", "lastmodifieddate": "soon"}},
            {"id": "3", "properties": {"firstname": "Cem", "lastmodifieddate": MORNING, "hubspotscore": 7}},
        ]
    }
    crm.fault("/objects/contacts$", status=200, body=json.dumps(page))

    counts = load(warehouse, hook, crm_policy)

    assert (counts.contacts, counts.changed, counts.dead, counts.dead_letters) == (3, 2, 1, 2)
    assert one(warehouse, "staging.contacts", "first_name", 1) == ("Ann",)
    assert one(warehouse, "staging.contacts", "first_name, lead_score", 3) == ("Cem", 7)
    assert set(letters(warehouse)) == {("1", "firstname"), ("2", "lastmodifieddate")}
    assert loaded_and_dead(warehouse, "run-1") == (2, 1)
