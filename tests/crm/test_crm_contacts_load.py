"""Contacts from the sandbox CRM into raw_hubspot.contacts and staging.contacts."""

import json
from typing import Any

import psycopg
import pytest
from campaign_night import unsubscribe

from nurture.hooks.hubspot import HubSpotHook
from nurture.operators.load_crm_contacts import LoadCrmContactsOperator
from nurture.policy import Crm, load_policy
from nurture.warehouse.crm_contacts import LoadCounts, load_contacts
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # a CRM over HTTP for each

MORNING = "2026-11-20T08:00:00.000Z"
NOON = "2026-11-20T12:00:00.000Z"
TABLES = ("raw_hubspot.contacts", "staging.contacts")


def contact(crm_id: int, *, modified: str = MORNING, archived: bool = False, **properties: str) -> dict[str, Any]:
    """A contact as `RunningCrm.seed` takes it."""
    return {
        "id": crm_id,
        "properties": {"email": f"p{crm_id}@example.com", **properties},
        "archived": archived,
        "createdate": "2026-01-01T00:00:00.000Z",
        "lastmodifieddate": modified,
    }


def load(warehouse: psycopg.Connection, hook: HubSpotHook, policy: Crm, run_id: str = "run-1") -> LoadCounts:
    consent = load_policy().consent
    counts = load_contacts(warehouse, hook, policy, consent, dag_id="customer_data", run_id=run_id, day="2026-11-20")
    warehouse.commit()
    return counts


def digest(warehouse: psycopg.Connection) -> list[tuple[int, str]]:
    """Rows and content of both tables."""
    found = []
    for table in TABLES:
        query = f"SELECT count(*)::int, md5(string_agg(t::text, E'\\n' ORDER BY crm_id)) FROM {table} AS t"
        found.append(warehouse.execute(query.encode()).fetchone())
    return found


def one(warehouse: psycopg.Connection, table: str, columns: str, crm_id: int) -> Any:
    query = f"SELECT {columns} FROM {table} WHERE crm_id = '{crm_id}'"
    return warehouse.execute(query.encode()).fetchone()


def loaded_and_dead(warehouse: psycopg.Connection, run_id: str) -> Any:
    return warehouse.execute("SELECT loaded_rows, dead_rows FROM ops.load_log WHERE run_id = %s", (run_id,)).fetchone()


def faults(warehouse: psycopg.Connection) -> dict[tuple[str, str], tuple[int, bool]]:
    """How often each fault was met, and whether it is still open."""
    rows = warehouse.execute("SELECT key, field, attempts, resolved_at IS NULL FROM ops.dead_letter").fetchall()
    return {(key, name): (attempts, is_open) for key, name, attempts, is_open in rows}


def letters(warehouse: psycopg.Connection) -> dict[tuple[str, str], str]:
    rows = warehouse.execute("SELECT key, field, reason FROM ops.dead_letter WHERE source = 'hubspot.contacts'").fetchall()
    return {(key, name): reason for key, name, reason in rows}


