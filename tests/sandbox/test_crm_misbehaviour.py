"""Tokens, rate limits, faults on demand, and what the admin routes and pages show."""

import time

import httpx
import psycopg
import pytest

from demo.postgres import EmbeddedPostgres
from sandbox.crm import RunningCrm, running

pytestmark = pytest.mark.slow  # faults, and the waits that they ask for

CONTACTS = "/crm/v3/objects/contacts"


def update_city(api: httpx.Client, city: str = "Bath") -> httpx.Response:
    return api.post(f"{CONTACTS}/batch/update", json={"inputs": [{"id": "1", "properties": {"city": city}}]})


@pytest.fixture
def one_contact(crm: RunningCrm) -> None:
    crm.seed([{"id": 1, "properties": {"email": "a@example.com"}}])


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_a_request_without_a_valid_token_is_refused(crm: RunningCrm, headers: dict[str, str]) -> None:
    answer = httpx.get(f"{crm.url}{CONTACTS}", headers=headers)

    assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")
    assert set(answer.json()) == {"status", "message", "correlationId", "category"}


def test_the_admin_routes_need_their_own_header(crm: RunningCrm, api: httpx.Client) -> None:
    assert api.post("/__admin__/reset").status_code == 403


def test_requests_above_the_rolling_limit_are_refused_with_policy_and_headers(crm: RunningCrm, api: httpx.Client) -> None:
    crm.configure(ten_secondly_limit=3)

    answers = [api.get(CONTACTS) for _ in range(4)]

    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert [a.headers["X-HubSpot-RateLimit-Remaining"] for a in answers[:3]] == ["2", "1", "0"]
    assert answers[0].headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert (answers[3].json()["policyName"], answers[3].json()["category"]) == ("TEN_SECONDLY_ROLLING", "RATE_LIMITS")
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 11


def test_searches_and_days_have_limits_of_their_own(crm: RunningCrm, api: httpx.Client) -> None:
    searches = [api.post(f"{CONTACTS}/search", json={}) for _ in range(6)]
    crm.configure(daily_limit=5, sends_retry_after=False)
    after_the_day_is_used = api.get(CONTACTS)

    assert [a.status_code for a in searches] == [200] * 5 + [429]
    assert searches[5].json()["policyName"] == "SECONDLY"
    assert after_the_day_is_used.json()["policyName"] == "DAILY"
    assert "Retry-After" not in after_the_day_is_used.headers


@pytest.mark.usefixtures("one_contact")
def test_a_connection_closed_before_the_write_leaves_nothing_written(crm: RunningCrm, api: httpx.Client) -> None:
    crm.fault("batch/update", close_before_write=True)

    with pytest.raises(httpx.RemoteProtocolError):
        update_city(api)
    again = update_city(api, "Leeds")

    assert again.status_code == 200
    assert [w["value"] for w in crm.writes("city")] == ["Leeds"]


@pytest.mark.usefixtures("one_contact")
def test_a_connection_closed_after_the_write_leaves_it_written(crm: RunningCrm, api: httpx.Client) -> None:
    crm.fault("batch/update", close_after_write=True)

    with pytest.raises(httpx.RemoteProtocolError):
        update_city(api)

    assert [(w["contact_id"], w["value"]) for w in crm.writes("city")] == [("1", "Bath")]
    assert api.get(f"{CONTACTS}/1", params={"properties": "city"}).json()["properties"]["city"] == "Bath"


@pytest.mark.usefixtures("one_contact")
@pytest.mark.parametrize(("after_write", "written"), [(False, 0), (True, 1)])
def test_an_error_is_answered_before_or_after_the_work_is_done(
    crm: RunningCrm, api: httpx.Client, after_write: bool, written: int
) -> None:
    crm.fault("batch/update", status=500, after_write=after_write)

    answer = update_city(api)

    assert (answer.status_code, answer.json()["status"]) == (500, "error")
    assert len(crm.writes("city")) == written


@pytest.mark.slow
@pytest.mark.usefixtures("one_contact")
@pytest.mark.parametrize(("after_write", "written"), [(False, 0), (True, 1)])
def test_a_slow_write_happens_although_the_caller_has_hung_up(
    crm: RunningCrm, api: httpx.Client, after_write: bool, written: int
) -> None:
    crm.fault("batch/update", delay_seconds=1.5, after_write=after_write)

    with pytest.raises(httpx.ReadTimeout):
        api.post(f"{CONTACTS}/batch/update", json={"inputs": [{"id": "1", "properties": {"city": "Bath"}}]}, timeout=0.3)
    at_once = len(crm.writes("city"))
    while not crm.admin("requests?last=1")["last"]:
        assert crm.admin("health")

    assert (at_once, len(crm.writes("city"))) == (written, 1)


def test_faults_strike_as_often_and_as_late_as_they_are_told(crm: RunningCrm, api: httpx.Client) -> None:
    crm.fault("contacts$", status=429, headers={"Retry-After": "2"}, skip=1, times=2)

    answers = [api.get(CONTACTS) for _ in range(5)]

    assert [a.status_code for a in answers] == [200, 429, 429, 200, 200]
    assert (answers[1].headers["Retry-After"], answers[1].json()["policyName"]) == ("2", "TEN_SECONDLY_ROLLING")


