"""`POST /crm/v3/objects/{contacts,notes,tasks}/search`: filters, sorts and paging turned into one SQL statement."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, LiteralString

from psycopg import sql
from pydantic import BaseModel, BeforeValidator, Field

from sandbox.crm import properties
from sandbox.crm.contacts import BIGGEST_ID
from sandbox.crm.database import Connection
from sandbox.crm.engagement_kinds import SEARCHED
from sandbox.crm.errors import invalid_input

RESULT_WINDOW = 10_000
MAX_FILTERS = 18
QUERY_PROPERTIES = ["email", "firstname", "lastname", "phone", "company"]
COLUMNS: dict[str, LiteralString] = {
    "hs_object_id": "id",
    "createdate": "created_at", "lastmodifieddate": "modified_at",
    "hs_createdate": "created_at", "hs_lastmodifieddate": "modified_at",
}  # fmt: skip
COMPARISONS = {"GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}
Text = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value)]


class Filter(BaseModel):
    propertyName: str
    operator: Literal[
        "EQ", "NEQ", "GT", "GTE", "LT", "LTE", "BETWEEN", "IN", "NOT_IN",
        "HAS_PROPERTY", "NOT_HAS_PROPERTY", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN",
    ]  # fmt: skip
    value: Text | None = None
    highValue: Text | None = None
    values: list[Text] = []


class FilterGroup(BaseModel):
    filters: Annotated[list[Filter], Field(max_length=6)]


class Sort(BaseModel):
    propertyName: str
    direction: Literal["ASCENDING", "DESCENDING"] = "ASCENDING"


class SearchRequest(BaseModel):
    """Groups are alternatives, the filters of a group must all hold."""

    filterGroups: Annotated[list[FilterGroup], Field(max_length=5)] = []
    sorts: Annotated[list[Sort | str], Field(max_length=1)] = []
    query: str | None = None
    properties: list[str] | None = None
    limit: Annotated[int, Field(ge=0, le=200)] = 10
    after: Annotated[int, Field(ge=0)] = 0


async def search(
    connection: Connection, request: SearchRequest, object_type: str = "contacts"
) -> tuple[int, list[dict[str, Any]]]:
    """How many objects match, and the rows of the page that was asked for.

    Raises:
        HubSpotError: 400 past the result window, for an unknown property or a value of the wrong type.
    """
    if request.after + request.limit > RESULT_WINDOW:
        raise invalid_input(f"The request goes past the {RESULT_WINDOW} results that search gives: narrow the filters.")
    if sum(len(group.filters) for group in request.filterGroups) > MAX_FILTERS:
        raise invalid_input(f"A search may have {MAX_FILTERS} filters in all.")
    definitions = await properties.definitions(connection, object_type)
    query = Query({name: d["type"] for name, d in definitions.items()}, object_type)
    statement = query.build(request)
    rows = await (await connection.execute(statement, query.values)).fetchall()
    return int(rows[0]["total"]), [row for row in rows if row["id"] is not None]


class Query:
    """Builds the statement; `values` are bound, nothing of the caller's becomes SQL text."""

    def __init__(self, types: dict[str, str], object_type: str = "contacts") -> None:
        self._types = types
        self._object_type = object_type
        self.values: dict[str, Any] = {}

    def build(self, request: SearchRequest) -> sql.Composed:
        groups: list[sql.Composable] = [
            sql.SQL("({})").format(sql.SQL(" AND ").join([sql.SQL("true"), *(self._condition(f) for f in group.filters)]))
            for group in request.filterGroups
        ]
        conditions: list[sql.Composable] = [sql.SQL("({})").format(sql.SQL(" OR ").join(groups))] if groups else []
        if request.query:
            conditions.append(self._full_text(request.query))
        index = "search_index"
        if self._object_type in SEARCHED:
            index = "engagement_search_index"
            conditions.append(sql.SQL("kind = {}").format(self._bind(self._object_type)))
        # Left join: the total is answered even where the page is empty.
        return sql.SQL(
            "WITH matching AS MATERIALIZED (SELECT id, {key} AS sort_key FROM {index} WHERE {conditions}),"
            " page AS (SELECT * FROM matching ORDER BY sort_key {direction} NULLS LAST, id LIMIT {limit} OFFSET {after})"
            " SELECT total, contact.* FROM (SELECT count(*) AS total FROM matching) AS counted"
            " LEFT JOIN (page JOIN {index} AS contact USING (id)) ON true"
            " ORDER BY sort_key {direction} NULLS LAST, id"
        ).format(
            **self._order(request.sorts),
            index=sql.Identifier("crm", index),
            conditions=sql.SQL(" AND ").join(conditions or [sql.SQL("true")]),
            limit=self._bind(request.limit),
            after=self._bind(request.after),
        )

    def _order(self, sorts: list[Sort | str]) -> dict[str, sql.Composable]:
        if not sorts:
            return {"key": sql.SQL("id"), "direction": sql.SQL("ASC")}
        given = sorts[0]
        if isinstance(given, str):
            given = Sort(propertyName=given.lstrip("-"), direction="DESCENDING" if given.startswith("-") else "ASCENDING")
        return {
            "key": self._typed(given.propertyName),
            "direction": sql.SQL("DESC" if given.direction == "DESCENDING" else "ASC"),
        }

    def _condition(self, given: Filter) -> sql.Composable:
        name, operator = given.propertyName, given.operator
        if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
            is_set = sql.SQL("{} IS NOT NULL" if operator == "HAS_PROPERTY" else "{} IS NULL")
            return is_set.format(self._typed(name))
        if operator in ("IN", "NOT_IN"):
            if not given.values:
                raise invalid_input(f"operator {operator} of {name} needs values")
            among = sql.SQL("{} = ANY ({})" if operator == "IN" else "{} <> ALL ({})")
            return among.format(self._typed(name), self._bind([self._converted(name, value) for value in given.values]))
        if given.value is None:
            raise invalid_input(f"operator {operator} of {name} needs a value")
        if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
            contains = sql.SQL("{} ~ {}" if operator == "CONTAINS_TOKEN" else "{} !~ {}")
            return contains.format(self._as_text(name), self._bind(_token_pattern(given.value)))
        value = self._bind(self._converted(name, given.value))
        if operator == "BETWEEN":
            if given.highValue is None:
                raise invalid_input(f"operator BETWEEN of {name} needs value and highValue")
            high = self._bind(self._converted(name, given.highValue))
            return sql.SQL("{} BETWEEN {} AND {}").format(self._typed(name), value, high)
        symbol = COMPARISONS.get(operator) or {"EQ": "=", "NEQ": "<>"}[operator]
        return sql.SQL("{} {} {}").format(self._typed(name), sql.SQL(symbol), value)

    def _full_text(self, words: str) -> sql.Composable:
        columns = [
            sql.SQL("lower(properties ->> {})").format(sql.Literal(name))
            for name in SEARCHED.get(self._object_type, QUERY_PROPERTIES)
        ]
        return sql.SQL("strpos(concat_ws(' ', {}), {}) > 0").format(sql.SQL(", ").join(columns), self._bind(words.lower()))

    def _typed(self, name: str) -> sql.Composable:
        """The property as what it is: time, number, or text in lower case (search ignores case)."""
        if name in COLUMNS:
            return sql.SQL(COLUMNS[name])
        kind = self._type(name)
        if kind == "number":
            return sql.SQL("crm.number(properties ->> {})").format(sql.Literal(name))
        if kind in ("date", "datetime"):
            return sql.SQL("crm.moment(properties ->> {})").format(sql.Literal(name))
        return self._as_text(name)

    def _as_text(self, name: str) -> sql.Composable:
        self._type(name)
        return sql.SQL("lower(properties ->> {})").format(sql.Literal(name))

    def _type(self, name: str) -> str:
        if name not in self._types or "%" in name:  # the name becomes a literal of the statement
            raise invalid_input(f"There was a problem with the request: property {name[:100]} does not exist")
        return self._types[name]

    def _converted(self, name: str, value: str) -> Any:
        """The value as what the property is; raises a 400 where it is not."""
        kind = self._type(name)
        try:
            if kind in ("date", "datetime"):
                return moment(value)
            if kind == "number":
                return min(int(value), BIGGEST_ID) if value.lstrip("-").isdigit() else float(value)
        except (ValueError, OverflowError, OSError):
            raise invalid_input(f"Value {value[:100]!r} of {name} is no {kind}") from None
        return value.lower()

    def _bind(self, value: Any) -> sql.Placeholder:
        name = f"value_{len(self.values)}"
        self.values[name] = value
        return sql.Placeholder(name)


def moment(value: str) -> datetime:
    """Milliseconds since 1970 or ISO 8601; UTC where no zone is given."""
    if value.lstrip("-").isdigit():
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    parsed = datetime.fromisoformat(value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _token_pattern(value: str) -> str:
    """A whole word, with `*` for any run of characters inside one word."""
    word = r"[^\s]*".join(re.escape(part) for part in value.lower().split("*"))
    return rf"(^|[^[:alnum:]]){word}($|[^[:alnum:]])"
