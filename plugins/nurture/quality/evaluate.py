"""Great Expectations on one table: expectations in, results for people out. Importing this module imports it (seconds)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import great_expectations as gx
import psycopg
import sqlalchemy
from great_expectations.datasource.fluent.interfaces import TestConnectionError

from nurture.policy import Policy
from nurture.quality.checks import Check, CheckFile
from nurture.quality.suite import expectations, limit_words
from nurture.quality.verdict import CheckResult, GateBroken, Status, figure, without_addresses

SAMPLE = 20
# Enough for the figures; no value of any row is fetched.
FIGURES_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}

TELLING_ERRORS = {
    "UndefinedColumn",
    "UndefinedTable",
    "UndefinedFunction",
    "SyntaxError",
    "OperationalError",
    "InsufficientPrivilege",
}
"""Errors of PostgreSQL whose message names things of the schema, never a value of a row."""


@contextmanager
def warehouse_source(info: psycopg.ConnectionInfo) -> Iterator[Any]:
    """A data source over the database that `info` is connected to; its sessions are read-only and end with the block.

    Raises:
        GateBroken: the warehouse does not answer.
    """
    # psycopg2, because Great Expectations binds dates in row conditions as text, which psycopg 3 types strictly.
    url = sqlalchemy.URL.create(
        "postgresql+psycopg2", username=info.user, password=info.password or None, host=info.host, port=info.port,
        database=info.dbname, query={k: v for k, v in info.get_parameters().items() if k.startswith("ssl")},
    )  # fmt: skip
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    try:
        source = context.data_sources.add_postgres(
            "warehouse",
            connection_string=url.render_as_string(hide_password=False),
            kwargs={"connect_args": {"options": "-c default_transaction_read_only=on"}},
        )
    except TestConnectionError as error:
        raise GateBroken(f"The warehouse does not answer, so nothing was judged: {_explain(str(error))}") from None
    try:
        yield source
    finally:
        source.get_engine().dispose()
        source.get_execution_engine().engine.dispose()


@dataclass(frozen=True)
class Evaluation:
    """One table judged: results in the order of the check file, and what Great Expectations returned, if it came so far."""

    results: list[CheckResult]
    suite_result: Any | None

    @classmethod
    def of(cls, file: CheckFile, source: Any, policy: Policy, night: dict[str, Any]) -> "Evaluation":
        """Judge the table of `file`.

        Raises:
            ConfigError: the check file is wrong.
        """
        suite = gx.ExpectationSuite(name=file.table, expectations=expectations(file, policy, night))
        schema, table = file.table.split(".")
        try:
            asset = source.add_table_asset(file.table, table_name=table, schema_name=schema)
            batch = asset.add_batch_definition_whole_table("night").get_batch()
        except Exception as error:
            # Whatever keeps the table from being read at all: every check on it is an error, and the gate raises.
            return cls([_error(check, file, policy, _explain(str(error))) for check in file.checks], None)
        judged = batch.validate(suite, result_format=FIGURES_ONLY)
        by_name = {item.expectation_config.meta["check"]: item for item in judged.results}
        return cls([_result(check, by_name[check.name], file, policy, batch) for check in file.checks], judged)


def _result(check: Check, judged: Any, file: CheckFile, policy: Policy, batch: Any) -> CheckResult:
    if problem := _exception(judged.exception_info):
        return _error(check, file, policy, problem)
    observed, found, sample_keys = _figures(judged)
    if not judged.success and not sample_keys and "unexpected_count" in judged.result:
        sample_keys = _offending_keys(judged, file, batch)
    shown = f"{found}: {figure(observed, check.unit)}" if check.unit == "share" else found
    detail = f"{shown} ({limit_words(check, policy)})."
    status: Status = "pass"
    if observed is None:
        status, detail = "warn", f"Not judged: {found}."
    elif not judged.success:
        stops = check.severity == "stop" and not judged.result.get("details", {}).get("only_warns")
        status, detail = ("fail" if stops else "warn"), f"{detail} {check.why}"
    keys = tuple(without_addresses(key) for key in sample_keys[:SAMPLE])
    return CheckResult(
        check.name, file.table, check.severity, status, observed, check.limit(policy), check.unit, detail, keys
    )


def _figures(judged: Any) -> tuple[float | None, str, list[str]]:
    """Figure, words and offending keys, of our own expectations, of those on values and of those on the row count."""
    result, column = judged.result, judged.expectation_config.kwargs.get("column")
    if "found" in result.get("details", {}):
        return result["observed_value"], result["details"]["found"], result["details"]["sample_keys"]
    if "unexpected_count" in result:
        count, rows = result["unexpected_count"] or 0, result["element_count"]
        return (count / rows if rows else 0.0), f"{count} of {rows} rows are wrong or empty in `{column}`", []
    return float(result["observed_value"]), f"{result['observed_value']} rows", []


def _offending_keys(judged: Any, file: CheckFile, batch: Any) -> list[str]:
    """Ask again, of the failed expectation alone: naming rows of every expectation would scan for each."""
    wanted = {
        "result_format": "SUMMARY",
        "partial_unexpected_count": SAMPLE,
        "unexpected_index_column_names": list(file.key),
    }
    again = batch.validate(judged.expectation_config.to_domain_obj(), result_format=wanted)
    rows = again.result.get("partial_unexpected_index_list") or []
    return [":".join(_word(row[column]) for column in file.key) for row in rows]


def _word(value: Any) -> str:
    return str(value).replace("-", "") if hasattr(value, "isoformat") else str(value)


def _error(check: Check, file: CheckFile, policy: Policy, problem: str) -> CheckResult:
    detail = f"Could not be evaluated: {problem}"
    return CheckResult(check.name, file.table, check.severity, "error", None, check.limit(policy), check.unit, detail)


def _exception(info: dict[str, Any] | None) -> str | None:
    """What went wrong in one expectation; Great Expectations files it under itself or under each metric."""
    if not info:
        return None
    entries = [info] if "raised_exception" in info else list(info.values())
    raised = [entry for entry in entries if entry.get("raised_exception")]
    return _explain(str(raised[0].get("exception_message"))) if raised else None


def _explain(message: str) -> str:
    """The first line of an error, unless it may quote a row: then only its kind."""
    database = re.search(r"(?:psycopg2?\.(?:errors\.)?)(\w+)\W+(.*)", message)
    if database and database[1] not in TELLING_ERRORS:
        return f"PostgreSQL raised {database[1]}."
    line = (database[2] if database else message).strip().splitlines()[0]
    return without_addresses(line)[:300]
