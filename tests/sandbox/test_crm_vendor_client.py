"""The vendor's own client drives the sandbox CRM unchanged."""

from datetime import UTC, datetime

import pytest
from hubspot import HubSpot
from hubspot.communication_preferences import PublicUpdateSubscriptionStatusRequest
from hubspot.crm.contacts import (
    BatchInputSimplePublicObjectBatchInput,
    BatchInputSimplePublicObjectBatchInputForCreate,
    BatchInputSimplePublicObjectBatchInputUpsert,
    BatchInputSimplePublicObjectId,
    BatchReadInputSimplePublicObjectId,
    PublicGdprDeleteInput,
    PublicMergeInput,
    PublicObjectSearchRequest,
    SimplePublicObjectInput,
    SimplePublicObjectInputForCreate,
)
from hubspot.crm.contacts.exceptions import ApiException
from hubspot.crm.properties import BatchInputPropertyCreate, PropertyCreate

from sandbox.crm import RunningCrm


@pytest.fixture
def client(crm: RunningCrm) -> HubSpot:
    return HubSpot(access_token=crm.token, host=crm.url)


def test_a_contact_is_created_read_updated_and_archived(client: HubSpot) -> None:
    api = client.crm.contacts.basic_api

    created = api.create(SimplePublicObjectInputForCreate(properties={"email": "ada@example.com", "firstname": "Ada"}))
    api.update(created.id, SimplePublicObjectInput(properties={"lastname": "Lovelace"}))
    read = api.get_by_id("ada@example.com", id_property="email", properties=["firstname", "lastname"])
    api.archive(created.id)

    assert (read.id, read.properties["firstname"], read.properties["lastname"]) == (created.id, "Ada", "Lovelace")
    assert isinstance(read.created_at, datetime)
    assert [c.id for c in client.crm.contacts.get_all(archived=True)] == [created.id]
    with pytest.raises(ApiException) as refused:
        api.get_by_id(created.id)
    assert refused.value.status == 404


def test_a_list_is_walked_page_by_page(crm: RunningCrm, client: HubSpot) -> None:
    crm.seed([{"properties": {"email": f"p{n}@example.com"}} for n in range(250)])

    contacts = client.crm.contacts.get_all(properties=["email"])

    assert len({c.properties["email"] for c in contacts}) == 250


def test_batches_are_created_read_updated_upserted_and_archived(client: HubSpot) -> None:
    api = client.crm.contacts.batch_api
    emails = [f"p{n}@example.com" for n in range(100)]

    created = api.create(BatchInputSimplePublicObjectBatchInputForCreate([{"properties": {"email": e}} for e in emails]))
    ids = [{"id": c.id} for c in created.results]
    api.update(BatchInputSimplePublicObjectBatchInput([{**i, "properties": {"company": "Larkfield"}} for i in ids]))
    upserted = api.upsert(
        BatchInputSimplePublicObjectBatchInputUpsert(
            [
                {"id": emails[0], "idProperty": "email", "properties": {"city": "Bath"}},
                {"id": "new@example.com", "idProperty": "email", "properties": {"city": "Leeds"}},
            ]
        )
    )
    read = api.read(BatchReadInputSimplePublicObjectId(inputs=ids, properties=["company", "city"]))
    api.archive(BatchInputSimplePublicObjectId(inputs=ids))

    assert [c.properties["company"] for c in read.results] == ["Larkfield"] * 100
    assert read.results[0].properties["city"] == "Bath"
    assert [c.new for c in upserted.results] == [False, True]
    assert [c.properties["email"] for c in client.crm.contacts.get_all()] == ["new@example.com"]


def test_a_batch_with_an_unknown_id_names_it_and_updates_the_rest(client: HubSpot) -> None:
    known = client.crm.contacts.basic_api.create(SimplePublicObjectInputForCreate(properties={"email": "a@example.com"}))

    answer = client.crm.contacts.batch_api.update(
        BatchInputSimplePublicObjectBatchInput(
            [{"id": known.id, "properties": {"city": "Bath"}}, {"id": "999", "properties": {"city": "Bath"}}]
        )
    )

    assert [c.id for c in answer.results] == [known.id]
    assert answer.num_errors == 1
    assert answer.errors[0].context == {"ids": ["999"]}


