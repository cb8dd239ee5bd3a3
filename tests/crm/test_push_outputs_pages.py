"""The outputs of a night are claimed a page at a time: all of them, each once, for a cost that grows with the night only."""

from collections.abc import Iterator

import psycopg
import pytest
from campaign_night import CAMPAIGN, DAY, add_copy

from nurture.ledger.attempt import attempt
from nurture.ledger.output_rows import OutputRows


def confirm(warehouse: psycopg.Connection, people: int, slots: tuple[str, ...] = ("week-2026-W47",)) -> None:
    """Messages p00001…, one for each slot, that the CRM confirmed tonight, and as many of the night before."""
    warehouse.execute(
        """
        INSERT INTO ops.push_ledger (campaign, person_id, slot, day, state, reason, crm_id, message_id, copy_id, claim_token,
                                     run_id)
        SELECT %s, 'p' || lpad(n::text, 5, '0'), slot || night, %s::date - night, 'confirmed', 'written', n::text, 'm', %s,
               gen_random_uuid(), 'run-0'
        FROM generate_series(1, %s) AS n, unnest(%s::text[]) AS slot, unnest('{0, 1}'::int[]) AS night
        """,
        (CAMPAIGN, DAY, add_copy(warehouse, "copy-ai"), people, list(slots)),
    )
    warehouse.commit()


@pytest.fixture
def notes(warehouse: psycopg.Connection) -> Iterator[OutputRows]:
    """The notes of an attempt that has just begun."""
    with attempt(warehouse, campaign=CAMPAIGN, lane="ready", day=DAY, run_id="run-1") as mine:
        yield OutputRows(mine, "note")


def rows_read(warehouse: psycopg.Connection) -> int:
    """Rows of the two ledgers that sessions looked at since the database was made, as PostgreSQL counts them."""
    warehouse.execute("SELECT pg_stat_force_next_flush()")
    row = warehouse.execute(
        "SELECT sum(seq_tup_read + idx_tup_fetch)::int FROM pg_stat_user_tables"
        " WHERE schemaname = 'ops' AND relname IN ('push_ledger', 'push_output')"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_claim_reads_what_it_takes_and_not_the_rest_of_the_night(warehouse: psycopg.Connection, notes: OutputRows) -> None:
    messages, page = 3_000, 50
    confirm(warehouse, messages)
    warehouse.execute("ANALYZE ops.push_ledger")
    before = rows_read(warehouse)

    claimed = [row.key for rows in notes.claims(page) for row in rows]

    assert (len(claimed), len(set(claimed))) == (messages, messages)
    assert rows_read(warehouse) - before < 10 * messages, f"each of {messages // page} claims reads the whole night"


def test_pages_part_the_slots_of_a_person(warehouse: psycopg.Connection, notes: OutputRows) -> None:
    confirm(warehouse, 2, slots=("b", "a"))

    pages = [[(row.person_id, row.slot) for row in page] for page in notes.claims(3)]

    assert pages == [[("p00001", "a0"), ("p00001", "b0"), ("p00002", "a0")], [("p00002", "b0")]]


def test_what_was_let_go_of_behind_the_page_is_found_by_another_walk(
    warehouse: psycopg.Connection, notes: OutputRows
) -> None:
    confirm(warehouse, 5)
    pages: list[list[str]] = []
    let_go: dict[str, str] = {}

    for page in notes.claims(2):
        pages.append([row.person_id for row in page])
        if len(pages) == 1:
            let_go = {row.key: "let go" for row in page}
        elif len(pages) == 2:
            notes.move("sent", let_go)
            notes.move("claimed", let_go)

    assert pages == [["p00001", "p00002"], ["p00003", "p00004"], ["p00005"], ["p00001", "p00002"]]
