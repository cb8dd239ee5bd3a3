"""Bad rows are kept once, with what was wrong, in a form that PostgreSQL takes."""

import psycopg
import pytest

from nurture.warehouse.dead_letter import PAYLOAD_LIMIT, DeadLetter, bury


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ("a\x00b", "ab"),
        ("\x00\x00", ""),
        ("written as \\u0000", "written as \\u0000"),
        ("\\\x00", "\\"),
        ("{{ 7*7 }} </script>", "{{ 7*7 }} </script>"),
    ],
)
def test_a_payload_survives_whatever_it_holds(warehouse: psycopg.Connection, found: str, kept: str) -> None:
    bury(warehouse, [DeadLetter("crm.push", "k", "why", payload={"x": found})])

    assert warehouse.execute("SELECT payload ->> 'x' FROM ops.dead_letter").fetchone() == (kept,)


def test_a_row_met_again_counts_an_attempt_and_opens_again(warehouse: psycopg.Connection) -> None:
    bury(warehouse, [DeadLetter("ga4.events", "t:1", "first")], dag_id="d", run_id="1")
    warehouse.execute("UPDATE ops.dead_letter SET resolved_at = now()")

    bury(warehouse, [DeadLetter("ga4.events", "t:1", "second")], dag_id="d", run_id="2")

    row = warehouse.execute("SELECT attempts, reason, run_id, resolved_at FROM ops.dead_letter").fetchall()
    assert row == [(2, "second", "2", None)]


def test_a_huge_payload_is_cut_and_says_so(warehouse: psycopg.Connection) -> None:
    bury(warehouse, [DeadLetter("hubspot.contacts", "1", "too long", payload="x" * 10 * PAYLOAD_LIMIT)])

    row = warehouse.execute("SELECT payload -> 'cut_to', length(payload::text) FROM ops.dead_letter").fetchone()
    assert row is not None and row[0] == PAYLOAD_LIMIT and row[1] < PAYLOAD_LIMIT + 100