def test_search_finds_what_changed_since(crm: RunningCrm, client: HubSpot) -> None:
    crm.seed(
        [
            {"properties": {"email": f"p{n}@example.com"}, "lastmodifieddate": f"2026-11-{n + 1:02}T00:00:00Z"}
            for n in range(20)
        ]
    )
    since = int(datetime(2026, 11, 16, tzinfo=UTC).timestamp() * 1000)

    found = client.crm.contacts.search_api.do_search(
        PublicObjectSearchRequest(
            filter_groups=[{"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": str(since)}]}],
            sorts=["-lastmodifieddate"],
            properties=["email"],
            limit=3,
        )
    )

    assert found.total == 5
    assert [c.properties["email"] for c in found.results] == ["p19@example.com", "p18@example.com", "p17@example.com"]
    assert found.paging.next.after == "3"


def test_a_merged_contact_is_read_by_both_ids(client: HubSpot) -> None:
    api = client.crm.contacts.basic_api
    ids = [
        api.create(SimplePublicObjectInputForCreate(properties={"email": f"p{n}@example.com", "city": f"City {n}"})).id
        for n in range(2)
    ]

    api.merge(PublicMergeInput(primary_object_id=ids[0], object_id_to_merge=ids[1]))
    by_losing_id = api.get_by_id(ids[1], properties=["email", "city", "hs_merged_object_ids", "hs_additional_emails"])

    assert by_losing_id.id == ids[0]
    assert by_losing_id.properties["hs_merged_object_ids"] == ids[1]
    assert by_losing_id.properties["hs_additional_emails"] == "p1@example.com"
    assert by_losing_id.properties["city"] == "City 0"
    assert [c.id for c in client.crm.contacts.get_all()] == [ids[0]]


def test_a_gdpr_deletion_leaves_nothing(crm: RunningCrm, client: HubSpot) -> None:
    api = client.crm.contacts.basic_api
    created = api.create(SimplePublicObjectInputForCreate(properties={"email": "a@example.com"}))

    api.purge(PublicGdprDeleteInput(object_id="a@example.com", id_property="email"))

    with pytest.raises(ApiException) as refused:
        api.get_by_id(created.id)
    assert refused.value.status == 404
    assert crm.writes("email") == []


def test_properties_are_defined_and_unknown_ones_refused(client: HubSpot) -> None:
    api = client.crm.properties
    wanted = PropertyCreate(
        name="nurture_message_id", label="Message id", type="string", field_type="text", group_name="contactinformation"
    )
    contact = SimplePublicObjectInputForCreate(properties={"email": "a@example.com", "nurture_message_id": "m1"})

    with pytest.raises(ApiException) as refused:
        client.crm.contacts.basic_api.create(contact)
    api.batch_api.create("contacts", BatchInputPropertyCreate(inputs=[wanted]))
    created = client.crm.contacts.basic_api.create(contact)

    assert refused.value.status == 400
    assert "PROPERTY_DOESNT_EXIST" in refused.value.body
    assert created.properties["nurture_message_id"] == "m1"
    assert api.core_api.get_by_name("contacts", "nurture_message_id").label == "Message id"
    assert {"hs_object_id", "hs_email_optout"} <= {p.name for p in api.core_api.get_all("contacts").results}


def test_subscriptions_are_read_and_ended(client: HubSpot) -> None:
    status_api = client.communication_preferences.status_api
    contact = client.crm.contacts.basic_api.create(SimplePublicObjectInputForCreate(properties={"email": "a@example.com"}))
    definitions = client.communication_preferences.definition_api.get_page().subscription_definitions
    update = PublicUpdateSubscriptionStatusRequest(email_address="a@example.com", subscription_id=definitions[0].id)

    status_api.subscribe(update)
    before = status_api.get_email_status("a@example.com").subscription_statuses
    status_api.unsubscribe(update)
    after = status_api.get_email_status("a@example.com").subscription_statuses

    assert [s.status for s in before if s.id == definitions[0].id] == ["SUBSCRIBED"]
    assert [s.status for s in after if s.id == definitions[0].id] == ["NOT_SUBSCRIBED"]
    opted_out = f"hs_email_optout_{definitions[0].id}"
    read = client.crm.contacts.basic_api.get_by_id(contact.id, properties=[opted_out])
    assert read.properties[opted_out] == "true"
