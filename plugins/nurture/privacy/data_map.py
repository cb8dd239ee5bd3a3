"""The typed form of `include/personal_data.yaml`: what each column of the warehouse holds, and what becomes of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nurture.paths import INCLUDE
from nurture.strict_yaml import Strict, read_strict

PERSONAL_DATA = INCLUDE / "personal_data.yaml"

Kind = Literal["person_id", "crm_id", "user_id", "user_pseudo_id", "email"]
KINDS: tuple[Kind, ...] = ("person_id", "crm_id", "user_id", "user_pseudo_id", "email")
Plain = Literal[
    "person_id", "crm_id", "user_id", "user_pseudo_id", "email",
    "keep", "clear", "random", "redact", "cut_query", "scrub_event_params", "scrub_event_rest",
]  # fmt: skip
Days = Annotated[int, Field(gt=0)]


class OnlyKeys(Strict):
    """Of a JSON object, only these keys are left."""

    only: tuple[str, ...]


class WithoutKeys(Strict):
    """Of a JSON object, these keys go."""

    without: tuple[str, ...]


Rule = Plain | OnlyKeys | WithoutKeys
"""What erasure does to a column of a row that belongs to the person.

A kind of identifier: the row is found by it, and where the row stays, a random value takes its place. `keep`: of a table
that is kept. `clear`: emptied. `random`: a new random value, where an empty one is not allowed. `redact`: each identifier of
the person within the text is replaced; rows are found by it too. `cut_query`: an address in the web without what follows `?`
or `#`. The rest are `ops.scrub_*` functions.
"""


class Retention(Strict):
    """Rows whose `by` is older than `days` are deleted, or lose the columns of `clear`.

    Attributes:
        when: a boolean column that must be true.
        at_least: days that gates, features or the ledger need; `days` may not be less.
    """

    by: str
    days: Days
    when: str | None = None
    clear: tuple[str, ...] = ()
    at_least: Days = 1

    @model_validator(mode="after")
    def _keeps_what_is_needed(self) -> Self:
        if self.days < self.at_least:
            raise ValueError(f"{self.days} days are fewer than the {self.at_least} that other steps need (at_least)")
        return self


class Table(Strict):
    """One table.

    Attributes:
        holds: what it is, in words for docs/privacy.md.
        erase: what becomes of a person's rows; `keep` needs `because`.
        columns: those by which rows are found or that change, each with its rule.
        searched: further columns in whose text a person may be named; rows are found by it.
        goes_with_row: other personal data of rows that are deleted.
        staff: who of the company decided something; no data of a contact, kept to answer for it.
        impersonal: the other columns.
        export: whether a person's rows go into an export.
        retention: when rows go by their age; without it, `kept` says why they stay.
    """

    holds: str
    erase: Literal["delete", "pseudonymise", "keep"] | None = None
    because: str | None = None
    columns: Mapping[str, Rule] = {}
    searched: tuple[str, ...] = ()
    goes_with_row: tuple[str, ...] = ()
    staff: tuple[str, ...] = ()
    impersonal: tuple[str, ...] = ()
    export: bool = True
    retention: tuple[Retention, ...] = ()
    kept: str | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if bool(self.columns) != (self.erase is not None):
            raise ValueError("a table with `columns` needs `erase`, and only such a table")
        if (self.erase == "keep") != (self.because is not None):
            raise ValueError("`because` says why a table is kept at an erasure: needed with `erase: keep`, and only there")
        if self.columns and (self.erase == "keep") != (set(self.columns.values()) == {"keep"}):
            raise ValueError("`erase: keep` and the rule `keep` go together: say of each column what becomes of it")
        if self.goes_with_row and self.erase != "delete":
            raise ValueError("`goes_with_row` is for tables with `erase: delete`; say under `columns` what becomes of each")
        if not self.retention and not self.kept:
            raise ValueError("say how long rows are kept (`retention`), or why they stay (`kept`)")
        if len(set(self.classified)) < len(self.classified):
            twice = sorted({name for name in self.classified if self.classified.count(name) > 1})
            raise ValueError(f"{', '.join(twice)}: named twice; a column is of one class")
        return self

    @property
    def classified(self) -> list[str]:
        """Every column that the data map names."""
        return [*self.columns, *self.goes_with_row, *self.staff, *self.impersonal]

    @property
    def identifiers(self) -> dict[str, Kind]:
        """The columns by which a person's rows are found, with the kind of identifier."""
        return {name: kind for name, rule in self.columns.items() for kind in KINDS if rule == kind}

    @property
    def texts(self) -> list[str]:
        """The columns of text in which a person's identifiers may stand."""
        return [*self.searched, *(name for name, rule in self.columns.items() if rule == "redact")]


class DataMap(Strict):
    """All tables of the warehouse, by `schema.table`, in the order in which erasure and retention go through them."""

    tables: Mapping[str, Table]

    @model_validator(mode="after")
    def _names_a_schema(self) -> Self:
        if wrong := [name for name in self.tables if name.count(".") != 1]:
            raise ValueError(f"expected schema.table, found {', '.join(wrong)}")
        return self


def load_data_map(path: Path = PERSONAL_DATA) -> DataMap:
    """Read the data map.

    Raises:
        ConfigError: the file is missing, is not YAML, or has an unknown, missing or ill-typed key.
    """
    return read_strict(path, DataMap)
