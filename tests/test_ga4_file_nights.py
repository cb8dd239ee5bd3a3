"""`make demo GA4_FILE=…` on real rows: as delivered the night is stopped, with linked visitors it completes."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest

from demo import night, stack
from demo.airflow import AirflowApi
from demo.fill import Wanted, fill
from demo.state import State, fresh

pytestmark = [pytest.mark.airflow, pytest.mark.emulator, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[State, AirflowApi, date]]:
    """The demo's stack, empty, with the scheduled run of last night held back."""
    state = fresh(8080)
    try:
        api = stack.start(state, print)
        fill(state, Wanted(date(2026, 11, 1)), print)  # an earlier world, of which nothing may be left
        api.wait_for_dags({"customer_data", "lead_nurture"}, 60)
        last_night = night.last_day(datetime.now(UTC))
        for dag_id in ("customer_data", "lead_nurture"):
            night.hold_back_scheduled_run(api, dag_id, last_night)
        yield state, api, last_night
    finally:
        stack.stop(state, print)
        stack.delete_data(state, print)


def _run(running: tuple[State, AirflowApi, date], file: Path, share: float) -> tuple[str, str, psycopg.Connection]:
    """Fill in `file`, run its last night; returns the states of both runs and a connection to the warehouse."""
    state, api, last_night = running
    days = fill(state, Wanted(last_night, file, share), print)
    states = [night.run_past_night(api, dag_id, days[-1], print)["state"] for dag_id in ("customer_data", "lead_nurture")]
    return states[0], states[1], psycopg.connect(stack.postgres(state).url("warehouse"))


def test_real_rows_as_delivered_stop_the_night_by_their_missing_ids(
    running: tuple[State, AirflowApi, date], shared_data: Path
) -> None:
    data, campaign, warehouse = _run(running, shared_data / "ga4" / "ga4_merch_store_events_sample.ndjson.gz", 0)

    with warehouse:
        failed = warehouse.execute("SELECT check_name, observed FROM ops.gate_result WHERE status = 'fail'").fetchall()
        reason = warehouse.execute("SELECT report ->> 'reason' FROM ops.run_report ORDER BY made_at").fetchone()
        rows = warehouse.execute("SELECT count(*) FROM raw_ga4.events").fetchone()
    assert (data, campaign) == ("failed", "failed")
    assert failed == [("missing_user_ids", 1.0)]
    assert reason is not None and "no event carries a user_id" in reason[0]
    assert rows == (700,)


def test_with_linked_visitors_the_night_completes_and_bad_lines_are_kept(
    running: tuple[State, AirflowApi, date], shared_data: Path, tmp_path: Path
) -> None:
    import gzip

    real = gzip.decompress((shared_data / "ga4" / "ga4_merch_store_events_sample.ndjson.gz").read_bytes())
    file = tmp_path / "export.ndjson"
    file.write_bytes(
        real + b"this is not JSON\n" + b'{"event_date": "20210131", "event_name": "x", "event_timestamp": "abc"}\n'
    )

    data, campaign, warehouse = _run(running, file, 0.4)

    with warehouse:
        linked = warehouse.execute("SELECT count(DISTINCT user_id) FROM raw_ga4.events WHERE user_id IS NOT NULL").fetchone()
        people = warehouse.execute("SELECT count(*) FROM marts.person_features").fetchone()
        letters = warehouse.execute(
            "SELECT key, field FROM ops.dead_letter WHERE source = 'ga4.file' ORDER BY key"
        ).fetchall()
        days = warehouse.execute("SELECT min(event_day), max(event_day) FROM raw_ga4.events").fetchone()
    assert (data, campaign) == ("success", "success")
    assert days == (date(2020, 11, 1), date(2021, 1, 31))
    assert linked == (71,)
    assert people is not None and people[0] > 5
    assert letters == [("export.ndjson:701", None), ("export.ndjson:702", "event_timestamp")]
