"""Notes and tasks of the sandbox CRM, driven by the vendor's own client unchanged."""

from datetime import datetime
from typing import Any

import httpx
import pytest
from hubspot import HubSpot
from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest
from hubspot.crm.contacts import PublicGdprDeleteInput, PublicMergeInput
from hubspot.crm.objects.notes import (
    BatchInputSimplePublicObjectBatchInputForCreate,
    BatchInputSimplePublicObjectId,
    BatchReadInputSimplePublicObjectId,
    PublicObjectSearchRequest,
    SimplePublicObjectInput,
    SimplePublicObjectInputForCreate,
)
from hubspot.crm.objects.notes.exceptions import ApiException
from hubspot.crm.properties import PropertyCreate

from sandbox.crm import RunningCrm

pytestmark = pytest.mark.slow  # a CRM over HTTP for each

MOMENT = "2026-11-20T08:00:00Z"


@pytest.fixture
def client(crm: RunningCrm) -> HubSpot:
    crm.seed([{"id": n, "properties": {"email": f"p{n}@example.com"}} for n in (1, 2, 3)])
    client = HubSpot(access_token=crm.token, host=crm.url)
    for object_type in ("notes", "tasks"):
        key = PropertyCreate(name="nurture_key", label="Key", type="string", field_type="text", group_name="engagement")
        client.crm.properties.core_api.create(object_type, key)
    return client


def note(contact_id: int, key: str = "k1", type_id: int = 202, **properties: str) -> dict[str, Any]:
    values = {"hs_timestamp": MOMENT, "hs_note_body": "<p>Hello</p>", "nurture_key": key} | properties
    kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}
    return {"properties": values, "associations": [{"to": {"id": str(contact_id)}, "types": [kind]}]}


def notes_of(client: HubSpot, *contact_ids: int) -> dict[str, list[str]]:
    asked = BatchInputPublicFetchAssociationsBatchRequest([{"id": str(contact_id)} for contact_id in contact_ids])
    answer = client.crm.associations.v4.batch_api.get_page("contacts", "notes", asked)
    return {found._from.id: [to.to_object_id for to in found.to] for found in answer.results}


def test_a_note_is_created_on_a_contact_read_changed_and_archived(client: HubSpot) -> None:
    api = client.crm.objects.notes.basic_api

    created = api.create(SimplePublicObjectInputForCreate(**note(1)))
    api.update(created.id, SimplePublicObjectInput(properties={"hs_note_body": "Changed"}))
    read = api.get_by_id(created.id, properties=["hs_note_body", "nurture_key"], associations=["contacts"])
    api.archive(created.id)

    assert isinstance(read.created_at, datetime)
    assert (read.properties["hs_note_body"], read.properties["nurture_key"]) == ("Changed", "k1")
    assert [found.id for found in read.associations["contacts"].results] == ["1"]
    assert [found.id for found in client.crm.objects.notes.basic_api.get_page(archived=True).results] == [created.id]
    with pytest.raises(ApiException) as refused:
        api.get_by_id(created.id)
    assert refused.value.status == 404


def test_batches_are_created_read_and_archived(client: HubSpot) -> None:
    api = client.crm.objects.notes.batch_api
    inputs = BatchInputSimplePublicObjectBatchInputForCreate([note(1, f"k{n}") for n in range(100)])

    created = api.create(inputs).results
    ids = [{"id": found.id} for found in created]
    read = api.read(BatchReadInputSimplePublicObjectId(inputs=[*ids[1:], {"id": "7"}], properties=["nurture_key"]))
    api.archive(BatchInputSimplePublicObjectId(inputs=ids))

    assert [found.properties["nurture_key"] for found in read.results] == [f"k{n}" for n in range(1, 100)]
    assert (read.num_errors, read.errors[0].context) == (1, {"ids": ["7"]})
    assert client.crm.objects.notes.basic_api.get_page().results == []


def test_a_task_has_the_fields_that_the_vendor_documents(client: HubSpot) -> None:
    api = client.crm.objects.tasks.basic_api
    task = {"hs_timestamp": MOMENT, "hs_task_subject": "Call", "hs_task_status": "NOT_STARTED", "hs_task_priority": "HIGH"}

    created = api.create(
        SimplePublicObjectInputForCreate(properties=task, associations=note(1, type_id=204)["associations"])
    )
    with pytest.raises(Exception, match="INVALID_OPTION"):
        api.create(SimplePublicObjectInputForCreate(properties={**task, "hs_task_status": "SOON"}))

    read = api.get_by_id(created.id, properties=list(task))
    assert {name: read.properties[name] for name in task} == task
    assert client.crm.associations.v4.basic_api.get_page("contact", "1", "task").results[0].to_object_id == created.id


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (note(1, hs_timestamp=""), "Some required properties were not set"),
        (note(99), "one or more associations are not valid"),
        (note(1, type_id=204), "one or more associations are not valid"),
        (note(1, hs_note_body="x" * 65_537), "VALUE_TOO_LONG"),
        (note(1, nurture_colour="red"), "PROPERTY_DOESNT_EXIST"),
    ],
)
def test_what_the_vendor_refuses_is_refused(client: HubSpot, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiException) as refused:
        client.crm.objects.notes.basic_api.create(SimplePublicObjectInputForCreate(**wrong))

    assert refused.value.status == 400
    assert words in refused.value.body


