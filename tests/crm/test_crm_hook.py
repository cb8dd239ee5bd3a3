"""The HubSpot hook against the sandbox CRM: paging, batches, and errors translated once."""

import logging
from datetime import UTC, datetime

import pytest
from crm_connection import connect

from demo.postgres import free_port
from nurture.errors import OutcomeUnknown, TerminalError, TransientError
from nurture.hooks.hubspot import HubSpotHook, PropertyDefinition
from nurture.hooks.hubspot_answers import redact
from nurture.ledger.destination import BatchRefused
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

UPDATE = "/batch/update$"
READ = "/batch/read$"


def seed(crm: RunningCrm, count: int, **properties: str) -> list[str]:
    """Living contacts 1…count."""
    crm.seed([{"id": n, "properties": {"email": f"p{n}@example.com", **properties}} for n in range(1, count + 1)])
    return [str(n) for n in range(1, count + 1)]


def test_a_list_of_more_than_one_page_is_read_to_its_end(crm: RunningCrm, hook: HubSpotHook) -> None:
    ids = seed(crm, 250, firstname="Ann")
    crm.seed([{"id": 900, "properties": {"email": "gone@example.com"}, "archived": True}])

    living = list(hook.iter_contacts(archived=False, properties=["firstname"]))
    archived = list(hook.iter_contacts(archived=True, properties=["firstname"]))

    assert [contact.crm_id for contact in living] == ids
    assert living[0].properties["firstname"] == "Ann"
    assert [(contact.crm_id, contact.is_archived) for contact in archived] == [("900", True)]


def test_changed_contacts_are_walked_by_id_from_the_moment_given(crm: RunningCrm, hook: HubSpotHook) -> None:
    moment = "2026-11-20T10:00:00.000Z"
    crm.seed([{"id": n, "properties": {}, "lastmodifieddate": moment} for n in range(1, 452)])
    crm.seed([{"id": 9000, "properties": {}, "lastmodifieddate": "2026-11-20T09:59:59.999Z"}])

    found = [c.crm_id for c in hook.iter_changed_contacts(datetime(2026, 11, 20, 10, tzinfo=UTC), ["firstname"])]

    assert found == [str(n) for n in range(1, 452)]


def test_a_batch_read_leaves_out_who_is_archived_merged_or_unknown(crm: RunningCrm, hook: HubSpotHook) -> None:
    crm.seed(
        [
            {"id": 1, "properties": {"firstname": "Ann"}},
            {"id": 2, "properties": {"hs_merged_object_ids": "3"}},
            {"id": 4, "properties": {}, "archived": True},
        ]
    )

    found = hook.batch_read(["1", "3", "4", "5"], ["firstname"])

    assert {crm_id: contact.properties["firstname"] for crm_id, contact in found.items()} == {"1": "Ann"}


def test_a_batch_read_that_follows_merges_answers_with_the_survivor(crm: RunningCrm, hook: HubSpotHook) -> None:
    ids = seed(crm, 60)
    hook.batch_update({"60": {"company": "loser"}, "59": {"company": "survivor"}})
    hook._call("POST", "/crm/v3/objects/contacts/merge", json={"primaryObjectId": "59", "objectIdToMerge": "60"})

    found = hook.batch_read([*ids, "77"], ["company"], history_of=["company"], follow_merges=True)

    assert set(found) == set(ids)
    assert found["60"] is found["59"]
    assert found["60"].history["company"] == {"loser", "survivor"}


def test_history_says_what_was_ever_written_also_for_more_contacts_than_one_request_takes(
    crm: RunningCrm, hook: HubSpotHook
) -> None:
    ids = seed(crm, 60)
    hook.batch_update({crm_id: {"company": "first"} for crm_id in ids})
    hook.batch_update({crm_id: {"company": "second"} for crm_id in ids})

    found = hook.batch_read(ids, ["company"], history_of=["company"])

    assert len(found) == 60
    assert found["60"].properties["company"] == "second"
    assert found["60"].history["company"] == {"first", "second"}


def test_a_207_is_read_row_by_row(crm: RunningCrm, hook: HubSpotHook) -> None:
    seed(crm, 2)

    result = hook.batch_update({crm_id: {"company": "Acme"} for crm_id in ("1", "2", "77")})

    assert result.updated == {"1", "2"}
    assert list(result.errors) == ["77"]
    assert result.errors["77"].startswith("OBJECT_NOT_FOUND")


@pytest.mark.parametrize("status", [400, 409])
def test_a_batch_refused_for_a_record_says_so_and_was_sent_once(crm: RunningCrm, hook: HubSpotHook, status: int) -> None:
    seed(crm, 1)
    crm.fault(UPDATE, status=status)

    with pytest.raises(BatchRefused, match=f"{status} .*(correct the record|another record)"):
        hook.batch_update({"1": {"company": "Acme"}})

    assert crm.writes("company") == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_caller_is_told_what_to_do(crm: RunningCrm, hook: HubSpotHook, status: int) -> None:
    crm.fault(UPDATE, status=status)

    with pytest.raises(TerminalError, match=r"token|scopes") as caught:
        hook.batch_update({"1": {"company": "Acme"}})

    assert not isinstance(caught.value, BatchRefused)


def test_a_rate_limited_write_is_repeated_until_it_works(crm: RunningCrm, hook: HubSpotHook) -> None:
    seed(crm, 1)
    crm.fault(UPDATE, status=429, times=3, headers={"Retry-After": "0"})
    tries: list[int] = []

    result = hook.batch_update({"1": {"company": "Acme"}}, before_try=lambda: tries.append(len(tries)))

    assert result.updated == {"1"}
    assert tries == [0, 1, 2, 3]
    assert len(crm.writes("company")) == 1


