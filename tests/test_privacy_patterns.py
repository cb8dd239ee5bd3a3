"""How an identifier is found within text: wherever it stands as itself, and not within somebody else's."""

import json

import psycopg
import pytest
from psycopg import sql

from nurture.privacy.columns import Identifier, Subject, erased, mentions


def subject(value: str) -> Subject:
    return Subject(1, [Identifier("email", value, "erased_1")])


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("ann@x.example", "Dear Ann@X.example, welcome", True),
        ("ann@x.example", "https://shop.example/?e=ann%40x.example&a=1", True),
        ("ann@x.example", '{"to": "ann@x.example"}', True),
        ("ann@x.example", "joann@x.example", False),
        ("ann@x.example", "ann@x.examples", False),
        ("ann+news@x.example", "to ann+news@x.example.", True),
        ("o'neil_100%@x.example", "o'neil_100%@x.example", True),
        ("straße@x.example", "an STRAßE@x.example", True),
        ("555.71000003", "GA1.1.555.71000003", True),
        ("user-100", "user-1000", False),
        ("user-100", "lead_nurture/user-100/week-2026-W47", True),
        ("12", "12", True),
        ("12", '["11", "12"]', True),
        ("12", '{"messages": 12}', False),
        ("12", "2026-11-12", False),
    ],
)
def test_an_identifier_is_found_as_itself_only(warehouse: psycopg.Connection, value: str, text: str, expected: bool) -> None:
    query = sql.SQL("SELECT {} FROM (SELECT %(text)s::text AS words) AS row").format(mentions(["words"]))

    found = warehouse.execute(query, subject(value).parameters | {"text": text}).fetchone()

    assert found == (expected,)


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("ann@x.example", "Ann@x.example and joann@x.example", "erased_1 and joann@x.example"),
        ("71000003", "lead_nurture/71000003/w", "lead_nurture/erased_1/w"),
        ("12", '["12", "112", 12]', '["erased_1", "112", 12]'),
        ("a.b", "a.b", "erased_1"),
        ("a.b-c.d", "axb-c.d", "axb-c.d"),
    ],
)
def test_only_the_identifier_is_replaced_within_a_text(
    warehouse: psycopg.Connection, value: str, text: str, expected: str
) -> None:
    given = subject(value)
    change = erased(given, "words", "redact", "text", True)
    assert change is not None
    query = sql.SQL("SELECT {} FROM (SELECT %(text)s::text AS words) AS row").format(change)

    assert warehouse.execute(query, given.parameters | {"text": text}).fetchone() == (expected,)


def test_a_number_that_is_also_a_count_leaves_json_that_can_be_read(warehouse: psycopg.Connection) -> None:
    given = subject("104233")
    change = erased(given, "words", "redact", "json", True)
    assert change is not None
    query = sql.SQL("SELECT {} FROM (SELECT %(text)s::text AS words) AS row").format(change)
    report = {"events": 104233, "rate": 0.104233, "ids": ["104233", 104233, 1042331], "words": "contact 104233 is refused"}

    left = warehouse.execute(query, given.parameters | {"text": json.dumps(report)}).fetchone()

    assert left == ({"events": 0, "rate": 0.0, "ids": ["erased_1", 0, 1042331], "words": "contact 0 is refused"},)
