"""Check files: what a table must be like, how bad it is when it is not, and why.

One file a table, `include/checks/<schema>.<table>.yaml`. Reading one imports nothing heavy.
"""

import datetime
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from nurture.errors import ConfigError
from nurture.paths import CHECKS
from nurture.policy import Gates, Policy
from nurture.strict_yaml import Strict, read_strict

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1)]
NonNegative = Annotated[float, Field(ge=0)]


class Explained(Strict):
    """An announced change of one event name, both days included."""

    event_name: Text
    from_: datetime.date = Field(alias="from")
    until: datetime.date
    why: Text


class Check(Strict):
    """One check.

    Attributes:
        name: unique among all check files; the key in `ops.gate_result`.
        expectation: `query` (a measure in `include/sql/checks/`), `column_types`, or the name of a Great Expectations class.
        arguments: what that kind takes.
        threshold: a number or a key of `gates` in the policy. A figure below it passes, and so does a figure of 0;
            of a row count it is the least.
        unit: what the figure counts; `share` is shown in per cent.
        severity: `stop` ends the night, `warn` is shown.
        why: what goes wrong when the check is ignored.
        explained: announced changes, for the week-over-week check.
    """

    name: Name
    expectation: Text
    arguments: dict[str, Any] = Field(default_factory=dict)
    threshold: NonNegative | str
    unit: Text
    severity: Literal["stop", "warn"]
    why: Text
    explained: tuple[Explained, ...] = ()

    @field_validator("threshold")
    @classmethod
    def _is_a_policy_key(cls, value: float | str) -> float | str:
        if isinstance(value, str) and value not in Gates.model_fields:
            raise ValueError(
                f"no such key of `gates` in include/policy.yaml. Valid keys are: {', '.join(sorted(Gates.model_fields))}"
            )
        return value

    def limit(self, policy: Policy) -> float:
        """The threshold as a number."""
        return float(getattr(policy.gates, self.threshold)) if isinstance(self.threshold, str) else self.threshold


class CheckFile(Strict):
    """The checks of one table.

    Attributes:
        table: `schema.table`, the same as the file's name.
        rows: which rows expectations on columns look at: all, the days that the night read again, the CRM's living
            contacts, or one campaign's night. Measures say so in their SQL.
        key: the columns that name an offending row; ids only.
        checks: at least one.
    """

    table: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
    rows: Literal["all", "reread_days", "living", "campaign_night"]
    key: Annotated[tuple[Name, ...], Field(min_length=1)]
    checks: Annotated[tuple[Check, ...], Field(min_length=1)]


class _Outline(Strict):
    """The file with its entries unread, so that an error can name the entry."""

    table: Any
    rows: Any
    key: Any
    checks: tuple[dict[str, Any], ...]


def read_checks(table: str, folder: Path = CHECKS) -> CheckFile:
    """Read the check file of `table`.

    Raises:
        ConfigError: no such file, or a key or value in it is wrong; names file, entry and the valid choices.
    """
    path = folder / f"{table}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
        raise ConfigError(f"{path}: no check file for the table `{table}`. There are files for: {known}.")
    outline = read_strict(path, _Outline)
    for place, entry in enumerate(outline.checks, 1):
        _reject_bad(path, entry, f"entry `{entry.get('name', place)}`")
    file = read_strict(path, CheckFile)
    names = [check.name for check in file.checks]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"{path}: entry names must differ; found twice: {', '.join(twice)}.")
    if file.table != table:
        raise ConfigError(f"{path}: `table` is `{file.table}`, expected `{table}` like the file's name.")
    return file


def _reject_bad(path: Path, entry: dict[str, Any], where: str) -> None:
    try:
        Check.model_validate(entry)
    except ValidationError as error:
        lines = []
        for item in error.errors():
            key = ".".join(str(part) for part in item["loc"])
            fields = Explained if item["loc"][0] == "explained" else Check
            valid = ", ".join(sorted(field.alias or name for name, field in fields.model_fields.items()))
            problem = {
                "extra_forbidden": f"unknown key `{key}`. Valid keys are: {valid}.",
                "missing": f"key `{key}` is missing; add it.",
            }.get(item["type"], f"`{key}`: {re.sub('^Value error, ', '', item['msg'])}; found {str(item['input'])[:80]!r}.")
            lines.append(f"{path}: {where}: {problem}")
        raise ConfigError("\n".join(dict.fromkeys(lines))) from None
