"""Reading a GA4 export file that may hold anything."""

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import generate
from sandbox.world.ga4_file import link, read

DAY = date(2020, 11, 6)
MICROS = 1_604_674_804_912_269
GOOD = {"event_date": "20201106", "event_timestamp": MICROS, "event_name": "page_view", "user_pseudo_id": "1.1",
        "event_params": [{"key": "ga_session_id", "value": {"int_value": 5}}]}  # fmt: skip


def param(**value: Any) -> dict[str, Any]:
    return {"event_params": [{"key": "k", "value": value}]}


def written(folder: Path, *lines: Any) -> Path:
    path = folder / "export.ndjson"
    path.write_bytes(b"\n".join(x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines))
    return path


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        (b"{not json", None, "not JSON"),
        (b'{"a": NaN}', None, "NaN is not JSON"),
        (b"[" * 100_000, None, "nested too deeply"),
        (b"\xff\xfe\x00", None, "not JSON"),
        (b"[1, 2]", None, "expected a JSON object, found list"),
        ({**GOOD, "event_date": "2020-11-06"}, "event_date", "YYYYMMDD"),
        ({**GOOD, "event_date": "20201332"}, "event_date", "YYYYMMDD"),
        ({**GOOD, "event_date": 20201106}, "event_date", "found 20201106"),
        ({**GOOD, "event_timestamp": "soon"}, "event_timestamp", "found str of length 4"),
        ({**GOOD, "event_timestamp": 1.5}, "event_timestamp", "found 1.5"),
        ({**GOOD, "event_timestamp": True}, "event_timestamp", "found True"),
        ({**GOOD, "event_timestamp": 1_000_000}, "event_timestamp", "more than 3 days from event_date 2020-11-06"),
        ({**GOOD, "event_timestamp": MICROS // 1000}, "event_timestamp", "more than 3 days"),
        ({**GOOD, "event_timestamp": 10**30}, "event_timestamp", "whole microseconds"),
        ({**GOOD, "event_name": " "}, "event_name", "non-empty string"),
        ({**GOOD, "event_name": None}, "event_name", "found None"),
        ({**GOOD, "event_params": "x"}, "event_params", "expected a list"),
        ({**GOOD, "event_params": [{"value": {}}]}, "event_params", "string `key`"),
        ({**GOOD, "event_params": [{"key": "k", "value": 3}]}, "event_params", "typed value, found 3"),
        (GOOD | param(string_value="ü" * 40_000), "event_params", "80000 bytes, at most 65536"),
        (GOOD | param(string_value=5), "event_params", "string_value is 5"),
        (GOOD | param(int_value="many"), "event_params", "int_value is str"),
        (GOOD | param(double_value="1.5"), "event_params", "double_value is str"),
        ({**GOOD, "user_id": 17}, "user_id", "expected a string or null, found 17"),
        ({**GOOD, "items": [3]}, "items", "list of objects"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_with_number_field_and_reason_and_the_rest_is_read(
    tmp_path: Path, line: Any, field: str | None, reason: str
) -> None:
    file = read(written(tmp_path, GOOD, line, GOOD))

    assert file.count(DAY) == 2
    [bad] = file.bad
    assert (bad.key, bad.line_number, bad.field) == ("export.ndjson:2", 2, field)
    assert reason in bad.reason and 0 < len(bad.raw) <= 2000


def test_a_line_without_end_is_passed_over(tmp_path: Path) -> None:
    file = read(written(tmp_path, GOOD, b'{"x": "' + b"x" * 25_000_000 + b'"}', GOOD))

    assert file.count(DAY) == 2
    assert [bad.line_number for bad in file.bad] == [2] and "longer than" in file.bad[0].reason


def test_integers_written_as_strings_and_left_out_lists_are_read_as_bigquery_exports_them(tmp_path: Path) -> None:
    exported = {"event_date": "20201106", "event_timestamp": str(MICROS), "event_name": "page_view", "user_pseudo_id": "1.1"}
    file = read(written(tmp_path, exported, exported | param(int_value="-7")))

    rows = list(file.rows(DAY))

    assert [row["event_timestamp"] for row in rows] == [MICROS, MICROS]
    assert rows[0]["event_params"] == [] and rows[1]["event_params"][0]["value"]["int_value"] == -7


def test_a_torn_gzip_file_gives_what_was_whole_and_says_where_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "torn.ndjson.gz"
    rows = b"".join(json.dumps({**GOOD, "n": n}).encode() + b"\n" for n in range(20_000))
    path.write_bytes(gzip.compress(rows)[:-2000])

    file = read(path)

    assert 1000 < file.count(DAY) < 20_000
    assert "gzip file cannot be read" in file.bad[-1].reason


def test_an_empty_file_has_no_days(tmp_path: Path) -> None:
    file = read(written(tmp_path))

    assert file.days == [] and file.bad == []


def test_the_worlds_own_rows_are_good_rows(tmp_path: Path) -> None:
    rows = generate(people=50, days=2, last_day=DAY).events(DAY)
    file = read(written(tmp_path, *rows))

    assert file.bad == [] and list(file.rows(DAY)) == rows


def test_real_rows_are_all_good_and_carry_no_user_id(shared_data: Path) -> None:
    file = read(shared_data / "ga4" / "ga4_merch_store_events_sample.ndjson.gz")

    assert file.bad == []
    assert len(file.days) == 92 and sum(map(file.count, file.days)) == 700 and len(file.visitors) == 178
    assert not any(row["user_id"] for day in file.days for row in file.rows(day))


def test_firebase_rows_of_a_property_far_from_utc_are_good_too(shared_data: Path) -> None:
    file = read(shared_data / "ga4" / "firebase_floodit_events_sample.ndjson.gz")

    assert file.bad == [] and sum(map(file.count, file.days)) == 866


def test_linking_gives_that_share_of_visitors_one_key_each_on_all_their_events(shared_data: Path) -> None:
    file = read(shared_data / "ga4" / "ga4_merch_store_events_sample.ndjson.gz")

    keys = link(file, 0.4, seed=1)

    found = {(row["user_pseudo_id"], row["user_id"]) for day in file.days for row in file.rows(day)}
    assert len(keys) == len(set(keys)) == 71
    assert {user_id for _, user_id in found} == {*keys, None}
    assert len(found) == 178
    assert keys == link(file, 0.4, seed=1) and set(keys) != set(link(file, 0.4, seed=2))


def test_a_share_that_is_no_share_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="from 0 to 1, found 40"):
        link(read(written(tmp_path, GOOD)), 40, seed=1)