def test_a_fault_may_carry_its_own_body_and_strike_by_chance_that_repeats(crm: RunningCrm, api: httpx.Client) -> None:
    runs = []
    for _ in range(2):
        crm.admin("reset", {})
        crm.fault("contacts$", status=503, body="<html>down</html>", times=None, probability=0.5, seed=3)
        runs.append([api.get(CONTACTS).text == "<html>down</html>" for _ in range(20)])

    assert runs[0] == runs[1]
    assert 4 <= sum(runs[0]) <= 16


@pytest.mark.parametrize("fault", [{"match": "("}, {"match": "x"}, {"match": "x", "status": 500, "typo": 1}])
def test_a_fault_that_makes_no_sense_is_refused(crm: RunningCrm, fault: dict[str, object]) -> None:
    with pytest.raises(RuntimeError, match="400"):
        crm.admin("faults", fault)


def test_requests_are_counted_by_route_and_status(crm: RunningCrm, api: httpx.Client) -> None:
    for number in (1, 2):
        api.get(f"/crm/objects/2026-03/contacts/{number}")
    api.get(CONTACTS)
    crm.fault("contacts$", close_before_write=True)
    with pytest.raises(httpx.RemoteProtocolError):
        api.get(CONTACTS)

    seen = crm.admin("requests?last=1")

    counts = {(c["route"], c["status"]): c["count"] for c in seen["counts"]}
    assert counts == {(f"{CONTACTS}/{{contact_id}}", 404): 2, (CONTACTS, 200): 1, (CONTACTS, 0): 1}
    assert [(r["path"], r["status"]) for r in seen["last"]] == [(CONTACTS, 0)]


def test_a_seed_may_hold_what_the_api_would_refuse(crm: RunningCrm, api: httpx.Client) -> None:
    crm.seed(
        [
            {"id": 5, "properties": {"email": "same@example.com", "site_user_id": "u5"}, "lastmodifieddate": "2026-01-02"},
            {"id": 6, "properties": {"email": "same@example.com", "hs_merged_object_ids": "7;8", "visits": 3}},
            {"properties": {"firstname": "</script>", "message": "x" * 100_000}, "archived": True},
        ]
    )

    read = api.get(f"{CONTACTS}/7", params={"properties": "visits"}).json()
    created = api.post(CONTACTS, json={"properties": {"site_user_id": "u9"}}).json()

    assert (read["id"], read["properties"]["visits"]) == ("6", "3")
    assert api.get(f"{CONTACTS}/5").json()["updatedAt"] == "2026-01-02T00:00:00.000Z"
    assert int(created["id"]) > 8
    assert len(api.get(CONTACTS, params={"archived": "true"}).json()["results"]) == 1


@pytest.mark.slow
def test_ten_thousand_contacts_are_seeded_in_seconds_and_a_full_batch_is_quick(crm: RunningCrm, api: httpx.Client) -> None:
    people = [
        {"id": n, "properties": {"email": f"p{n}@example.com", **{f"p_{k}": f"value {n}" for k in range(20)}}}
        for n in range(1, 10_001)
    ]

    started = time.perf_counter()
    crm.seed(people)
    seeding = time.perf_counter() - started
    inputs = [{"id": str(n), "properties": {f"p_{k}": "new" for k in range(8)}} for n in range(1, 101)]
    started = time.perf_counter()
    api.post(f"{CONTACTS}/batch/update", json={"inputs": inputs}).raise_for_status()
    updating = time.perf_counter() - started

    assert seeding < 20
    assert updating < 1


@pytest.mark.slow
def test_contacts_and_settings_survive_a_restart(postgres: EmbeddedPostgres) -> None:
    postgres.create_database("crm_restart")
    url = postgres.url("crm_restart")
    with running(url) as crm:
        crm.seed([{"id": 1, "properties": {"email": "a@example.com"}}])
        crm.configure(search_lag_seconds=3)

    with running(url) as crm:
        read = httpx.get(f"{crm.url}{CONTACTS}/1", headers=crm.headers)
        settings = crm.admin("settings")

    assert read.json()["properties"]["email"] == "a@example.com"
    assert settings["search_lag_seconds"] == 3


def test_a_server_that_cannot_reach_its_database_says_so(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(RuntimeError, match="no_such_database"), running(postgres.url("no_such_database")):
        pass


def test_the_server_goes_on_after_its_connections_were_cut(
    crm: RunningCrm, api: httpx.Client, postgres: EmbeddedPostgres
) -> None:
    api.get(CONTACTS).raise_for_status()

    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sandbox crm'")

    answers = [api.get(CONTACTS).status_code for _ in range(3)]

    assert answers == [200, 200, 200]


def test_the_pages_show_what_was_pushed_and_escape_it(crm: RunningCrm) -> None:
    attack = "<script>alert(1)</script>"
    crm.seed(
        [
            {"id": 1, "properties": {"firstname": attack, "nurture_message_id": "m1", "nurture_subject": attack}},
            {"id": 2, "properties": {"firstname": "Bob"}},
        ]
    )

    pages = [httpx.get(f"{crm.url}{path}") for path in ("/", "/contacts/1", "/contacts/999")]

    assert [p.status_code for p in pages] == [200, 200, 404]
    assert all("Sandbox CRM (synthetic people)" in p.text for p in pages)
    assert all(attack not in p.text for p in pages)
    assert "m1" in pages[0].text and "Bob" not in pages[0].text
    assert "&lt;script&gt;alert(1)" in pages[1].text
