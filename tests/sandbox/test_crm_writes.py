"""What HubSpot's batch writes do that surprises: all or nothing, one name of many, rows that fail alone."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from sandbox.crm import RunningCrm

pytestmark = pytest.mark.slow  # a CRM over HTTP for each

CONTACTS = "/crm/v3/objects/contacts"


def create(api: httpx.Client, **properties: str) -> str:
    answer = api.post(CONTACTS, json={"properties": properties})
    assert answer.status_code == 201, answer.text
    contact_id: str = answer.json()["id"]
    return contact_id


def emails(api: httpx.Client) -> list[str]:
    return [c["properties"]["email"] for c in api.get(CONTACTS, params={"limit": 100}).json()["results"]]


def test_one_taken_address_refuses_the_whole_create_batch_and_names_only_the_first(api: httpx.Client) -> None:
    first, _second = create(api, email="a@example.com"), create(api, email="b@example.com")

    wanted = ["new@example.com", "A@example.com", "b@example.com"]
    answer = api.post(f"{CONTACTS}/batch/create", json={"inputs": [{"properties": {"email": e}} for e in wanted]})

    assert answer.status_code == 409
    assert answer.json()["category"] == "CONFLICT"
    assert answer.json()["message"] == f"Contact already exists. Existing ID: {first}"
    assert emails(api) == ["a@example.com", "b@example.com"]


@pytest.mark.parametrize("verb", ["create", "upsert"])
def test_an_address_twice_in_one_batch_refuses_it(api: httpx.Client, verb: str) -> None:
    same = ["a@example.com", "b@example.com", "B@example.com", "a@example.com"]
    inputs = [{"id": e, "idProperty": "email", "properties": {"email": e}} for e in same]

    answer = api.post(f"{CONTACTS}/batch/{verb}", json={"inputs": inputs})

    assert answer.status_code == 409
    assert "b@example.com" in answer.json()["message"]
    assert emails(api) == []


def test_one_conflicting_record_refuses_the_whole_upsert(api: httpx.Client) -> None:
    owner = create(api, email="owner@example.com")
    create(api, email="mover@example.com")
    inputs = [
        {"id": "new@example.com", "idProperty": "email", "properties": {"city": "Bath"}},
        {"id": "mover@example.com", "idProperty": "email", "properties": {"email": "owner@example.com"}},
    ]

    answer = api.post(f"{CONTACTS}/batch/upsert", json={"inputs": inputs})

    assert (answer.status_code, answer.json()["message"]) == (409, f"Contact already exists. Existing ID: {owner}")
    assert emails(api) == ["owner@example.com", "mover@example.com"]


def test_an_update_batch_writes_the_rows_it_can_and_names_the_others(api: httpx.Client) -> None:
    known, archived = create(api, email="a@example.com"), create(api, email="b@example.com")
    api.delete(f"{CONTACTS}/{archived}").raise_for_status()
    inputs = [{"id": i, "properties": {"city": "Bath"}} for i in ("77", known, archived, "not-a-number")]

    answer = api.post(f"{CONTACTS}/batch/update", json={"inputs": inputs})

    assert answer.status_code == 207
    assert [c["id"] for c in answer.json()["results"]] == [known]
    assert answer.json()["numErrors"] == len(answer.json()["errors"]) == 1
    assert answer.json()["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert answer.json()["errors"][0]["context"]["ids"] == ["77", archived, "not-a-number"]


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"shoe_size": "9"}, "PROPERTY_DOESNT_EXIST"),
        ({"lastmodifieddate": "2026-01-01"}, "READ_ONLY_VALUE"),
        ({"email": "not an address"}, "INVALID_EMAIL"),
        ({"lifecyclestage": "fan"}, "INVALID_OPTION"),
        ({"hubspotscore": "many"}, "INVALID_NUMBER"),
        ({"message": "x" * 100_000}, "VALUE_TOO_LONG"),
        ({"message": "nul \x00"}, "INVALID_VALUE"),
        ({"message": {"a": 1}}, "INVALID_VALUE"),
    ],
)
def test_a_wrong_value_refuses_the_batch_and_names_the_property(
    api: httpx.Client, properties: dict[str, Any], problem: str
) -> None:
    known = create(api, email="a@example.com")
    inputs = [{"id": known, "properties": {"city": "Bath"}}, {"id": "78", "properties": properties}]

    answer = api.post(f"{CONTACTS}/batch/update", json={"inputs": inputs})

    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"
    assert answer.json()["errors"][0]["code"] == problem
    assert next(iter(properties)) in answer.json()["message"]
    assert api.get(f"{CONTACTS}/{known}", params={"properties": "city"}).json()["properties"]["city"] is None


@pytest.mark.parametrize("verb", ["read", "create", "update", "upsert", "archive"])
def test_a_batch_of_more_than_a_hundred_is_refused(api: httpx.Client, verb: str) -> None:
    inputs = [{"id": f"p{n}@example.com", "idProperty": "email", "properties": {}} for n in range(101)]

    answer = api.post(f"{CONTACTS}/batch/{verb}", json={"inputs": inputs})

    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_values_travel_as_strings_and_an_empty_one_clears(api: httpx.Client) -> None:
    contact = create(api, email="a@example.com", city="Bath")

    api.patch(f"{CONTACTS}/{contact}", json={"properties": {"hubspotscore": 42, "city": "", "company": "{{ 7*7 }}"}})
    read = api.get(f"{CONTACTS}/{contact}", params={"properties": "hubspotscore,city,company"}).json()

    assert read["properties"]["hubspotscore"] == "42"
    assert read["properties"]["city"] is None
    assert read["properties"]["company"] == "{{ 7*7 }}"
    assert read["properties"]["lastmodifieddate"] == read["updatedAt"] > read["createdAt"]


def test_addresses_are_kept_in_lower_case(api: httpx.Client) -> None:
    create(api, email="Ann.Lee@Example.com")

    assert emails(api) == ["ann.lee@example.com"]


def test_writers_at_the_same_time_make_one_contact_of_an_address(api: httpx.Client) -> None:
    rounds = [{"inputs": [{"properties": {"email": f"p{n}-{turn}@example.com"}} for n in range(20)]} for turn in range(10)]

    with ThreadPoolExecutor(8) as threads:
        statuses = [
            list(threads.map(lambda body: api.post(f"{CONTACTS}/batch/create", json=body).status_code, [body] * 8))
            for body in rounds
        ]

    assert [sorted(turn) for turn in statuses] == [[201] + [409] * 7] * 10


@pytest.mark.slow
def test_updates_of_the_same_contacts_in_different_orders_all_succeed(crm: RunningCrm, api: httpx.Client) -> None:
    crm.seed([{"id": n, "properties": {"email": f"p{n}@example.com"}} for n in range(1, 101)])

    def update(turn: int) -> int:
        order = range(1, 101) if turn % 2 else range(100, 0, -1)
        inputs = [{"id": str(n), "properties": {"city": f"City {turn}"}} for n in order]
        return api.post(f"{CONTACTS}/batch/update", json={"inputs": inputs}, timeout=30).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = set(threads.map(update, range(100)))

    assert statuses == {200}


def test_a_merge_chain_ends_at_the_last_survivor(api: httpx.Client) -> None:
    first, second, third = (create(api, email=f"{n}@example.com", phone=n) for n in ("one", "two", "three"))
    city = api.patch(f"{CONTACTS}/{first}", json={"properties": {"city": "Bath"}})
    city.raise_for_status()

    for survivor, losing in ((second, first), (third, second)):
        merged = api.post(f"{CONTACTS}/merge", json={"primaryObjectId": survivor, "objectIdToMerge": losing})
        merged.raise_for_status()
    names = "hs_merged_object_ids,hs_additional_emails,city,phone"
    read = [api.get(f"{CONTACTS}/{i}", params={"properties": names}).json() for i in (first, second, third)]
    by_old_address = api.get(f"{CONTACTS}/one@example.com", params={"idProperty": "email"}).json()
    archived = api.get(CONTACTS, params={"archived": "true"}).json()["results"]
    updated = api.post(f"{CONTACTS}/batch/update", json={"inputs": [{"id": first, "properties": {"phone": "9"}}]}).json()

    assert {r["id"] for r in read} == {third} == {by_old_address["id"]}
    assert read[0]["properties"]["hs_merged_object_ids"].split(";") == [second, first]
    assert read[0]["properties"]["hs_additional_emails"] == "one@example.com;two@example.com"
    assert (read[0]["properties"]["city"], read[0]["properties"]["phone"]) == ("Bath", "three")
    assert emails(api) == ["three@example.com"]
    assert archived == []
    assert [c["id"] for c in updated["results"]] == [third]


def test_an_address_of_a_merged_contact_stays_taken(api: httpx.Client) -> None:
    survivor, losing = create(api, email="a@example.com"), create(api, email="b@example.com")
    api.post(f"{CONTACTS}/merge", json={"primaryObjectId": survivor, "objectIdToMerge": losing}).raise_for_status()

    answer = api.post(CONTACTS, json={"properties": {"email": "b@example.com"}})

    assert (answer.status_code, answer.json()["message"]) == (409, f"Contact already exists. Existing ID: {survivor}")


@pytest.mark.parametrize("ids", [("1", "1"), ("{first}", "{first}"), ("{first}", "999")])
def test_a_merge_needs_two_living_contacts(api: httpx.Client, ids: tuple[str, str]) -> None:
    first = create(api, email="a@example.com")
    primary, merged = (i.format(first=first) for i in ids)

    answer = api.post(f"{CONTACTS}/merge", json={"primaryObjectId": primary, "objectIdToMerge": merged})

    assert answer.status_code == 400


def test_archived_contacts_show_only_when_asked_for(api: httpx.Client) -> None:
    living, archived = create(api, email="a@example.com"), create(api, email="b@example.com")
    api.delete(f"{CONTACTS}/{archived}").raise_for_status()

    lists = {flag: api.get(CONTACTS, params={"archived": flag}).json()["results"] for flag in ("false", "true")}
    reads = {
        flag: api.post(f"{CONTACTS}/batch/read", params={"archived": flag}, json={"inputs": [{"id": archived}]})
        for flag in ("false", "true")
    }

    assert [c["id"] for c in lists["false"]] == [living]
    assert [(c["id"], c["archived"], "archivedAt" in c) for c in lists["true"]] == [(archived, True, True)]
    assert (reads["false"].status_code, reads["true"].status_code) == (207, 200)
    assert api.patch(f"{CONTACTS}/{archived}", json={"properties": {"city": "Bath"}}).status_code == 404
    assert create(api, email="b@example.com") != archived


def test_a_read_with_history_gives_every_version_newest_first(crm: RunningCrm, api: httpx.Client) -> None:
    contact = create(api, email="a@example.com", city="Bath")
    for city in ("Leeds", "", "Leeds"):
        api.patch(f"{CONTACTS}/{contact}", json={"properties": {"city": city}}).raise_for_status()
    crm.seed([{"id": 5, "properties": {"city": "York"}}])
    asked = {"inputs": [{"id": contact}, {"id": "5"}], "propertiesWithHistory": ["city"]}

    read = api.post(f"{CONTACTS}/batch/read", json=asked).json()["results"]

    versions = [[v["value"] for v in r["propertiesWithHistory"]["city"]] for r in read]
    assert versions == [["Leeds", "", "Leeds", "Bath"], ["York"]]


def test_dated_versions_and_other_names_answer_like_v3(api: httpx.Client) -> None:
    contact = create(api, email="a@example.com")

    same = [
        f"/crm/objects/2026-03/contacts/{contact}",
        f"/crm/v3/objects/contact/{contact}",
        f"/crm/v3/objects/0-1/{contact}",
    ]

    assert {api.get(path).json()["id"] for path in same} == {contact}
    assert api.get("/crm/properties/2026-09/contacts/email").json()["name"] == "email"
    assert api.get("/crm/v3/objects/companies").status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", "not json"),
        ("/batch/update", '{"inputs": "none"}'),
        ("/batch/update", '{"inputs": []}'),
        ("/batch/update", "[]"),
        ("/search", '{"filterGroups": [{"filters": [{"propertyName": "email"}]}]}'),
        ("/search", '{"limit": 201}'),
        ("/merge", "{}"),
    ],
)
def test_a_body_of_the_wrong_shape_is_a_validation_error(api: httpx.Client, path: str, body: str) -> None:
    answer = api.post(f"{CONTACTS}{path}", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    assert answer.json()["correlationId"]
