"""A merge that was wrong: one person becomes two again, stays so, and it is kept who did it and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from dags_under_test import dag_bag
from nurture.errors import TerminalError
from nurture.identity.unmerge import Separation, unmerge
from warehouse_rows import add_consent_event, add_contact, add_event, insert, merge_contacts, person_of, resolve

pytestmark = pytest.mark.slow  # whole worlds in the warehouse


def separate(connection: psycopg.Connection, **named: str | None) -> Separation:
    names = {"person_id": None, "crm_id": None, "new_crm_id": None, "decided_by": "robin", "note": "two sisters"}
    return unmerge(connection, **(names | named))  # type: ignore[arg-type]


def night(connection: psycopg.Connection, changed: str | None = None) -> None:
    """The next night; `changed`: a contact that the CRM delivers again as it was."""
    connection.execute("UPDATE staging.contacts SET persona = persona WHERE crm_id = %s", (changed,))
    resolve(connection)


def merged(connection: psycopg.Connection, *contacts: str) -> dict[str, str]:
    """Contacts of one night, the others merged into the first the night after; returns the persons as they were first."""
    for crm_id in contacts:
        add_contact(connection, crm_id)
    resolve(connection)
    people = {crm_id: str(person_of(connection, "crm_id", crm_id)) for crm_id in contacts}
    for crm_id in contacts[1:]:
        merge_contacts(connection, contacts[0], crm_id)
    resolve(connection)
    return people


def head_of(connection: psycopg.Connection, person_id: str) -> str:
    row = connection.execute("SELECT coalesce(merged_into, person_id) FROM marts.person WHERE person_id = %s", (person_id,))
    return str(row.fetchone()[0])  # type: ignore[index]


def events(connection: psycopg.Connection, kind: str) -> list[Any]:
    return connection.execute(
        "SELECT person_id, other_person_id, decided_by, note FROM ops.identity_event WHERE kind = %s "
        "ORDER BY identity_event_id",
        (kind,),
    ).fetchall()


def test_a_separated_person_stays_separate_though_the_crm_still_lists_the_old_contact(
    warehouse: psycopg.Connection,
) -> None:
    people = merged(warehouse, "1", "2")
    assert head_of(warehouse, people["2"]) == people["1"]

    done = separate(warehouse, crm_id="2")
    for _ in range(2):
        night(warehouse, changed="1")
        warehouse.execute("INSERT INTO marts.contact_change SELECT crm_id FROM raw_hubspot.contacts")

    assert done == Separation(people["2"], people["1"], None)
    assert head_of(warehouse, people["2"]) == people["2"]
    assert person_of(warehouse, "crm_id", "2") == people["2"]
    assert person_of(warehouse, "user_id", "u-2") is None, "no contact of the CRM carries it now"
    assert events(warehouse, "unmerged") == [(people["2"], people["1"], "robin", "two sisters")]


def test_stale_evidence_stays_stale_when_the_survivor_is_merged_on_under_a_new_id(warehouse: psycopg.Connection) -> None:
    people = merged(warehouse, "1", "2")
    add_contact(warehouse, "3")
    separate(warehouse, crm_id="2")
    night(warehouse)

    for crm_id in ("1", "3"):
        warehouse.execute("DELETE FROM staging.contacts WHERE crm_id = %s", (crm_id,))
        warehouse.execute("UPDATE raw_hubspot.contacts SET merged_into = '30' WHERE crm_id = %s", (crm_id,))
    add_contact(warehouse, "30", merged_ids=("1", "2", "3"), email="1@example.com")
    night(warehouse)

    assert person_of(warehouse, "crm_id", "30") == people["1"], "it kept the address of contact 1"
    assert person_of(warehouse, "crm_id", "3") == people["1"]
    assert head_of(warehouse, people["2"]) == people["2"]


def test_the_contact_that_the_crm_has_for_them_now_is_theirs_and_the_person_keeps_the_old_id(
    warehouse: psycopg.Connection,
) -> None:
    people = merged(warehouse, "1", "2")
    add_event(warehouse, 1, "login", user_id="u-2", user_pseudo_id="phone")
    night(warehouse)
    phone_before = person_of(warehouse, "user_pseudo_id", "phone")
    add_contact(warehouse, "9", email="2@example.com", site_user_id="u-2")
    night(warehouse)

    done = separate(warehouse, person_id=people["2"], new_crm_id="9")
    night(warehouse, changed="1")

    assert phone_before == people["1"]
    assert done == Separation(people["2"], people["1"], "9")
    kinds = (("crm_id", "9"), ("crm_id", "2"), ("email", "2@example.com"), ("user_id", "u-2"), ("user_pseudo_id", "phone"))
    assert {person_of(warehouse, *identifier) for identifier in kinds} == {people["2"]}
    assert person_of(warehouse, "email", "1@example.com") == person_of(warehouse, "user_id", "u-1") == people["1"]
    first_of_9 = events(warehouse, "merged")[-1]
    assert first_of_9[1:] == (people["2"], "robin", "two sisters")


def test_the_new_contact_can_be_named_later(warehouse: psycopg.Connection) -> None:
    people = merged(warehouse, "1", "2")
    separate(warehouse, crm_id="2")
    add_contact(warehouse, "9", email="2@example.com", site_user_id="u-2")
    night(warehouse)

    done = separate(warehouse, crm_id="2", new_crm_id="9", note="made in HubSpot today")

    assert done == Separation(people["2"], None, "9")
    assert person_of(warehouse, "user_id", "u-2") == people["2"]
    assert len(events(warehouse, "unmerged")) == 1
    assert events(warehouse, "linked") == [(people["2"], None, "robin", "made in HubSpot today")]


def test_a_second_run_changes_nothing(warehouse: psycopg.Connection) -> None:
    merged(warehouse, "1", "2")
    add_contact(warehouse, "9", email="2@example.com", site_user_id="u-2")
    night(warehouse)
    separate(warehouse, crm_id="2", new_crm_id="9")
    before = warehouse.execute("SELECT * FROM ops.identity_event").fetchall()

    again = separate(warehouse, crm_id="2", new_crm_id="9")

    assert again.separated_from is None
    assert again.crm_id == "9"
    assert warehouse.execute("SELECT * FROM ops.identity_event").fetchall() == before


def test_whoever_was_merged_through_the_separated_person_leaves_with_them(warehouse: psycopg.Connection) -> None:
    people = merged(warehouse, "2", "5")
    for crm_id in ("1", "3"):
        add_contact(warehouse, crm_id)
    night(warehouse)
    people |= {crm_id: str(person_of(warehouse, "crm_id", crm_id)) for crm_id in ("1", "3")}
    for crm_id in ("3", "2", "5"):
        merge_contacts(warehouse, "1", crm_id)
    night(warehouse)

    separate(warehouse, crm_id="2")
    night(warehouse, changed="1")

    assert head_of(warehouse, people["5"]) == head_of(warehouse, people["2"]) == people["2"]
    assert head_of(warehouse, people["3"]) == people["1"]
    assert person_of(warehouse, "crm_id", "5") == people["2"]


def test_a_separated_person_whom_the_crm_merges_with_somebody_else_follows(warehouse: psycopg.Connection) -> None:
    people = merged(warehouse, "1", "2")
    add_contact(warehouse, "9", email="2@example.com", site_user_id="u-2")
    add_contact(warehouse, "4")
    night(warehouse)
    separate(warehouse, crm_id="2", new_crm_id="9")

    merge_contacts(warehouse, "4", "9")
    night(warehouse)

    assert head_of(warehouse, people["2"]) == person_of(warehouse, "crm_id", "4") == person_of(warehouse, "crm_id", "2")
    assert head_of(warehouse, people["1"]) == people["1"]


def test_both_keep_the_arm_that_they_had(warehouse: psycopg.Connection) -> None:
    people = merged(warehouse, "1", "2", "3")
    day = datetime(2026, 11, 20, tzinfo=UTC).date()
    for crm_id, arm in (("1", "ai"), ("3", "none")):
        values = {"experiment": "lead_nurture", "person_id": people[crm_id], "arm": arm, "assigned_on": day}
        insert(warehouse, "ops", "assignment", values)

    separate(warehouse, crm_id="2")
    separate(warehouse, crm_id="3")

    arms = dict(warehouse.execute("SELECT person_id, arm FROM ops.assignment").fetchall())
    assert arms == {people["1"]: "ai", people["2"]: "ai", people["3"]: "none"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["denied"], 1),
        (["denied", "granted"], 0),
        (["granted"], 0),
    ],
)
def test_a_denial_given_while_they_were_one_counts_for_both_and_a_grant_is_not_handed_on(
    warehouse: psycopg.Connection, said: list[str], expected: int
) -> None:
    people = merged(warehouse, "1", "2")
    warehouse.commit()
    for hours, status in enumerate(said):
        add_consent_event(warehouse, people["1"], status, datetime.now(UTC) + timedelta(hours=hours - 5))

    separate(warehouse, crm_id="2")

    handed_on = warehouse.execute(
        "SELECT status FROM ops.consent_event WHERE person_id = %s AND starts_with(source, 'un-merge')", (people["2"],)
    ).fetchall()
    assert handed_on == [("denied",)] * expected


def test_a_denial_from_before_the_merge_stays_with_whom_it_happened_to(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    resolve(warehouse)
    add_consent_event(warehouse, person_of(warehouse, "crm_id", "1"), "denied", datetime(2026, 6, 1, tzinfo=UTC))
    add_contact(warehouse, "2")
    resolve(warehouse)
    second = person_of(warehouse, "crm_id", "2")
    merge_contacts(warehouse, "1", "2")
    resolve(warehouse)

    separate(warehouse, crm_id="2")

    denied = warehouse.execute(
        "SELECT count(*) FROM ops.consent_event WHERE person_id = %s AND status = 'denied'", (second,)
    ).fetchone()
    assert denied == (0,)


def test_a_withdrawal_that_was_loaded_before_the_separation_is_kept_by_it(warehouse: psycopg.Connection) -> None:
    merged(warehouse, "1", "2")
    add_contact(warehouse, "3", consent_status="denied")

    separate(warehouse, crm_id="2")
    night(warehouse)

    denied = warehouse.execute("SELECT person_id FROM ops.consent_event WHERE status = 'denied'").fetchall()
    assert denied == [(person_of(warehouse, "crm_id", "3"),)]


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({}, "expected either a person_id or a crm_id"),
        ({"crm_id": "2", "person_id": "p_x"}, "expected either a person_id or a crm_id"),
        ({"crm_id": "77"}, "nobody here is contact 77"),
        ({"person_id": "p_nobody"}, "nobody here is p_nobody"),
        ({"crm_id": "1"}, "name one of their contacts, 2"),
        ({"crm_id": "3"}, "is merged into nobody"),
        ({"crm_id": "2", "note": "  "}, "expected a note"),
        ({"crm_id": "2", "new_crm_id": "77"}, "contact 77 is no living contact here"),
        ({"crm_id": "2", "new_crm_id": "1"}, "from whom"),
    ],
)
def test_a_wrong_choice_separates_nobody_and_names_the_right_one(
    warehouse: psycopg.Connection, named: dict[str, str], words: str
) -> None:
    people = merged(warehouse, "1", "2")
    add_contact(warehouse, "3")
    resolve(warehouse)
    warehouse.commit()

    with pytest.raises(TerminalError, match=words):
        separate(warehouse, **named)
    warehouse.rollback()

    assert head_of(warehouse, people["2"]) == people["1"]
    assert events(warehouse, "unmerged") == []


def test_the_history_names_every_merge_with_its_evidence_once_and_cannot_be_changed(warehouse: psycopg.Connection) -> None:
    people = merged(warehouse, "1", "2")
    night(warehouse, changed="1")
    reasons = warehouse.execute("SELECT person_id, other_person_id, reason, decided_by FROM ops.identity_event").fetchall()
    warehouse.commit()

    assert reasons == [
        (people["2"], people["1"], "the CRM merged them: contact 1 lists 2 in hs_merged_object_ids", "resolve_identity")
    ]
    for statement in ("UPDATE ops.identity_event SET note = 'x'", "DELETE FROM ops.identity_event"):
        with pytest.raises(psycopg.errors.RaiseException, match="is a history"):
            warehouse.execute(statement.encode())
        warehouse.rollback()


class Run:
    triggering_user_name = "robin"


def test_the_dag_separates_and_says_what_to_name_instead_when_it_cannot(
    warehouse: psycopg.Connection, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    people = merged(warehouse, "1", "2")
    warehouse.commit()
    dag = dag_bag().dags["unmerge_person"]
    form = {name: param.value for name, param in dag.params.items()}

    def run(**given: str) -> Any:
        return dag.get_task("unmerge_person").execute({"params": form | given, "dag_run": Run})  # type: ignore[typeddict-item]

    with pytest.raises(AirflowFailException, match=r"Nobody was separated: .* name one of their contacts, 2"):
        run(crm_id="1", note="two sisters")
    done = run(crm_id="2", note="two sisters")

    assert done == {"person_id": people["2"], "separated_from": people["1"], "crm_id": None}
    assert events(warehouse, "unmerged") == [(people["2"], people["1"], "robin", "two sisters")]
