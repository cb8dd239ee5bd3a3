"""Whether one line of a GA4 export file is a usable row."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NoReturn

MAX_LINE_BYTES = 10 * 1024 * 1024
MAX_PARAM_BYTES = 65_536
DAYS_APART = 3  # GA4 accepts late events for 72 hours
VALUE_FIELDS = {"string_value", "int_value", "float_value", "double_value"}

Row = dict[str, Any]


class BadLineError(Exception):
    """The line is not a row; `field` names what is wrong with it, where one field is."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.field = field


def parse_line(line: bytes) -> tuple[Row, date]:
    """The row in `line` and its `event_date`.

    Integers may be written as strings, as BigQuery's own JSON export writes them; they are numbers in the row.

    Raises:
        BadLineError: the line is not a GA4 export row.
    """
    if len(line) > MAX_LINE_BYTES:
        raise BadLineError(f"the line is longer than {MAX_LINE_BYTES} bytes; no GA4 row is: is this NDJSON?")
    try:
        row = json.loads(line, parse_constant=_refuse_constant)
    except RecursionError:
        raise BadLineError("nested too deeply to be a GA4 row") from None
    except ValueError as error:
        raise BadLineError(f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise BadLineError(f"expected a JSON object, found {type(row).__name__}")
    day = _event_date(row.get("event_date"))
    row["event_timestamp"] = _event_timestamp(row.get("event_timestamp"), day)
    name = row.get("event_name")
    if not isinstance(name, str) or not name.strip():
        raise BadLineError(f"expected a non-empty string, found {_shown(name)}", "event_name")
    row["event_params"] = _params(row.get("event_params"), "event_params")
    row["user_properties"] = _params(row.get("user_properties"), "user_properties")
    for key in ("user_id", "user_pseudo_id"):
        if not isinstance(row.get(key), str | None):
            raise BadLineError(f"expected a string or null, found {_shown(row[key])}", key)
    items = row.get("items") or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadLineError(f"expected a list of objects, found {_shown(items)}", "items")
    row["items"] = items
    return row, day


def _event_date(value: Any) -> date:
    try:
        if not isinstance(value, str) or len(value) != 8 or not value.isascii():
            raise ValueError
        return datetime.strptime(value, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise BadLineError(f"expected a date as YYYYMMDD, found {_shown(value)}", "event_date") from None


def _event_timestamp(value: Any, day: date) -> int:
    micros = _integer(value)
    if micros is None:
        raise BadLineError(f"expected whole microseconds since 1970, found {_shown(value)}", "event_timestamp")
    midnight = int(datetime.combine(day, time(0), UTC).timestamp()) * 1_000_000
    a_day = timedelta(days=1) // timedelta(microseconds=1)
    if not midnight - DAYS_APART * a_day <= micros < midnight + (1 + DAYS_APART) * a_day:
        raise BadLineError(
            f"{micros} µs lies more than {DAYS_APART} days from event_date {day}; expected microseconds UTC near that day",
            "event_timestamp",
        )
    return micros


def _params(params: Any, field: str) -> list[dict[str, Any]]:
    """The params with integers as numbers; an absent list is empty, as BigQuery's JSON export leaves it out."""
    if params is None:
        return []
    if not isinstance(params, list):
        raise BadLineError(f"expected a list of {{key, value}}, found {_shown(params)}", field)
    for param in params:
        if not isinstance(param, dict) or not isinstance(param.get("key"), str):
            raise BadLineError(f"expected objects with a string `key`, found {_shown(param)}", field)
        value = param.get("value")
        if value is None:
            param["value"] = {}
            continue
        if not isinstance(value, dict):
            raise BadLineError(
                f"param {param['key'][:80]}: expected an object with a typed value, found {_shown(value)}", field
            )
        _check_value(param["key"], value, field)
    return params


def _check_value(key: str, value: dict[str, Any], field: str) -> None:
    text, whole = value.get("string_value"), value.get("int_value")
    if not isinstance(text, str | None):
        raise BadLineError(f"param {key[:80]}: string_value is {_shown(text)}, expected a string", field)
    if text and len(text) > MAX_PARAM_BYTES // 4 and (size := len(text.encode(errors="replace"))) > MAX_PARAM_BYTES:
        raise BadLineError(f"param {key[:80]}: {size} bytes, at most {MAX_PARAM_BYTES} are accepted", field)
    if whole is not None and (value.update(int_value=_integer(whole)) or value["int_value"] is None):
        raise BadLineError(f"param {key[:80]}: int_value is {_shown(whole)}, expected a 64-bit integer", field)
    for name in ("float_value", "double_value"):
        if isinstance(value.get(name), bool) or not isinstance(value.get(name), int | float | None):
            raise BadLineError(f"param {key[:80]}: {name} is {_shown(value[name])}, expected a number", field)


def _integer(value: Any) -> int | None:
    """`value` as a 64-bit integer, or None when it is none."""
    if isinstance(value, str) and len(value) <= 20 and value.removeprefix("-").isdecimal() and value.isascii():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        return None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _shown(value: Any) -> str:
    """The kind of `value`, and a number itself; never text, which may be personal."""
    if isinstance(value, bool) or value is None or isinstance(value, int | float):
        return f"{value!r}"[:40]
    return f"{type(value).__name__} of length {len(value)}" if hasattr(value, "__len__") else type(value).__name__
