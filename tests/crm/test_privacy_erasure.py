"""A person is erased everywhere after a whole night: nothing names them, counts stay, and no load brings them back."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from hubspot import HubSpot
from hubspot.crm.contacts import ApiException
from privacy_world import (
    ERIN,
    MERGED_ERIN,
    PEOPLE,
    aggregates,
    dump,
    erase_here,
    events,
    found,
    load_crm,
    load_events,
    person_of,
    request,
    traces,
    warehouse_url,
    world,
)

from nurture.errors import ConfigError, TransientError
from nurture.hooks.crm_erasure import Erasure, erase_contacts
from nurture.hooks.hubspot import HubSpotHook
from nurture.policy import Crm
from nurture.privacy.data_map import load_data_map
from nurture.privacy.erasure import erase
from nurture.privacy.requests import crm_ids, report
from sandbox.crm.server import RunningCrm
from warehouse_rows import add_contact, add_event, resolve

pytestmark = pytest.mark.slow  # whole pushes to the CRM over HTTP

__all__ = ["warehouse_url", "world"]

World = psycopg.Connection
NEVER_NAMED = {"ops.privacy_export"}


def test_nothing_names_an_erased_person_and_every_count_stays(world: World, hook: HubSpotHook, crm: RunningCrm) -> None:
    names, before = traces(world), aggregates(world)
    named = {line.split()[0] for line in found(dump(world), names)}
    mapped = {name for name, table in load_data_map().tables.items() if table.erase in ("delete", "pseudonymise")}
    assert mapped - named == NEVER_NAMED, "give the person a row in every table that an erasure goes through"

    request_id = request(world)
    erase_contacts(hook, crm_ids(world, request_id))
    left = erase_here(world, request_id)

    assert left == {}
    assert found(dump(world), names) == []
    assert aggregates(world) == before
    assert person_of(world, PEOPLE[0])
    client = HubSpot(access_token=crm.token, host=crm.url)  # type: ignore[call-arg]
    assert sorted(int(contact.id) for contact in client.crm.contacts.get_all()) == [71_000_001, 71_000_002, 71_000_004]
    with pytest.raises(ApiException, match="404"):
        client.crm.contacts.basic_api.get_by_id(str(ERIN), archived=True)


def test_what_is_kept_of_the_request_says_who_when_and_how_many(world: World) -> None:
    request_id = request(world)
    erase_here(world, request_id)

    kept = report(world, request_id)

    assert (kept["state"], kept["asked_by"], kept["ticket"]) == ("done", "robin", "T-1")
    assert kept["identifiers"] == {"crm_id": 2, "email": 2, "person_id": 2, "user_id": 2, "user_pseudo_id": 2}
    assert kept["rows"]["raw_hubspot.contacts"] == 2
    assert kept["rows"]["raw_ga4.events"] == 6
    assert world.execute("SELECT count(*) FROM ops.privacy_subject").fetchone() == (0,)


def test_the_next_loads_do_not_bring_the_person_back(
    world: World, crm: RunningCrm, hook: HubSpotHook, crm_policy: Crm
) -> None:
    names = traces(world)
    erase_here(world, request(world))
    before = aggregates(world)

    world.execute("DELETE FROM ops.watermark")  # read everything: the CRM was not asked to erase, as if somebody restored it
    counts = load_crm(world, hook, crm_policy)
    load_events(world, events())
    resolve(world)
    world.commit()

    assert counts.contacts == 4
    assert found(dump(world), names) == []
    assert aggregates(world) == before
    assert person_of(world, PEOPLE[0])


def test_an_event_loaded_again_is_stripped_as_it_was_erased(world: World) -> None:
    def strip() -> list[str]:
        columns = "event_name, event_at, event_params, user_properties, ecommerce, geo, device, traffic_source, rest, items"
        of_nobody = "WHERE user_id ^@ 'erased_' OR user_pseudo_id ^@ 'erased_' ORDER BY row_number"
        rows = world.execute(f"SELECT {columns} FROM raw_ga4.events {of_nobody}".encode())
        staged = world.execute(
            "SELECT page_location, page_title, session_id, source, country FROM staging.events"
            " WHERE user_id ^@ 'erased_' OR user_pseudo_id ^@ 'erased_' ORDER BY row_number"
        )
        return [*map(str, rows), *map(str, staged)]

    erase_here(world, request(world))
    erased = strip()
    load_events(world, events())

    assert len(erased) == 12
    assert strip() == erased


def test_a_second_erasure_is_harmless(world: World, hook: HubSpotHook) -> None:
    first = request(world)
    erase_contacts(hook, crm_ids(world, first))
    erase_here(world, first)
    before, counts = dump(world).count("\n"), aggregates(world)

    second = request(world, run_id="run-f")
    done = erase_contacts(hook, crm_ids(world, second))
    left = erase_here(world, second)

    assert second != first
    assert (done, left) == (Erasure(ids=1), {})
    assert (dump(world).count("\n"), aggregates(world)) == (before + 1, counts)  # the request itself


@pytest.mark.slow
def test_an_erasure_that_was_killed_is_completed_by_the_next_run(world: World, warehouse_url: str) -> None:
    names, before = traces(world), aggregates(world)
    with psycopg.connect(warehouse_url) as doomed, psycopg.connect(warehouse_url) as other:
        first = request(doomed)
        doomed.commit()
        other.execute("LOCK TABLE ops.run_report IN SHARE MODE")
        pid = doomed.info.backend_pid
        with ThreadPoolExecutor() as pool:
            erasing = pool.submit(erase, doomed, load_data_map(), first)
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
            while world.execute(waiting, (pid,)).fetchone() != (1,):
                world.rollback()
            other.execute("SELECT pg_terminate_backend(%s)", (pid,))
            with pytest.raises(psycopg.OperationalError):
                erasing.result()
    world.rollback()
    assert found(dump(world), names)

    again = request(world, run_id="run-again")
    left = erase_here(world, again)

    assert again == first
    assert (left, found(dump(world), names), aggregates(world)) == ({}, [], before)


def test_a_run_killed_between_erasing_and_searching_is_completed_by_the_next_one(world: World) -> None:
    names = traces(world)
    first = request(world)
    erase(world, load_data_map(), first)
    world.commit()
    counted = report(world, first)["rows"]

    again = request(world, run_id="run-again")
    left = erase_here(world, again)

    assert (again, left, found(dump(world), names)) == (first, {}, [])
    assert report(world, again)["rows"] == counted


def test_a_copy_in_a_table_that_nobody_mapped_is_found(world: World) -> None:
    world.execute("CREATE TABLE public.backup AS SELECT * FROM raw_hubspot.contacts")
    world.execute("CREATE TABLE public.letters AS SELECT 'Dear ' || email || ', thank you' AS letter FROM staging.contacts")

    left = erase_here(world, request(world))

    assert left == {"public.backup": 2, "public.letters": 1}


def test_a_user_id_that_is_also_somebodys_product_keeps_no_request_open(world: World) -> None:
    add_contact(world, "71009001", site_user_id="104233")
    add_contact(world, "71009002", site_user_id="u-2")
    add_event(world, 9_001, "form_submit", user_id="104233")
    add_event(world, 9_002, "view_item", user_id="u-2", user_pseudo_id="device-2", product_id="104233")
    world.execute("CREATE TABLE public.backup AS SELECT user_id FROM staging.events WHERE user_id = '104233'")
    resolve(world)

    left = erase_here(world, request(world, 71_009_001))
    world.execute("DROP TABLE public.backup")
    left_without_the_copy = erase_here(world, request(world, 71_009_001))

    assert (left, left_without_the_copy) == ({"public.backup": 1}, {})
    assert world.execute("SELECT product_id FROM staging.events WHERE user_id = 'u-2'").fetchone() == ("104233",)


def test_a_new_column_stops_an_erasure_before_it_begins(world: World) -> None:
    names = traces(world)
    world.execute("ALTER TABLE ops.message ADD COLUMN greeting text")
    request_id = request(world)

    with pytest.raises(ConfigError, match=r"ops\.message\.greeting: a new column; does it hold personal data"):
        erase(world, load_data_map(), request_id)

    assert found(dump(world), names)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [{"close_after_write": True}, {"close_before_write": True}, {"status": 503}])
def test_a_deletion_whose_answer_was_lost_is_asked_for_again(
    world: World, crm: RunningCrm, hook: HubSpotHook, fault: Any
) -> None:
    crm.fault("gdpr-delete", **fault)

    done = erase_contacts(hook, crm_ids(world, request(world)))

    assert (done.erased, done.of_others) == (1, 0)
    assert hook.batch_read([str(ERIN)], ["email"], follow_merges=True) == {}


def test_a_contact_that_is_still_there_after_its_deletion_fails_the_step(
    world: World, crm: RunningCrm, hook: HubSpotHook
) -> None:
    crm.fault("gdpr-delete", status=204)

    with pytest.raises(TransientError, match="can still be read after its deletion"):
        erase_contacts(hook, crm_ids(world, request(world)))


def test_a_contact_that_lives_on_in_somebody_elses_is_left_alone(world: World, hook: HubSpotHook) -> None:
    done = erase_contacts(hook, [str(MERGED_ERIN)])  # told apart here; HubSpot cannot undo a merge

    assert done == Erasure(ids=1, of_others=1)
    assert set(hook.batch_read([str(ERIN)], ["email"])) == {str(ERIN)}


def test_an_archived_contact_is_erased_too(world: World, hook: HubSpotHook) -> None:
    hook._call("DELETE", f"/crm/v3/objects/contacts/{ERIN}")

    done = erase_contacts(hook, crm_ids(world, request(world)))

    assert done.erased == 1
    assert str(ERIN) not in {contact.crm_id for contact in hook.iter_contacts(archived=True, properties=["email"])}
