"""From check files to expectations of Great Expectations. Importing this module imports it (seconds)."""

import datetime
import json
import math
import re
from typing import Any

import great_expectations.expectations as gxe
import sqlalchemy
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.row_conditions import Column

from nurture.errors import ConfigError
from nurture.paths import CHECKS, SQL
from nurture.policy import Policy
from nurture.quality.checks import Check, CheckFile
from nurture.quality.expectations import ExpectColumnTypes, ExpectMeasureBelow
from nurture.quality.verdict import figure

NATIVE = {
    name: kind
    for name, kind in vars(gxe).items()
    if isinstance(kind, type) and (issubclass(kind, ColumnMapExpectation) or kind is gxe.ExpectTableRowCountToBeBetween)
}
"""The expectations of Great Expectations whose figure can be held against one threshold."""


def expectations(file: CheckFile, policy: Policy, night: dict[str, Any]) -> list[Any]:
    """One expectation for each check of `file`.

    Args:
        night: `day` (a date), `dag_id`, `run_id` and, for a campaign's tables, `campaign`.

    Raises:
        ConfigError: an unknown expectation, argument, SQL file or parameter.
    """
    condition = _row_condition(file, policy, night)
    built = []
    for check in file.checks:
        where = f"{CHECKS / file.table}.yaml: entry `{check.name}`"
        common = {
            "meta": {"check": check.name},
            "description": f"{check.name} ({limit_words(check, policy)}). {check.why}",
            "severity": "critical" if check.severity == "stop" else "warning",
        }
        try:
            built.append(_expectation(check, where, common, condition, policy, night))
        except (ValueError, TypeError) as error:  # how Great Expectations and pydantic reject arguments
            raise ConfigError(f"{where}: the arguments do not fit {check.expectation}: {error}") from None
    return built


def _expectation(
    check: Check, where: str, common: dict[str, Any], condition: Any, policy: Policy, night: dict[str, Any]
) -> Any:
    limit = check.limit(policy)
    if check.expectation == "query":
        statement, parameters = _measure(check, where, policy, night)
        return ExpectMeasureBelow(statement=statement, parameters=parameters, threshold=limit, unit=check.unit, **common)
    if check.expectation == "column_types":
        return ExpectColumnTypes(threshold=limit, unit=check.unit, **check.arguments, **common)
    if check.expectation not in NATIVE:
        choices = ", ".join(["query", "column_types", *sorted(NATIVE)])
        raise ConfigError(f"{where}: unknown expectation `{check.expectation}`. Valid ones are: {choices}.")
    kind = NATIVE[check.expectation]
    if kind is gxe.ExpectTableRowCountToBeBetween:
        limits: dict[str, Any] = {"min_value": int(limit)}
    else:
        # `mostly` lets its own value pass; a figure that equals the threshold must not.
        limits = {"mostly": 1.0 if limit == 0 else min(1.0, math.nextafter(round(1 - limit, 12), 2))}
    return kind(**check.arguments, **limits, row_condition=condition, **common)


def _measure(check: Check, where: str, policy: Policy, night: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The SQL of a measure, and a value for each parameter that it binds."""
    folder = SQL / "checks"
    name = str(check.arguments.get("sql", ""))
    path = folder / f"{name}.sql"
    if not re.fullmatch(r"[a-z_]+", name) or not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.sql")))
        raise ConfigError(f"{where}: `arguments.sql` is `{name}`; files in {folder} are: {known}.")
    statement = re.sub(r"^\s*--.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    own = {key: value for key, value in check.arguments.items() if key != "sql"}
    known_values = {
        **policy.gates.model_dump(),
        "reread_days": policy.ga4.reread_days,
        "identified_events": list(policy.ga4.identified_events),
        "threshold": check.limit(policy),
        "explained": json.dumps([item.model_dump(mode="json", by_alias=True) for item in check.explained]),
        **night,
        "day": night["day"].isoformat(),
        **own,
    }
    bound = sqlalchemy.text(statement).compile().params.keys()
    if missing := sorted(bound - known_values.keys()):
        raise ConfigError(
            f"{where}: {path} binds {', '.join(missing)}, which has no value. There are: {', '.join(known_values)}."
        )
    if unused := sorted(own.keys() - bound):
        raise ConfigError(f"{where}: unknown argument `{', '.join(unused)}`; {path} binds: {', '.join(sorted(bound))}.")
    return statement, {key: known_values[key] for key in bound}


def _row_condition(file: CheckFile, policy: Policy, night: dict[str, Any]) -> Any:
    """The rows that expectations on columns look at; values are bound by SQLAlchemy."""
    day: datetime.date = night["day"]
    if file.rows == "reread_days":
        first = day - datetime.timedelta(days=policy.ga4.reread_days - 1)
        return (Column("event_day") >= first) & (Column("event_day") <= day)
    if file.rows == "living":
        return (Column("is_archived") == False) & Column("merged_into").is_null()  # noqa: E712
    if file.rows == "campaign_night":
        if "campaign" not in night:
            raise ConfigError(f"The gate on {file.table} needs a campaign: give `campaign` to the operator.")
        return (Column("campaign") == night["campaign"]) & (Column("day") == day)
    return None


def limit_words(check: Check, policy: Policy) -> str:
    """The threshold for people."""
    limit = check.limit(policy)
    if check.expectation == "ExpectTableRowCountToBeBetween":
        return f"must be at least {figure(limit, check.unit)}"
    return "must be 0" if limit == 0 else f"must be below {figure(limit, check.unit)}"
