"""Contacts from the sandbox CRM into raw_hubspot.contacts and staging.contacts."""

import json

import psycopg
import pytest
from campaign_night import unsubscribe
from contact_load import NOON, contact, digest, load, one

from nurture.hooks.hubspot import HubSpotHook
from nurture.operators.load_crm_contacts import LoadCrmContactsOperator
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # a CRM over HTTP for each


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
