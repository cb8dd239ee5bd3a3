"""The approval step: what a reviewer is shown."""

import json
from collections.abc import Callable

import psycopg
from approval_step import TEXTS, Review, decisions, key

from nurture.copywriting.edits import with_markers
from nurture.copywriting.pieces import read_piece
from nurture.copywriting.shapes import Limit, Shape


def test_the_reviewer_sees_copy_reasons_facts_and_people_and_a_form_for_each_piece(
    review: Review, flag: Callable[..., str]
) -> None:
    rare, common = flag(people=1, headline="A rare one"), flag(people=3)

    asked = review.ask()

    assert "2 flagged pieces" in asked.subject
    first = next(line for line in asked.body.splitlines() if line.startswith("| 1 |"))
    shown = ["| 3 |", "Your stock report every morning", "says 'deal'", "**insight\\-what**",
             "Larkfield Insight sends the stock report to your inbox every morning",
             f"/message?message_id=message of {common}"]  # fmt: skip
    assert [words for words in shown if words not in first] == []
    names = [(common, part) for part in ("", *TEXTS)] + [(rare, part) for part in ("", *TEXTS)]
    assert list(asked.params) == ["note", *(key(*name) for name in names)]
    assert asked.params[key(common)]["schema"]["enum"] == ["undecided", "approve", "reject", "edit"]
    assert asked.params[key(rare, "headline")]["value"] == "A rare one"
    assert asked.params[key(rare, "headline")]["schema"]["type"] == ["null", "string"]
    assert (asked.options, asked.defaults) == (["Approve all", "As decided below", "Use static copy"], ["Use static copy"])


def test_what_a_model_wrote_is_neither_markup_nor_a_template(review: Review, flag: Callable[..., str]) -> None:
    flag(headline="<script>x</script> [a](javascript:b) | {{ 7*7 }} www.evil.example https://evil.example **b** a@b.example")

    row = next(line for line in review.ask().body.splitlines() if line.startswith("| 1 |"))

    for markup in ("<script", "[a](", " **b**"):
        assert markup not in row
    for address in ("www.evil.example", "https://evil.example", "a@b.example"):
        assert f"`` {address} ``" in row
    assert "7\\*7" in row
    assert row.count(" | ") == 5


def test_what_does_not_fit_into_the_form_is_static_and_the_reviewer_is_told(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    pieces = [flag(people=30 - n, cta=f"Show {n}") for n in range(21)]
    asked = review.ask()

    review.answer("Approve all")

    assert len(asked.params) == 1 + 20 * 4
    assert "1 more pieces for 10 people do not fit into one form" in asked.body
    kept = decisions(warehouse)
    assert {kept.pop(piece) for piece in pieces[:20]} == {("approved", None)}
    assert kept == {pieces[20]: ("timed_out", "the form had no room for it")}
    review.supervisor.form = None  # another run of the night
    assert "1 flagged piece waits" in review.ask().subject


def test_with_nothing_flagged_nobody_is_asked(review: Review) -> None:
    assert review.operator().execute(review.context) == {"flagged": 0}


def test_where_each_sentence_has_its_facts_the_form_shows_them_and_reads_them_back() -> None:
    shape = Shape(limits={"body": Limit(max_words=99, max_characters=999)}, citations="sentence")
    text = "Hello {first_name},\n\nCount counts. [count-what, count-price] It costs $49. [count-price] Shall we talk?"
    piece = read_piece(json.dumps({"body": text}), shape)

    shown = with_markers(piece, "body", piece.texts["body"])

    assert (shown, piece.texts["body"]) == (text, "Hello {first_name},\n\nCount counts. It costs $49. Shall we talk?")