def test_the_first_load_reads_everything_and_cleans_it(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    crm.seed(
        [
            contact(
                1,
                email=" Ann@Example.COM ",
                firstname=" Ann ",
                company="Nordlicht",
                country="de",
                hubspotscore="84.6",
                consent_status="Granted",
                consent_timestamp="2026-01-05T09:00:00+02:00",
                hs_timezone="europe_slash_berlin",
                site_user_id="u-1",
                hs_additional_emails="ann@work.example;a@home.example",
            ),
            contact(2, hs_email_optout="true", consent_status="withdrawn", consent_timestamp="yesterday", region="us-ca"),
            contact(3, archived=True),
        ]
    )

    counts = load(warehouse, hook, crm_policy)

    assert (counts.full_load, counts.contacts, counts.changed, counts.archived, counts.dead) == (True, 3, 3, 1, 0)
    assert counts.watermark == "2026-11-20T08:00:00+00:00"
    columns = "email, first_name, company, region, lead_score, consent_status, consent_at::text, time_zone, site_user_id"
    warehouse.execute("SET timezone = 'UTC'")
    assert one(warehouse, "staging.contacts", columns, 1) == (
        "ann@example.com", "Ann", "Nordlicht", "DE", 85, "granted", "2026-01-05 07:00:00+00", "Europe/Berlin", "u-1",
    )  # fmt: skip
    assert one(warehouse, "staging.contacts", "is_opted_out, consent_status, consent_at, region", 2) == (
        True, "denied", None, "US-CA",
    )  # fmt: skip
    assert one(warehouse, "staging.contacts", "crm_id", 3) is None
    assert one(warehouse, "raw_hubspot.contacts", "is_archived", 3) == (True,)
    assert one(warehouse, "raw_hubspot.contacts", "additional_emails, properties ->> 'firstname'", 1) == (
        ["ann@work.example", "a@home.example"], " Ann ",
    )  # fmt: skip
    assert warehouse.execute("SELECT loaded_rows, dead_rows FROM ops.load_log").fetchone() == (3, 0)


def test_two_loads_of_the_same_crm_leave_the_same_tables(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    crm.seed([contact(n, firstname=f"Name{n}") for n in range(1, 251)])
    crm.seed([contact(900, hs_merged_object_ids="7;901"), contact(902, archived=True)])
    load(warehouse, hook, crm_policy)
    first = digest(warehouse)

    counts = load(warehouse, hook, crm_policy, "run-2")

    assert (counts.full_load, counts.changed) == (False, 0)
    assert digest(warehouse) == first


def test_a_later_load_reads_only_what_changed_and_what_was_archived(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    crm.seed([contact(n, modified="2026-11-01T00:00:00.000Z", firstname="Old") for n in range(1, 21)] + [contact(99)])
    load(warehouse, hook, crm_policy)
    crm.seed([contact(1, modified=NOON, firstname="New"), contact(2, modified=NOON, archived=True)])

    counts = load(warehouse, hook, crm_policy, "run-2")

    # 99 lies in the overlap: read again, not changed.
    assert (counts.contacts, counts.changed, counts.archived, counts.watermark) == (3, 2, 1, "2026-11-20T12:00:00+00:00")
    assert one(warehouse, "staging.contacts", "first_name", 1) == ("New",)
    assert one(warehouse, "staging.contacts", "first_name", 2) is None
    assert one(warehouse, "staging.contacts", "first_name", 3) == ("Old",)


def test_a_contact_that_is_restored_returns(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    crm.seed([contact(1, archived=True)])
    load(warehouse, hook, crm_policy)
    crm.seed([contact(1, modified=NOON)])

    load(warehouse, hook, crm_policy, "run-2")

    assert one(warehouse, "staging.contacts", "email", 1) == ("p1@example.com",)


@pytest.mark.slow
def test_more_contacts_with_one_timestamp_than_a_search_returns_are_all_loaded(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    crm.seed([contact(50_000)])
    load(warehouse, hook, crm_policy)
    crm.seed([contact(n, modified=NOON) for n in range(1, 10_051)])

    counts = load(warehouse, hook, crm_policy, "run-2")

    assert counts.changed == 10_050
    assert warehouse.execute("SELECT count(*) FROM staging.contacts").fetchone() == (10_051,)


@pytest.mark.parametrize("survivor_first", [True, False])
def test_a_merged_contact_points_to_its_survivor_and_leaves_staging(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, survivor_first: bool
) -> None:
    merged = contact(2, modified=NOON, hs_merged_object_ids="1;77")
    if survivor_first:
        crm.seed([merged])
        load(warehouse, hook, crm_policy)
        crm.seed([contact(1, modified=NOON, archived=True)])
    else:
        crm.seed([contact(1), contact(2)])
        load(warehouse, hook, crm_policy)
        crm.seed([merged])

    counts = load(warehouse, hook, crm_policy, "run-2")

    assert counts.merged == 1
    assert one(warehouse, "raw_hubspot.contacts", "merged_into", 1) == ("2",)
    assert one(warehouse, "raw_hubspot.contacts", "merged_into, merged_ids", 2) == (None, ["1", "77"])
    assert warehouse.execute("SELECT crm_id FROM staging.contacts").fetchall() == [("2",)]


def test_a_chain_of_merges_points_to_the_last_survivor(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    crm.seed([contact(1), contact(2, hs_merged_object_ids="1"), contact(3)])
    load(warehouse, hook, crm_policy)
    crm.seed([contact(3, modified=NOON, hs_merged_object_ids="2;1")])

    load(warehouse, hook, crm_policy, "run-2")

    assert one(warehouse, "raw_hubspot.contacts", "merged_into", 1) == ("3",)
    assert one(warehouse, "raw_hubspot.contacts", "merged_into", 2) == ("3",)
    assert warehouse.execute("SELECT crm_id FROM staging.contacts").fetchall() == [("3",)]


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


def test_an_opt_out_from_all_e_mail_or_from_a_type_that_policy_names_is_loaded(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    crm.seed([contact(n) for n in range(1, 6)] + [contact(6, hs_email_optout="false", hs_email_optout_101="false")])
    load(warehouse, hook, crm_policy)
    crm.seed([contact(1, hs_email_optout="true"), contact(2, hs_email_optout="false", hs_email_optout_101="true")])
    unsubscribe(hook, 3, 101)
    unsubscribe(hook, 4, 103)

    load(warehouse, hook, crm_policy, "run-2")

    rows = warehouse.execute("SELECT crm_id FROM staging.contacts WHERE is_opted_out ORDER BY 1").fetchall()
    assert rows == [("1",), ("2",), ("3",)]


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


def test_a_load_that_breaks_off_changes_nothing_and_the_next_one_goes_on(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    crm.seed([contact(n) for n in range(1, 251)])
    crm.fault("/objects/contacts$", status=401, skip=1)
    with pytest.raises(Exception, match="401"):
        load(warehouse, hook, crm_policy)
    warehouse.rollback()
    empty = digest(warehouse), warehouse.execute("SELECT count(*) FROM ops.watermark").fetchone()
    warehouse.commit()

    counts = load(warehouse, hook, crm_policy)

    assert empty == ([(0, None), (0, None)], (0,))
    assert (counts.full_load, counts.changed) == (True, 250)


def test_a_change_during_the_walk_is_not_lost_behind_the_watermark(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    crm.seed([contact(1, modified="2199-01-01T00:00:00.000Z")])

    counts = load(warehouse, hook, crm_policy)

    assert counts.watermark is not None
    assert counts.watermark < "2100"


def test_the_operator_returns_counts_and_logs_no_personal_data(
    crm: RunningCrm, warehouse_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    crm.seed([contact(1, firstname="Rosalind")])
    operator = LoadCrmContactsOperator(task_id="load_crm_contacts", day="2026-11-20")

    class Dag:
        dag_id = "customer_data"

    counts = operator.execute({"dag": Dag(), "run_id": "run-1"})  # type: ignore[typeddict-item]

    assert json.loads(json.dumps(counts))["changed"] == 1
    assert "Rosalind" not in caplog.text
    assert "p1@example.com" not in caplog.text
    with psycopg.connect(warehouse_url) as connection:
        assert one(connection, "staging.contacts", "first_name", 1) == ("Rosalind",)
