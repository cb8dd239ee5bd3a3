"""Which letters a person can choose, and those not tried again at once: copy, events, files, what was given up."""

from typing import Any

import psycopg
import pytest

from nurture.copywriting.store import find
from nurture.dead_letters.letters import Asking, Choice, choose, settle
from nurture.dead_letters.pieces import ask_again
from nurture.dead_letters.retry import give_up, retry
from nurture.dead_letters.sources import SOURCES
from nurture.warehouse.dead_letter import DeadLetter, bury

ASKING = Asking("retry_dead_letters", "manual__1", "robin", "wrong tag on the site")


def keep_refused_copy(warehouse: psycopg.Connection, request_hash: str, *, verdict: str = "rejected") -> None:
    warehouse.execute(
        """
        INSERT INTO ops.copy (copy_id, request_hash, campaign, template_id, template_version, origin, model, parameters,
                              context, fact_ids, output, verdict)
        VALUES (%(hash)s, %(hash)s, 'lead_nurture', 't', 1, 'model', 'm', '{}', '{}', '[]', '{}', %(verdict)s)
        """,
        {"hash": request_hash, "verdict": verdict},
    )


def bury_some(warehouse: psycopg.Connection) -> dict[str, int]:
    """One letter of each source; returns their ids by key."""
    bury(
        warehouse,
        [
            DeadLetter("ga4.events", "events_20261118:7", "user_id: too long", "user_id", {"event_name": "x"}),
            DeadLetter("ga4.file", "rows.jsonl:12", "no event_name"),
            DeadLetter("llm.copy", "hash-1", "ungrounded price. Static copy is sent instead.", payload={"output": {}}),
            DeadLetter("an.older.source", "k", "why"),
        ],
    )
    warehouse.commit()
    return dict(warehouse.execute("SELECT key, dead_letter_id FROM ops.dead_letter").fetchall())


def outcomes(warehouse: psycopg.Connection) -> dict[str, tuple[str, str]]:
    rows = warehouse.execute(
        "SELECT key, outcome, words FROM ops.dead_letter_retry JOIN ops.dead_letter USING (dead_letter_id)"
    ).fetchall()
    return {key: (outcome, words) for key, outcome, words in rows}


def handlers(warehouse: psycopg.Connection) -> Any:
    return {"llm.copy": lambda letters: ask_again(warehouse, letters)}


def test_every_letter_that_is_not_tried_again_says_why_and_how(warehouse: psycopg.Connection) -> None:
    letters = bury_some(warehouse)

    retry(warehouse, ASKING, Choice(ids=list(letters.values())), handlers(warehouse))

    said = outcomes(warehouse)
    assert {outcome for outcome, _ in said.values()} == {"not_retried"}
    assert "airflow backfill create --dag-id customer_data" in said["events_20261118:7"][1]
    assert "make demo GA4_FILE" in said["rows.jsonl:12"][1]
    assert "the next night that needs the piece asks anyway" in said["hash-1"][1]
    assert "nobody knows how" in said["k"][1]
    assert warehouse.execute("SELECT count(*) FROM ops.dead_letter WHERE resolved_at IS NULL").fetchone() == (4,)


def test_letters_that_stay_open_never_hide_those_that_can_be_mended(warehouse: psycopg.Connection) -> None:
    bury(warehouse, [DeadLetter("ga4.events", f"events_20261118:{row}", "too long") for row in range(3)])
    bury(warehouse, [DeadLetter("llm.copy", f"hash-{piece}", "ungrounded price") for piece in range(3)])
    warehouse.commit()
    chosen = []

    for run in range(3):
        retry(warehouse, Asking("retry_dead_letters", f"run-{run}", "robin"), Choice(limit=2), handlers(warehouse))
        rows = warehouse.execute(
            "SELECT key FROM ops.dead_letter_retry AS asked JOIN ops.dead_letter USING (dead_letter_id)"
            " WHERE asked.run_id = %s ORDER BY 1",
            (f"run-{run}",),
        )
        chosen.append([key for [key] in rows])

    assert chosen == [["hash-0", "hash-1"], ["hash-0", "hash-2"], ["hash-1", "hash-2"]]


def test_refused_copy_is_put_aside_so_that_the_piece_is_asked_for_again(warehouse: psycopg.Connection) -> None:
    bury_some(warehouse)
    keep_refused_copy(warehouse, "hash-1")

    retry(warehouse, ASKING, Choice(source="llm.copy"), handlers(warehouse))

    assert outcomes(warehouse)["hash-1"][0] == "waiting"
    assert warehouse.execute("SELECT count(*) FROM ops.copy").fetchone() == (0,)
    assert find(warehouse, []) == {}


