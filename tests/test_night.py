"""Whole nights through Airflow's own scheduler, on real parts: the good one, the repeated one, the stopped one."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from hubspot import HubSpot

from demo import night, stack
from demo.airflow import DATASET, PROJECT_ID, AirflowApi, environment
from demo.fill import DAYS, PEOPLE, SEED, Wanted, fill
from demo.state import AIRFLOW_HOME, State, fresh
from demo.summary import print_night
from sandbox.crm.server import TOKEN, RunningCrm
from sandbox.ga4_export import export_days
from sandbox.model.server import RunningModel
from sandbox.world import generate

pytestmark = [pytest.mark.airflow, pytest.mark.emulator, pytest.mark.timeout(1500)]


@dataclass
class Nights:
    """A running stack and what its nights did; the tests below go through them in order."""

    state: State
    api: AirflowApi
    day: date
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def warehouse(self) -> psycopg.Connection:
        return psycopg.connect(stack.postgres(self.state).url("warehouse"))

    def one(self, sql: str, *values: Any) -> Any:
        with self.warehouse() as connection:
            row = connection.execute(sql.encode(), values).fetchone()
        return row[0] if row and len(row) == 1 else row

    @property
    def crm(self) -> RunningCrm:
        return RunningCrm(self.state.crm_url)

    def run(self, dag_id: str) -> dict[str, Any]:
        self.runs[dag_id] = night.run_last_night(self.api, dag_id, self.day, print)
        return self.runs[dag_id]

    def states(self, dag_id: str) -> dict[str, str]:
        return {task["task_id"]: task["state"] for task in self.api.tasks(dag_id, self.runs[dag_id]["dag_run_id"])}

    def messages_seen_by_crm(self) -> Counter[tuple[str, str]]:
        """How often each message reached each contact, as the CRM counted it."""
        return Counter(
            (write["contact_id"], write["value"]) for write in self.crm.writes("nurture_message_id") if write["value"]
        )

    def export(self, **world: Any) -> None:
        """Put the world's events into the emulator again, broken or mended."""
        changed = generate(people=PEOPLE, days=DAYS, last_day=self.day, seed=SEED, **world)
        days = {day: changed.events(day) for day in changed.days[-4:]}
        export_days(days, rest_url=stack.bigquery(self.state).rest_url, project=PROJECT_ID, dataset=DATASET)

    def airflow(self, *words: str) -> str:
        command = [str(Path(sys.executable).parent / "airflow"), *words]
        done = subprocess.run(command, env=environment(self.state), capture_output=True, text=True, check=True)
        return done.stdout


@pytest.fixture(scope="module")
def nights() -> Iterator[Nights]:
    """The demo's stack in a folder of its own, filled, with one good night run."""
    state = fresh(8080)
    try:
        api = stack.start(state, print)
        day = night.last_day(datetime.now(UTC))
        fill(state, Wanted(day), print)
        api.wait_for_dags({"customer_data", "lead_nurture"}, 60)
        started = Nights(state, api, day)
        started.run("customer_data")
        started.run("lead_nurture")
        yield started
    finally:
        stack.stop(state, print)
        stack.delete_data(state, print)


def test_a_good_day_passes_every_gate_and_is_trusted(nights: Nights) -> None:
    with nights.warehouse() as connection:
        failed = connection.execute(
            "SELECT check_name, detail FROM ops.gate_result WHERE status NOT IN ('pass', 'warn')"
        ).fetchall()

    assert nights.runs["customer_data"]["state"] == "success"
    assert failed == []
    assert nights.one("SELECT status FROM ops.trusted_day WHERE day = %s", nights.day) == "trusted"
    assert nights.one("SELECT count(*) FROM raw_ga4.events") > 5_000
    assert nights.one("SELECT count(DISTINCT event_day) FROM staging.events") == DAYS


def test_the_crm_carries_what_the_ledger_says_seen_by_the_vendors_own_client(nights: Nights) -> None:
    client = HubSpot(access_token=TOKEN, host=nights.state.crm_url)
    names = ["nurture_subject", "nurture_body", "nurture_cta", "nurture_message_id", "nurture_campaign", "nurture_template"]
    contacts = [c for c in client.crm.contacts.get_all(properties=names) if c.properties.get("nurture_message_id")]
    with nights.warehouse() as connection:
        ledger = dict(
            connection.execute("SELECT crm_id, message_id FROM ops.push_ledger WHERE state = 'confirmed'").fetchall()
        )

    assert len(contacts) > 50
    assert {c.id: c.properties["nurture_message_id"] for c in contacts} == ledger
    for contact in contacts:
        assert all(contact.properties[name] for name in names)
        assert contact.properties["nurture_campaign"] == "lead_nurture"
        assert re.fullmatch(r"(lead_nurture@v2|static_template@v3)", contact.properties["nurture_template"])
        assert not re.search(r"\{[a-z_]+\}", contact.properties["nurture_body"]), "a placeholder was not filled"


