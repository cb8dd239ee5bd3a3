"""GA4 export days through BigQuery into the warehouse, with the operator, over the emulator's REST and gRPC."""

import gzip
import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from demo.bigquery import BigQueryEmulator
from demo.postgres import free_port
from nurture.errors import ConfigError, TerminalError, TransientError
from nurture.hooks import ga4
from nurture.hooks.ga4 import Ga4ExportHook
from nurture.operators.load_ga4_events import LoadGa4EventsOperator
from sandbox.ga4_export import export_days
from tests.ga4_fixtures import Row, bigquery, event, param

__all__ = ["bigquery"]
pytestmark = pytest.mark.emulator

DAY = date(2026, 11, 21)


class Site:
    """One GA4 property with its export in a dataset of its own, and the warehouse that it goes to."""

    def __init__(self, emulator: BigQueryEmulator, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.emulator, self.warehouse_url = emulator, warehouse_url
        self.dataset = f"analytics_{uuid4().hex[:8]}"
        url = conninfo_to_dict(warehouse_url)
        warehouse = {"conn_type": "postgres", "login": url["user"], "host": url["host"], "port": int(str(url["port"]))}
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(warehouse | {"schema": url["dbname"]}))
        monkeypatch.setenv("AIRFLOW_CONN_GA4", emulator.airflow_connection(self.dataset))

    def export(self, rows_by_day: dict[date, list[Row]], intraday: set[date] | None = None) -> int:
        where = {"rest_url": self.emulator.rest_url, "project": self.emulator.project, "dataset": self.dataset}
        return export_days(rows_by_day, intraday=intraday or (), **where)

    @property
    def client(self) -> Any:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud.bigquery import Client

        return Client(self.emulator.project, AnonymousCredentials())

    def run_night(self, day: date = DAY, run_id: str = "run-1") -> dict[str, Any]:
        operator = LoadGa4EventsOperator(task_id="load", day=day.isoformat())
        return operator.execute({"dag": SimpleNamespace(dag_id="customer_data"), "run_id": run_id})  # type: ignore[typeddict-item]

    def all(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.warehouse_url) as connection:
            return connection.execute(query.encode()).fetchall()

    def names(self) -> list[str]:
        return [name for (name,) in self.all("SELECT event_name FROM staging.events ORDER BY event_day, row_number")]


