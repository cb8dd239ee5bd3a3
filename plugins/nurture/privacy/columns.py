"""SQL of the data map: which rows belong to the person of a request, and what becomes of their columns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

import psycopg
from psycopg import sql

from nurture.privacy.data_map import KINDS, OnlyKeys, Rule, Table, WithoutKeys

SHORT = 6  # a shorter identifier stands in dates, counts and ids of others too: only a whole value is the person's


@dataclass(frozen=True)
class Identifier:
    """One identifier of the person; personal data."""

    kind: str
    value: str
    replacement: str

    @property
    def is_number(self) -> bool:
        """Digits only: it may as well be a product, an order or a count of somebody else."""
        return self.value.isdecimal()


@dataclass(frozen=True)
class Subject:
    """The person of a request.

    Attributes:
        request_id: whose rows in `ops.privacy_subject` name the person.
        identifiers: the same, for columns of text.
    """

    request_id: int
    identifiers: Sequence[Identifier]

    @cached_property
    def parameters(self) -> dict[str, object]:
        """What `belongs`, `mentions` and `erased` bind."""
        bound: dict[str, object] = {"request_id": self.request_id}
        telling = [each for each in self.identifiers if not each.is_number]
        for name, some in (("", self.identifiers), ("_but_numbers", telling)):
            bound[f"pattern{name}"] = "|".join(pattern_of(each.value) for each in some)
            bound[f"likes{name}"] = [f"%{_escape_like(spelling)}%" for each in some for spelling in spellings(each.value)]
        for place, each in enumerate(self.identifiers):
            bound |= {f"pattern_{place}": pattern_of(each.value), f"replacement_{place}": each.replacement}
        return bound


def subject_of(connection: psycopg.Connection, request_id: int) -> Subject:
    """The person of a request, as `ops.privacy_subject` names them."""
    rows = connection.execute(
        "SELECT kind, value, replacement FROM ops.privacy_subject WHERE request_id = %s"
        " ORDER BY length(value) DESC, kind, value",
        (request_id,),
    ).fetchall()
    return Subject(request_id, [Identifier(*row) for row in rows])


def belongs(table: Table, name: str) -> sql.Composable:
    """The condition under which a row is the person's: an identifier in its column, or within a text that is redacted."""
    subjects = sql.SQL(  # also by what took its place: a foreign key may have carried it over from another table
        "SELECT unnest(ARRAY[value, replacement]) FROM ops.privacy_subject WHERE request_id = %(request_id)s AND kind = "
    )
    conditions: list[sql.Composable] = []
    for column, kind in table.identifiers.items():
        value: sql.Composable = sql.Identifier(column)
        if name.startswith("raw_"):  # as delivered
            value = sql.SQL("btrim({})").format(value)
        conditions.append(sql.SQL("{} IN ({}{})").format(value, subjects, sql.Literal(kind)))
    conditions += [mentions([column]) for column in table.texts]
    return sql.SQL(" OR ").join(conditions) if conditions else sql.SQL("false")


def mentions(columns: Sequence[str], *, but_numbers: bool = False) -> sql.Composable:
    """The condition under which one of the columns names the person anywhere; the quick look comes before the exact one.

    Args:
        but_numbers: identifiers of digits only are not looked for.
    """
    name = "_but_numbers" if but_numbers else ""
    text = sql.SQL("lower(concat_ws(E'\\n', {}))").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns)
    )
    return sql.SQL("({text} LIKE ANY ({likes}::text[]) AND {text} ~ {pattern})").format(
        text=text, likes=sql.Placeholder(f"likes{name}"), pattern=sql.Placeholder(f"pattern{name}")
    )


def erased(subject: Subject, column: str, rule: Rule, data_type: str, is_nullable: bool) -> sql.Composable | None:
    """What the column holds after the erasure; None where it stays as it is."""
    name = sql.Identifier(column)
    if rule in KINDS:
        return sql.SQL(
            "coalesce((SELECT replacement FROM ops.privacy_subject AS subject WHERE subject.request_id = %(request_id)s"
            " AND subject.kind = {} AND subject.value = btrim({})), {})"
        ).format(sql.Literal(rule), name, name)
    if rule == "clear":
        empty = {"jsonb": "'[]'::jsonb", "json": "'[]'::json", "text": "''"}
        return sql.SQL("NULL" if is_nullable else empty[data_type])
    if rule == "random":
        return sql.SQL("'erased_' || replace(gen_random_uuid()::text, '-', '')")
    if rule == "redact":
        text: sql.Composable = sql.SQL("{}::text").format(name)
        for place, each in enumerate(subject.identifiers):
            found, replacement = sql.Placeholder(f"pattern_{place}"), sql.Placeholder(f"replacement_{place}")
            if each.is_number and data_type in ("json", "jsonb"):  # a bare number may be a count: no text takes its place
                quoted = sql.SQL("""'(?<=")' || {} || '(?=")'""").format(found)
                text = _replaced(_replaced(text, quoted, replacement), found, sql.Literal("0"))
            else:
                text = _replaced(text, found, replacement)
        return sql.SQL("({})::{}").format(text, sql.SQL(data_type))
    if rule == "cut_query":
        return sql.SQL("ops.without_query({})").format(name)
    if isinstance(rule, OnlyKeys):
        return sql.SQL("ops.only_keys({}, {})").format(name, sql.Literal(list(rule.only)))
    if isinstance(rule, WithoutKeys):
        return sql.SQL("{} - {}::text[]").format(name, sql.Literal(list(rule.without)))
    if rule in ("scrub_event_params", "scrub_event_rest"):
        return sql.SQL("{}({})").format(sql.Identifier("ops", rule), name)
    return None


def spellings(value: str) -> set[str]:
    """How an identifier may stand in a text, in lower case: as it is, and as an address in the web writes it."""
    return {value.lower(), quote(value, safe="").lower()}


def pattern_of(value: str) -> str:
    """A regular expression of PostgreSQL that finds the identifier in lower-case text, and not within a longer word."""
    words = "|".join(sorted(map(re.escape, spellings(value))))
    if len(value) < SHORT:
        return rf'(?:(?<=")(?:{words})(?=")|(?<![^\n])(?:{words})(?![^\n]))'
    return rf"(?<![[:alnum:]])(?:{words})(?![[:alnum:]])"


def _replaced(text: sql.Composable, pattern: sql.Composable, replacement: sql.Composable) -> sql.Composed:
    return sql.SQL("regexp_replace({}, {}, {}, 'gi')").format(text, pattern, replacement)


def _escape_like(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
