"""The search endpoint: operators, sorts, the 10,000-result window and the lag behind writes."""

from typing import Any

import httpx
import pytest

from sandbox.crm import RunningCrm

pytestmark = pytest.mark.slow  # a CRM over HTTP for each

SEARCH = "/crm/v3/objects/contacts/search"

PEOPLE = [
    {"id": 1, "lastmodifieddate": "2026-11-01T00:00:00Z",
     "properties": {"email": "ann@example.com", "firstname": "Ann", "hubspotscore": "5", "company": "Big Blue Barn"}},
    {"id": 2, "lastmodifieddate": "2026-11-02T00:00:00Z",
     "properties": {"email": "bob@example.com", "firstname": "Bob", "hubspotscore": "40", "company": "Bluebell"}},
    {"id": 3, "lastmodifieddate": "2026-11-03T00:00:00Z", "properties": {"email": "cy@example.com", "firstname": "Cy"}},
    {"id": 4, "lastmodifieddate": "2026-11-04T00:00:00Z", "archived": True, "properties": {"firstname": "Ann"}},
]  # fmt: skip


def ids(api: httpx.Client, *filters: dict[str, Any], **more: Any) -> list[str]:
    answer = api.post(SEARCH, json={"filterGroups": [{"filters": list(filters)}], "limit": 200, **more})
    assert answer.status_code == 200, answer.text
    return [c["id"] for c in answer.json()["results"]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"propertyName": "firstname", "operator": "EQ", "value": "ANN"}, ["1"]),
        ({"propertyName": "firstname", "operator": "NEQ", "value": "ann"}, ["2", "3"]),
        ({"propertyName": "firstname", "operator": "IN", "values": ["ann", "cy"]}, ["1", "3"]),
        ({"propertyName": "firstname", "operator": "NOT_IN", "values": ["ann", "cy"]}, ["2"]),
        ({"propertyName": "hubspotscore", "operator": "GT", "value": "5"}, ["2"]),
        ({"propertyName": "hubspotscore", "operator": "GTE", "value": "5"}, ["1", "2"]),
        ({"propertyName": "hubspotscore", "operator": "LT", "value": "40"}, ["1"]),
        ({"propertyName": "hubspotscore", "operator": "LTE", "value": "40"}, ["1", "2"]),
        ({"propertyName": "hubspotscore", "operator": "BETWEEN", "value": "6", "highValue": "50"}, ["2"]),
        ({"propertyName": "company", "operator": "HAS_PROPERTY"}, ["1", "2"]),
        ({"propertyName": "company", "operator": "NOT_HAS_PROPERTY"}, ["3"]),
        ({"propertyName": "company", "operator": "CONTAINS_TOKEN", "value": "blue"}, ["1"]),
        ({"propertyName": "company", "operator": "CONTAINS_TOKEN", "value": "blue*"}, ["1", "2"]),
        ({"propertyName": "hs_object_id", "operator": "GT", "value": "1"}, ["2", "3"]),
        ({"propertyName": "lastmodifieddate", "operator": "GTE", "value": "2026-11-02T00:00:00Z"}, ["2", "3"]),
        ({"propertyName": "lastmodifieddate", "operator": "LT", "value": "1793577600000"}, ["1"]),
    ],
)
def test_every_operator_finds_what_it_should(
    crm: RunningCrm, api: httpx.Client, condition: dict[str, Any], expected: list[str]
) -> None:
    crm.seed(PEOPLE)

    assert ids(api, condition) == expected


def test_groups_are_alternatives_and_sorts_order(crm: RunningCrm, api: httpx.Client) -> None:
    crm.seed(PEOPLE)
    groups = [{"filters": [{"propertyName": "firstname", "operator": "EQ", "value": n}]} for n in ("Ann", "Bob")]

    asked = {"filterGroups": groups, "sorts": [{"propertyName": "hubspotscore", "direction": "DESCENDING"}]}
    found = api.post(SEARCH, json=asked).json()

    assert found["total"] == 2
    assert [c["id"] for c in found["results"]] == ["2", "1"]


@pytest.mark.parametrize(
    "condition",
    [
        {"propertyName": "shoe_size", "operator": "EQ", "value": "9"},
        {"propertyName": "hubspotscore", "operator": "GT", "value": "many"},
        {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "yesterday"},
        {"propertyName": "firstname", "operator": "EQ"},
        {"propertyName": "firstname", "operator": "IN", "values": []},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(crm: RunningCrm, api: httpx.Client, condition: dict[str, Any]) -> None:
    answer = api.post(SEARCH, json={"filterGroups": [{"filters": [condition]}]})

    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


@pytest.mark.slow
def test_search_stops_at_ten_thousand_results_where_walking_ids_goes_on(crm: RunningCrm, api: httpx.Client) -> None:
    crm.configure(search_secondly_limit=None)
    crm.seed([{"id": n, "properties": {"firstname": "Same"}, "lastmodifieddate": "2026-11-01"} for n in range(1, 10_301)])

    last_page = api.post(SEARCH, json={"limit": 200, "after": "9800"})
    past_it = api.post(SEARCH, json={"limit": 200, "after": last_page.json()["paging"]["next"]["after"]})
    walked = ids(api, {"propertyName": "hs_object_id", "operator": "GT", "value": "10100"})

    assert (last_page.json()["total"], len(last_page.json()["results"])) == (10_300, 200)
    assert (past_it.status_code, past_it.json()["category"]) == (400, "VALIDATION_ERROR")
    assert walked == [str(n) for n in range(10_101, 10_301)]


def test_search_lags_behind_writes_for_as_long_as_it_is_told(crm: RunningCrm, api: httpx.Client) -> None:
    crm.seed(PEOPLE)
    crm.configure(search_lag_seconds=60)
    changed = {"propertyName": "city", "operator": "EQ", "value": "Bath"}
    api.patch("/crm/v3/objects/contacts/1", json={"properties": {"city": "Bath"}}).raise_for_status()
    created = api.post("/crm/v3/objects/contacts", json={"properties": {"email": "dee@example.com"}}).json()["id"]

    while_lagging = ids(api, changed), ids(api)
    crm.configure(search_lag_seconds=0)
    afterwards = ids(api, changed), ids(api)

    assert while_lagging == ([], ["1", "2", "3"])
    assert afterwards == (["1"], sorted(["1", "2", "3", created], key=int))