def test_a_bad_input_refuses_its_batch_unless_every_input_has_a_trace_id(client: HubSpot) -> None:
    api = client.crm.objects.notes.batch_api
    plain = [note(1, "k1"), note(99, "k2"), note(2, "k3")]

    with pytest.raises(ApiException) as refused:
        api.create(BatchInputSimplePublicObjectBatchInputForCreate(plain))
    nothing_yet = client.crm.objects.notes.basic_api.get_page().results
    traced = [{**item, "objectWriteTraceId": item["properties"]["nurture_key"]} for item in plain]
    answer = api.create(BatchInputSimplePublicObjectBatchInputForCreate(traced))

    assert refused.value.status == 400
    assert nothing_yet == []
    assert [found.properties["nurture_key"] for found in answer.results] == ["k1", "k3"]
    assert [found.context["objectWriteTraceId"] for found in answer.errors] == [["k2"]]


def test_associations_are_read_at_once_and_page_by_page(crm: RunningCrm, client: HubSpot) -> None:
    crm.configure(search_lag_seconds=60)
    for start in range(0, 600, 100):
        inputs = [note(1, f"k{n}") for n in range(start, start + 100)]
        client.crm.objects.notes.batch_api.create(BatchInputSimplePublicObjectBatchInputForCreate(inputs))
    asked = BatchInputPublicFetchAssociationsBatchRequest([{"id": "1"}, {"id": "2"}])

    first = client.crm.associations.v4.batch_api.get_page("contact", "note", asked)
    after = first.results[0].paging.next.after
    again = BatchInputPublicFetchAssociationsBatchRequest([{"id": "1", "after": after}])
    second = client.crm.associations.v4.batch_api.get_page("0-1", "0-46", again)

    assert [len(first.results[0].to), len(second.results[0].to)] == [500, 100]
    assert first.results[0].to[0].association_types[0].type_id == 201
    assert second.results[0].paging is None
    assert first.errors[0].sub_category == "crm.associations.NO_ASSOCIATIONS_FOUND"


def test_search_lags_behind_writes_and_finds_by_key(crm: RunningCrm, client: HubSpot) -> None:
    condition = {"propertyName": "nurture_key", "operator": "EQ", "value": "K2"}
    search = PublicObjectSearchRequest(filter_groups=[{"filters": [condition]}], properties=["nurture_key"], limit=10)
    client.crm.objects.notes.batch_api.create(
        BatchInputSimplePublicObjectBatchInputForCreate([note(1, "k1"), note(1, "k2")])
    )

    crm.configure(search_lag_seconds=60)
    at_once = client.crm.objects.notes.search_api.do_search(search).total
    crm.configure(search_lag_seconds=0)
    later = client.crm.objects.notes.search_api.do_search(search)

    assert at_once == 0
    assert [found.properties["nurture_key"] for found in later.results] == ["k2"]
    assert client.crm.objects.tasks.search_api.do_search(search).total == 0


def test_the_notes_of_a_merged_contact_are_its_survivors_and_those_of_an_erased_one_are_gone(client: HubSpot) -> None:
    contacts = client.crm.contacts.basic_api
    created = client.crm.objects.notes.basic_api.create(SimplePublicObjectInputForCreate(**note(2)))

    contacts.merge(PublicMergeInput(primary_object_id="1", object_id_to_merge="2"))
    merged = notes_of(client, 1, 3)
    contacts.purge(PublicGdprDeleteInput(object_id="1"))

    assert merged == {"1": [created.id]}
    assert client.crm.objects.notes.basic_api.get_page().results == []


def test_dated_paths_and_type_ids_lead_to_the_same(client: HubSpot, api: httpx.Client) -> None:
    created = api.post("/crm/objects/2026-03/notes", json=note(1)).json()["id"]

    by_type_id = api.get(f"/crm/objects/2026-03/0-46/{created}").json()["id"]
    inputs = {"inputs": [{"id": "1"}]}
    linked = api.post("/crm/associations/2026-03/contacts/notes/batch/read", json=inputs).json()["results"]
    listed = api.get("/crm/objects/2026-03/contacts/1/associations/notes").json()["results"]

    assert by_type_id == created
    assert linked[0]["to"] == listed
    assert listed[0]["toObjectId"] == created
    assert "nurture_key" in [p["name"] for p in api.get("/crm/properties/2026-03/0-46").json()["results"]]


def test_the_page_of_a_contact_shows_its_timeline_without_running_it(client: HubSpot, api: httpx.Client) -> None:
    created = client.crm.objects.notes.basic_api.create(
        SimplePublicObjectInputForCreate(**note(1, hs_note_body="<script>alert(1)</script>"))
    )

    page = api.get("/contacts/1").text

    assert f"Note {created.id}" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>" not in page
    assert "Timeline" not in api.get("/contacts/2").text


def test_an_answer_can_be_lost_after_the_write(crm: RunningCrm, client: HubSpot, api: httpx.Client) -> None:
    crm.fault("notes/batch/create", close_after_write=True)

    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/crm/v3/objects/notes/batch/create", json={"inputs": [note(1)]})

    assert len(client.crm.objects.notes.basic_api.get_page().results) == 1