def test_a_rate_limit_that_does_not_end_is_transient_and_names_the_limit(crm: RunningCrm, hook: HubSpotHook) -> None:
    seed(crm, 1)
    crm.fault(UPDATE, status=429, times=None, headers={"Retry-After": "0"})

    with pytest.raises(TransientError, match="TEN_SECONDLY_ROLLING"):
        hook.batch_update({"1": {"company": "Acme"}})

    assert crm.writes("company") == []


def test_a_long_wait_is_left_to_a_later_attempt_of_the_task(crm: RunningCrm, hook: HubSpotHook) -> None:
    crm.fault(READ, status=429, times=None, headers={"Retry-After": "3600"})

    with pytest.raises(TransientError, match="wait 3600 s"):
        hook.batch_read(["1"], ["company"])

    assert len(crm.admin("requests")["last"]) == 1


def test_the_daily_limit_is_terminal(crm: RunningCrm, hook: HubSpotHook) -> None:
    crm.configure(daily_limit=1)
    hook.batch_read(["1"], ["company"])

    with pytest.raises(TerminalError, match="DAILY"):
        hook.batch_read(["1"], ["company"])


@pytest.mark.parametrize("trouble", [{"status": 500}, {"status": 503}, {"close_before_write": True}])
def test_a_read_is_repeated_until_it_works(crm: RunningCrm, hook: HubSpotHook, trouble: dict[str, object]) -> None:
    seed(crm, 1, firstname="Ann")
    crm.fault(READ, times=3, **trouble)

    found = hook.batch_read(["1"], ["firstname"])

    assert found["1"].properties["firstname"] == "Ann"


def test_a_read_that_never_works_is_transient(crm: RunningCrm, hook: HubSpotHook) -> None:
    crm.fault(READ, times=None, status=500)

    with pytest.raises(TransientError, match="5 attempts failed, the last with 500 INTERNAL_ERROR"):
        hook.batch_read(["1"], ["firstname"])


@pytest.mark.parametrize(
    "trouble",
    [
        {"close_before_write": True},
        {"close_after_write": True},
        {"status": 500, "after_write": True},
        {"status": 504},
        {"status": 200, "body": "<html>not JSON</html>", "after_write": True},
    ],
)
def test_a_write_without_a_usable_answer_is_not_repeated(
    crm: RunningCrm, hook: HubSpotHook, trouble: dict[str, object]
) -> None:
    seed(crm, 1)
    crm.fault(UPDATE, **trouble)

    with pytest.raises(OutcomeUnknown, match="read the records back"):
        hook.batch_update({"1": {"company": "Acme"}})

    assert len(crm.admin("requests")["last"]) == 1


def test_a_write_that_is_answered_too_late_is_not_repeated(crm: RunningCrm, crm_policy: Crm) -> None:
    seed(crm, 1)
    crm.fault(UPDATE, delay_seconds=1.5)
    hasty = HubSpotHook("crm", policy=crm_policy.model_copy(update={"timeout_seconds": 0.2}))

    with pytest.raises(OutcomeUnknown, match="ReadTimeout"):
        hasty.batch_update({"1": {"company": "Acme"}})


def test_a_crm_that_is_not_there_was_never_written_to(monkeypatch: pytest.MonkeyPatch, crm_policy: Crm) -> None:
    connect(monkeypatch, f"http://127.0.0.1:{free_port()}", "token")
    hook = HubSpotHook("crm", policy=crm_policy, backoff_seconds=0.01)

    with pytest.raises(TransientError, match="ConnectionError"):
        hook.batch_update({"1": {"company": "Acme"}})


def test_missing_properties_are_created_once(crm: RunningCrm, hook: HubSpotHook) -> None:
    wanted = [PropertyDefinition("nurture_subject", "Subject"), PropertyDefinition("nurture_body", "Body", "textarea")]

    first = hook.ensure_properties(wanted, group="nurture")
    second = hook.ensure_properties(wanted, group="nurture")

    assert (first, second) == (["nurture_subject", "nurture_body"], [])


def test_a_dated_api_version_is_only_configuration(
    crm: RunningCrm, crm_policy: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(crm, 1, firstname="Ann")
    connect(monkeypatch, crm.url, crm.token, api_version="2026-03")
    hook = HubSpotHook("crm", policy=crm_policy)

    found = hook.batch_read(["1"], ["firstname"])
    created = hook.ensure_properties([PropertyDefinition("nurture_cta", "Call to action")], group="nurture")

    assert found["1"].properties["firstname"] == "Ann"
    assert created == ["nurture_cta"]


def test_one_connection_serves_many_requests_and_carries_no_stray_header(crm: RunningCrm, hook: HubSpotHook) -> None:
    hook.batch_read(["1"], ["firstname"])

    session = hook.session

    hook.batch_read(["1"], ["firstname"])
    assert hook.session is session
    assert "api_version" not in session.headers


def test_vendor_words_lose_addresses_and_the_values_that_we_sent(
    crm: RunningCrm, hook: HubSpotHook, caplog: pytest.LogCaptureFixture
) -> None:
    seed(crm, 2)
    caplog.set_level(logging.DEBUG)

    with pytest.raises(BatchRefused) as caught:
        hook.batch_update({"2": {"email": "ann.smith at example", "company": "Smith & Sons"}})

    assert "ann.smith" not in str(caught.value)
    assert "<value>" in str(caught.value)
    assert redact('Contact "Ann <ann@x.example>", ann+b@y.example.org') == 'Contact "<value> <<address>>", <address>'
    assert "ann.smith" not in caplog.text