@pytest.fixture
def site(bigquery: BigQueryEmulator, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(bigquery, warehouse_url, monkeypatch)


def real_days(file: Path, how_many: int) -> dict[date, list[Row]]:
    days: dict[date, list[Row]] = {}
    with gzip.open(file) as lines:
        for row in map(json.loads, lines):
            days.setdefault(date.fromisoformat(row["event_date"]), []).append(row)
    return {day: days[day] for day in sorted(days)[:how_many]}


def spelled(row: Row, *columns: str) -> str:
    return json.dumps([row[column] for column in columns], sort_keys=True)


@pytest.mark.parametrize(
    ("file", "stream_type"), [("ga4_merch_store_events_sample", int), ("firebase_floodit_events_sample", str)]
)
def test_a_first_load_of_a_real_export_brings_every_event_with_its_parameters(
    site: Site, shared_data: Path, file: str, stream_type: type
) -> None:
    days = real_days(shared_data / "ga4" / f"{file}.ndjson.gz", 20)
    site.export(days)

    done = site.run_night(max(days))

    rows = [row for of_day in days.values() for row in of_day]
    assert {key: done[key] for key in ("rows", "dead", "first_load", "missing_days")} == {
        "rows": len(rows), "dead": 0, "first_load": True, "missing_days": []
    }  # fmt: skip
    assert dict(site.all("SELECT event_day, count(*) FROM raw_ga4.events GROUP BY 1")) == {
        d: len(r) for d, r in days.items()
    }
    kept = site.all(
        "SELECT (extract(epoch FROM event_at) * 1000000)::bigint, event_name, user_pseudo_id, event_params, "
        "user_properties, geo, stream_id FROM raw_ga4.events"
    )
    names = ("event_timestamp", "event_name", "user_pseudo_id", "event_params", "user_properties", "geo", "stream_id")
    nowhere = dict.fromkeys(("continent", "sub_continent", "country", "region", "city", "metro"))
    assert all(isinstance(row["stream_id"], stream_type) for row in rows)
    sent = [row | {"stream_id": str(row["stream_id"]), "geo": nowhere | row["geo"]} for row in rows]
    got = [dict(zip(names, row, strict=True)) for row in kept]
    assert Counter(spelled(row, *names) for row in got) == Counter(spelled(row, *names) for row in sent)


def test_a_night_reads_the_last_four_days_and_leaves_older_ones(site: Site) -> None:
    days = [DAY - timedelta(days=back) for back in range(6, -1, -1)]
    site.export({day: [event(day)] for day in days})
    site.run_night(DAY - timedelta(days=1))

    done = site.run_night()

    assert done == {
        "days": ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"], "rows": 4, "dead": 0, "intraday_days": [],
        "missing_days": [], "first_load": False, "new_columns": [],
    }  # fmt: skip
    assert len(site.names()) == 7


def test_a_day_that_google_rewrote_is_replaced(site: Site) -> None:
    site.export({DAY: [event(DAY, "kept"), event(DAY, "withdrawn", second=1)]})
    site.run_night()
    site.export({DAY: [event(DAY, "kept"), event(DAY, "late", second=2)]})

    site.run_night(run_id="run-2")

    assert site.names() == ["kept", "late"]


def test_two_runs_of_one_day_give_identical_tables(site: Site) -> None:
    rows = [event(DAY, second=number // 9, event_params=[param("n", number)]) for number in range(90)]
    content = """
        SELECT (SELECT md5(string_agg(e::text, '' ORDER BY event_day, row_number)) FROM raw_ga4.events e),
               (SELECT md5(string_agg(e::text, '' ORDER BY event_day, row_number)) FROM staging.events e)
    """
    site.export({DAY: rows})
    site.run_night()
    before = site.all(content)
    site.export({DAY: rows[::-1]})

    site.run_night(run_id="run-2")

    assert site.all(content) == before


def test_a_day_without_a_daily_table_is_read_from_the_intraday_one_and_says_so(site: Site) -> None:
    yesterday = DAY - timedelta(days=1)
    site.export({yesterday: [event(yesterday)], DAY: [event(DAY, "partial")]}, intraday={DAY})

    done = site.run_night()

    assert done["intraday_days"] == ["2026-11-21"]
    assert site.names() == ["page_view", "partial"]
    assert site.all("SELECT source, note FROM ops.load_log WHERE day = '2026-11-21'") == [
        ("ga4.events_intraday_20261121", "no daily table: read the intraday one, which may lack late events")
    ]


def test_the_daily_table_replaces_what_came_from_the_intraday_one(site: Site) -> None:
    site.export({DAY: [event(DAY, "partial")]}, intraday={DAY})
    site.run_night()
    site.export({DAY: [event(DAY, "whole"), event(DAY, "late", second=1)]})

    done = site.run_night(run_id="run-2")

    assert done["intraday_days"] == []
    assert site.names() == ["whole", "late"]


def test_the_daily_table_is_preferred_while_google_has_both(site: Site) -> None:
    site.export({DAY: [event(DAY, "whole")]})
    site.client.create_table(f"{site.dataset}.events_intraday_20261121")

    done = site.run_night()

    assert done["intraday_days"] == []
    assert site.names() == ["whole"]


def test_a_day_without_any_table_keeps_what_was_loaded_and_says_so(site: Site) -> None:
    site.export({day: [event(day)] for day in (DAY - timedelta(days=1), DAY)})
    site.run_night()
    site.client.delete_table(f"{site.dataset}.events_20261121")

    done = site.run_night(run_id="run-2")

    assert done["missing_days"] == ["2026-11-18", "2026-11-19", "2026-11-21"]
    assert len(site.names()) == 2
    assert site.all("SELECT loaded_rows, note FROM ops.load_log WHERE run_id = 'run-2' AND day = '2026-11-21'") == [
        (0, "no daily and no intraday table: rows loaded earlier for this day are kept")
    ]


def test_a_column_that_google_adds_is_kept_and_noted(site: Site) -> None:
    site.export({DAY: [event(DAY, consent={"basis": "granted", "score": 2}), event(DAY, second=1)]})

    done = site.run_night()

    assert done["new_columns"] == ["consent"]
    assert site.all("SELECT rest -> 'consent' FROM raw_ga4.events ORDER BY row_number") == [
        ({"basis": "granted", "score": 2},), (None,)
    ]  # fmt: skip
    assert "consent" in site.all("SELECT note FROM ops.load_log WHERE loaded_rows > 0")[0][0]


def test_rows_that_cannot_be_stored_are_set_aside_and_the_rest_is_loaded(site: Site) -> None:
    bad = [
        event(DAY, "old", event_timestamp=0), event(DAY, ""), event(DAY, "nul", user_id="a\0b"),
        event(DAY, "huge", event_params=[param("a", "x" * 70_000)]),
    ]  # fmt: skip
    site.export({DAY: [event(DAY, "good"), *bad]})

    done = site.run_night()

    assert (done["rows"], done["dead"]) == (1, 4)
    assert site.names() == ["good"]
    assert sorted(site.all("SELECT source, field FROM ops.dead_letter")) == [
        ("ga4.events", "event_name"), ("ga4.events", "event_params"), ("ga4.events", "event_timestamp"),
        ("ga4.events", "user_id"),
    ]  # fmt: skip


def test_a_day_larger_than_one_message_of_grpc_arrives_whole(site: Site) -> None:
    rows = [event(DAY, second=number % 3600, event_params=[param("text", f"{number}" * 1_000)]) for number in range(5_000)]
    site.export({DAY: rows})

    done = site.run_night()

    assert done["rows"] == 5_000
    assert site.all("SELECT sum(length(event_params #>> '{0,value,string_value}')) FROM raw_ga4.events") == [
        (sum(len(f"{number}" * 1_000) for number in range(5_000)),)
    ]


def test_a_dataset_without_an_export_ends_the_first_night_with_what_to_do(site: Site) -> None:
    site.export({})

    with pytest.raises(TerminalError, match=rf"{site.dataset} has no table events_YYYYMMDD up to 2026-11-21; .* `ga4`"):
        site.run_night()


def test_a_dataset_that_is_not_there_is_named(site: Site) -> None:
    with pytest.raises(TerminalError, match=rf"{site.dataset}: not found .* correct `project` and `dataset`"):
        site.run_night()


def test_a_connection_without_a_dataset_says_what_to_add(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_GA4", '{"conn_type": "google_cloud_platform", "extra": {"is_anonymous": true}}')

    with pytest.raises(ConfigError, match="`ga4` has no `dataset` in its extra"):
        _ = Ga4ExportHook().dataset


def test_bigquery_that_does_not_answer_is_worth_another_try(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.export({DAY: [event(DAY)]})
    monkeypatch.setattr(ga4, "PATIENCE_SECONDS", 1)
    export = Ga4ExportHook()
    [table] = export.export_tables([DAY])
    nobody = f"127.0.0.1:{free_port()}"
    extra = {"project": site.emulator.project, "dataset": site.dataset, "storage_endpoint": nobody, "is_anonymous": True}
    monkeypatch.setenv("AIRFLOW_CONN_GA4", json.dumps({"conn_type": "google_cloud_platform", "extra": extra}))

    with pytest.raises(TransientError, match=r"Reading .*events_20261121: BigQuery did not answer"):
        Ga4ExportHook().read(table)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", f"http://{nobody}")
    with pytest.raises(TransientError, match=r"Listing the tables of .*: BigQuery did not answer"):
        Ga4ExportHook().available_days()