def test_nobody_without_consent_has_a_message(nights: Nights) -> None:
    wrong = nights.one(
        """
        SELECT count(*) FROM ops.push_ledger AS ledger JOIN staging.contacts AS contact USING (crm_id)
        WHERE contact.is_opted_out OR contact.consent_status = 'denied'
           OR (contact.consent_status <> 'granted' AND contact.region IS DISTINCT FROM 'US')
        """
    )
    suppressed = nights.one("SELECT count(DISTINCT suppressed_reason) FROM marts.audience")

    assert wrong == 0
    assert suppressed >= 3


def test_there_are_fewer_model_calls_than_people(nights: Nights) -> None:
    people = nights.one("SELECT count(*) FROM marts.audience WHERE arm = 'ai'")
    calls = nights.one("SELECT count(*) FROM ops.llm_call WHERE status = 'ok'")

    assert 0 < calls < people


def test_flagged_copy_waits_and_an_answer_lets_it_go(nights: Nights) -> None:
    run_id = nights.runs["lead_nurture"]["dag_run_id"]
    waiting = nights.one("SELECT count(*) FROM ops.message WHERE lane = 'approval'")
    assert waiting > 0, "the sandbox writer was told to write something risky now and then"
    assert nights.states("lead_nurture")["approve_flagged"] == "awaiting_input"
    detail = nights.api.get("/dags/~/dagRuns/~/hitlDetails", response_received="false")["hitl_details"][0]
    assert "discount" in detail["body"]

    _approve_all(nights, run_id, note="agreed with sales")

    assert nights.api.get(f"/dags/lead_nurture/dagRuns/{run_id}")["state"] == "success"
    assert nights.one("SELECT decision, reviewer, note FROM ops.approval LIMIT 1") == (
        "approved",
        "admin",
        "agreed with sales",
    )
    pushed = nights.one(
        """
        SELECT count(*) FROM ops.push_ledger AS ledger JOIN ops.approval AS approval USING (copy_id)
        WHERE ledger.state = 'confirmed' AND approval.decision = 'approved'
        """
    )
    assert pushed == waiting


def test_everyone_selected_is_accounted_for(nights: Nights) -> None:
    lost = nights.one(
        """
        SELECT count(*) FROM marts.audience AS audience
        LEFT JOIN ops.push_ledger AS ledger USING (campaign, person_id, slot)
        WHERE audience.suppressed_reason IS NULL AND audience.arm <> 'none' AND ledger.state IS NULL
        """
    )

    assert lost == 0


def test_the_same_night_again_asks_no_model_and_sends_nothing(nights: Nights) -> None:
    before = nights.messages_seen_by_crm()
    calls = nights.one("SELECT count(*) FROM ops.llm_call")
    tables = _fingerprints(nights)

    nights.run("customer_data")
    nights.run("lead_nurture")

    assert nights.runs["lead_nurture"]["state"] == "success"
    assert nights.one("SELECT count(*) FROM ops.llm_call") == calls
    assert nights.messages_seen_by_crm() == before
    assert max(before.values()) == 1
    assert _fingerprints(nights) == tables


def test_the_summary_names_every_promised_figure(nights: Nights) -> None:
    said: list[str] = []
    with nights.warehouse() as connection:
        for dag_id in ("customer_data", "lead_nurture"):
            print_night(connection, nights.api, run=nights.runs[dag_id], day=str(nights.day), say=said.append)

    text = "\n".join(said)
    for word in ("loaded", "gate", "limit 5.00%", "limit 2.00%", "audience", "suppressed", "distinct pieces", "calls",
                 "tokens", "$", "pushed", "seconds"):  # fmt: skip
        assert word in text