def test_copy_that_anybody_was_shown_is_history_and_stays(warehouse: psycopg.Connection) -> None:
    bury_some(warehouse)
    keep_refused_copy(warehouse, "hash-1")
    warehouse.execute(
        "INSERT INTO ops.approval (campaign, day, copy_id, decision, decided_at, run_id)"
        " VALUES ('lead_nurture', '2026-11-20', 'hash-1', 'rejected', now(), 'r')"
    )

    retry(warehouse, ASKING, Choice(source="llm.copy"), handlers(warehouse))

    assert warehouse.execute("SELECT count(*) FROM ops.copy").fetchone() == (1,)


def test_a_letter_closes_when_the_piece_passes_the_guardrails_by_now(warehouse: psycopg.Connection) -> None:
    letters = bury_some(warehouse)
    keep_refused_copy(warehouse, "hash-1", verdict="clear")

    settled = settle(warehouse)

    assert settled == 1
    row = warehouse.execute(
        "SELECT resolved_at IS NOT NULL, resolution FROM ops.dead_letter WHERE dead_letter_id = %s", (letters["hash-1"],)
    ).fetchone()
    assert row == (True, "the piece passes the guardrails by now: clear")


@pytest.mark.parametrize(
    ("choice", "keys"),
    [
        (Choice(source="ga4.file"), ["rows.jsonl:12"]),
        (Choice(reason_contains="UNGROUNDED"), ["hash-1"]),
        (Choice(reason_contains="%"), []),
        (Choice(source="an.older.source", older_than_days=2), ["k"]),
        (Choice(source="ga4.events", older_than_days=2), []),
        (Choice(limit=1), ["hash-1"]),
    ],
)
def test_letters_are_chosen_by_every_condition_at_once(
    warehouse: psycopg.Connection, choice: Choice, keys: list[str]
) -> None:
    bury_some(warehouse)
    warehouse.execute("UPDATE ops.dead_letter SET last_seen_at = now() - interval '3 days' WHERE key = 'k'")

    chosen = choose(warehouse, ASKING, choice)

    assert [letter.key for letter in chosen] == keys


def test_a_second_attempt_of_a_run_goes_on_where_the_first_one_ended(warehouse: psycopg.Connection) -> None:
    every = Choice(ids=list(bury_some(warehouse).values()))

    def breaks(letters: Any) -> Any:
        yield {}
        raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError):
        retry(warehouse, ASKING, every, handlers(warehouse) | {"ga4.events": breaks})
    first = set(outcomes(warehouse).values())
    bury(warehouse, [DeadLetter("ga4.file", "rows.jsonl:13", "met after the run had chosen")])
    second = retry(warehouse, ASKING, every, handlers(warehouse))

    assert (None, None) in first and len(first) == 4, "the other sources were tried all the same"
    assert len(second) == 1
    assert {outcome for outcome, _ in outcomes(warehouse).values()} == {"not_retried"}


def test_what_is_given_up_stays_closed_until_another_payload_comes(warehouse: psycopg.Connection) -> None:
    letter_id = bury_some(warehouse)["events_20261118:7"]
    give_up(warehouse, ASKING, Choice(ids=[letter_id]))
    again = DeadLetter("ga4.events", "events_20261118:7", "user_id: too long", "user_id", {"event_name": "x"})

    def state() -> Any:
        return warehouse.execute(
            "SELECT given_up_by, given_up_note FROM ops.dead_letter WHERE dead_letter_id = %s", (letter_id,)
        ).fetchone()

    bury(warehouse, [again])
    same = state()
    chosen_without_naming_it = choose(warehouse, Asking("d", "r2", "robin"), Choice(source="ga4.events"))
    bury(warehouse, [DeadLetter("ga4.events", again.key, again.reason, "user_id", {"event_name": "y"})])

    assert same == ("robin", "wrong tag on the site")
    assert chosen_without_naming_it == []
    assert state() == (None, None)


def test_a_payload_has_the_same_hash_whatever_the_order_of_its_keys_and_also_beyond_what_is_kept(
    warehouse: psycopg.Connection,
) -> None:
    long = "x" * 20_000
    payloads = ({"a": 1, "b": long}, {"b": long, "a": 1}, {"a": 1, "b": long + "y"})
    bury(warehouse, [DeadLetter("ga4.events", str(n), "why", payload=payload) for n, payload in enumerate(payloads)])

    hashes = [row[0] for row in warehouse.execute("SELECT payload_hash FROM ops.dead_letter ORDER BY dead_letter_id")]

    assert hashes[0] == hashes[1] != hashes[2] and len(hashes[0]) == 64


def test_every_known_source_says_what_to_do() -> None:
    for source in SOURCES.values():
        assert all((source.what, source.key, source.remedy, source.retry)), source.name
