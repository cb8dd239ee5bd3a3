"""Communication preferences and marketing e-mail events."""

import httpx

from sandbox.crm import RunningCrm

V4 = "/communication-preferences/v4/statuses"
CONTACTS = "/crm/v3/objects/contacts"


def test_unsubscribing_from_all_shows_on_the_contact_and_in_every_status(crm: RunningCrm, api: httpx.Client) -> None:
    crm.seed([{"id": 1, "properties": {"email": "a@example.com"}, "lastmodifieddate": "2026-01-01"}])

    api.post(f"{V4}/A@example.com/unsubscribe-all", params={"channel": "EMAIL"}).raise_for_status()
    contact = api.get(f"{CONTACTS}/1", params={"properties": "hs_email_optout"}).json()
    statuses = api.get("/communication-preferences/v3/status/email/a@example.com").json()["subscriptionStatuses"]

    assert contact["properties"]["hs_email_optout"] == "true"
    assert contact["updatedAt"] > "2026-01-01T00:00:00.000Z"
    assert {(s["status"], s["sourceOfStatus"]) for s in statuses} == {("NOT_SUBSCRIBED", "PORTAL_WIDE_STATUS")}


def test_a_batch_of_statuses_is_read_for_known_and_unknown_addresses(crm: RunningCrm, api: httpx.Client) -> None:
    crm.seed(
        [
            {"properties": {"email": "out@example.com", "hs_email_optout": "true"}},
            {"properties": {"email": "half@example.com", "hs_email_optout_101": "true"}},
        ]
    )
    asked = ["out@example.com", "Half@example.com", "nobody@example.com"]

    answer = api.post(f"{V4}/batch/read", params={"channel": "EMAIL"}, json={"inputs": asked}).json()

    found = {r["subscriberIdString"]: {s["subscriptionId"]: s["status"] for s in r["statuses"]} for r in answer["results"]}
    assert found == {
        "out@example.com": {101: "UNSUBSCRIBED", 102: "UNSUBSCRIBED", 103: "UNSUBSCRIBED"},
        "Half@example.com": {101: "UNSUBSCRIBED", 102: "NOT_SPECIFIED", 103: "NOT_SPECIFIED"},
        "nobody@example.com": {101: "NOT_SPECIFIED", 102: "NOT_SPECIFIED", 103: "NOT_SPECIFIED"},
    }


def test_statuses_are_written_in_a_batch(api: httpx.Client) -> None:
    wanted = [
        {"subscriberIdString": "a@example.com", "subscriptionId": n, "statusState": state, "channel": "EMAIL"}
        for n, state in ((101, "SUBSCRIBED"), (102, "UNSUBSCRIBED"))
    ]

    written = api.post(f"{V4}/batch/write", json={"inputs": wanted}).json()["results"]
    unknown = api.post(f"{V4}/batch/write", json={"inputs": [{**wanted[0], "subscriptionId": 7}]})

    assert [(s["subscriptionId"], s["status"]) for s in written] == [(101, "SUBSCRIBED"), (102, "UNSUBSCRIBED")]
    assert unknown.status_code == 400


def test_somebody_who_unsubscribed_cannot_be_subscribed_by_the_api(api: httpx.Client) -> None:
    said = {"emailAddress": "a@example.com", "subscriptionId": "101"}
    api.post("/communication-preferences/v3/unsubscribe", json=said).raise_for_status()

    answer = api.post("/communication-preferences/v3/subscribe", json=said)

    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_email_events_are_filtered_and_paged_newest_first(crm: RunningCrm, api: httpx.Client) -> None:
    crm.admin(
        "events",
        [
            {"id": f"e{n}", "created": 1_000 + n, "type": "OPEN" if n % 2 else "SENT", "recipient": "a@example.com",
             "emailCampaignId": 7, "nurture_message_id": f"m{n}"} for n in range(25)
        ],
    )  # fmt: skip

    pages, offset, more = [], None, True
    while more:
        asked = {"eventType": "OPEN", "startTimestamp": 1_003, "campaignId": 7, "limit": 5, "recipient": "A@example.com"}
        page = api.get("/email/public/v1/events", params={**asked, **({"offset": offset} if offset else {})}).json()
        pages.append([event["created"] - 1_000 for event in page["events"]])
        offset, more = page.get("offset"), page["hasMore"]

    assert pages == [[23, 21, 19, 17, 15], [13, 11, 9, 7, 5], [3]]