def test_pages_of_the_plugin_ask_who_it_is(nights: Nights) -> None:
    run_id = nights.runs["customer_data"]["dag_run_id"]
    token = httpx.post(
        f"{nights.state.airflow_url}/auth/token", json={"username": "admin", "password": nights.state.password}
    ).json()["access_token"]
    paths = {
        "/nurture/": "customer_data",
        f"/nurture/run?dag_id=customer_data&run_id={run_id}": "missing",
        f"/nurture/data-docs?dag_id=customer_data&run_id={run_id}&gate=gate_customer_data": "Expectation",
    }
    for path, word in paths.items():
        url = nights.state.airflow_url + path.replace("+", "%2B")
        assert httpx.get(url).status_code == 401, path
        answer = httpx.get(url, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200 and word in answer.text, path


def test_a_broken_day_is_stopped_red_and_a_backfill_of_failed_runs_mends_it(nights: Nights) -> None:
    sent = nights.messages_seen_by_crm()
    nights.export(breakage=["user_ids_missing"])
    nights.run("customer_data")

    states = nights.states("customer_data")
    assert nights.runs["customer_data"]["state"] == "failed"
    assert states["gate_customer_data"] == "success" and states["report_run"] == "failed"
    assert states["resolve_identity"] == states["trust_day"] == "skipped"
    status, reason = nights.one("SELECT status, reason FROM ops.trusted_day WHERE day = %s", nights.day)
    assert status == "stopped" and "user_id" in reason
    nights.run("lead_nurture")
    assert nights.runs["lead_nurture"]["state"] == "failed"
    assert nights.states("lead_nurture")["push_ready"] == "upstream_failed"
    assert nights.messages_seen_by_crm() == sent

    nights.export()
    for dag_id in ("customer_data", "lead_nurture"):
        words = _documented_backfill(dag_id, nights.day)
        nights.airflow(*words)
        for _ in nights.api.watch(dag_id, nights.runs[dag_id]["dag_run_id"], 180):
            pass
        run = nights.api.get(f"/dags/{dag_id}/dagRuns/{nights.runs[dag_id]['dag_run_id']}")
        assert (run["state"], run["run_type"]) == ("success", "backfill"), dag_id

    assert nights.one("SELECT status FROM ops.trusted_day WHERE day = %s", nights.day) == "trusted"
    assert nights.messages_seen_by_crm() == sent, "who has the message of this week gets no second one"


def test_no_log_xcom_or_prompt_carries_a_name_or_an_address(nights: Nights) -> None:
    world = generate(people=PEOPLE, days=DAYS, last_day=nights.day, seed=SEED)
    addresses = {c.properties["email"].lower() for c in world.contacts if c.properties.get("email")}
    surnames = {c.properties["lastname"] for c in world.contacts if len(c.properties.get("lastname", "")) > 6}
    logs = "\n".join(path.read_text(errors="replace") for path in (AIRFLOW_HOME / "logs").rglob("*.log"))
    with psycopg.connect(stack.postgres(nights.state).url("airflow")) as connection:
        xcoms = str(connection.execute("SELECT key, value FROM xcom").fetchall())
    prompts = str(RunningModel(nights.state.model_url).admin("requests"))

    assert len(logs) > 10_000 and len(prompts) > 10_000
    for where, text in (("logs", logs), ("XComs", xcoms), ("prompts", prompts)):
        assert "@example.com" not in text, where
        assert not [address for address in addresses if address in text.lower()], where
        assert not [name for name in surnames if re.search(rf"\b{re.escape(name)}\b", text)], where


def _approve_all(nights: Nights, run_id: str, *, note: str) -> None:
    """Answer, and answer again when Airflow asks again.

    An answer within a second of the question can meet the scheduler before it has heard that the asking process ended:
    it then takes the task for killed, and its next try asks anew (apache/airflow#72716, open with 3.3.2).
    """
    path = f"/dags/lead_nurture/dagRuns/{run_id}/taskInstances/approve_flagged/-1/hitlDetails"
    for _ in range(3):
        nights.api.send("PATCH", path, {"chosen_options": ["Approve all"], "params_input": {"note": note}})
        for _ in nights.api.watch("lead_nurture", run_id, 120):
            pass
        if nights.states("lead_nurture")["approve_flagged"] != "awaiting_input":
            return


def _documented_backfill(dag_id: str, day: date) -> list[str]:
    """README's own command for `dag_id`, with its days replaced by `day`."""
    readme = (Path(__file__).resolve().parents[1] / "README.md").read_text()
    command = next(line for line in readme.splitlines() if line.startswith("airflow backfill create") and dag_id in line)
    return re.sub(r"20\d\d-\d\d-\d\d", str(day), command).split()[1:]


def _fingerprints(nights: Nights) -> dict[str, str]:
    # Not raw_hubspot.contacts: our own push has changed lastmodifieddate there. tests/crm covers it.
    tables = ("raw_ga4.events", "staging.events", "marts.person", "marts.person_identity", "marts.person_features")
    sql = "SELECT md5(string_agg(row::text, '|' ORDER BY row::text)) FROM {} AS row"
    return {table: nights.one(sql.format(table)) for table in tables}
