"""Reading pieces of any shape from an answer, and taking them to the store and back."""

import json
from typing import Any

import pytest

from nurture.copywriting.citations import Citation
from nurture.copywriting.pieces import LONGEST_ANSWER, BadAnswer, Piece, read_piece
from nurture.copywriting.shapes import Limit, Shape
from nurture.copywriting.templates import read_template

LIMIT = Limit(max_words=20, max_characters=200)
MESSAGE = Shape(limits={"headline": LIMIT, "body": LIMIT, "cta": LIMIT})
LINES = Shape(limits={"subject_lines": Limit(max_words=9, max_characters=60, items=2), "note": LIMIT}, citations="sentence")


def test_in_list_mode_every_sentence_may_rest_on_any_cited_fact() -> None:
    answer = {"headline": "Stock", "body": "Count it. Shall we?", "cta": "Go", "cited_fact_ids": ["b", "a", "b"]}

    piece = read_piece(json.dumps(answer), MESSAGE)

    assert piece.texts == {"headline": "Stock", "body": "Count it. Shall we?", "cta": "Go"}
    assert piece.cited_fact_ids == ["b", "a"]
    assert piece.facts_of("body", "Shall we?") == piece.facts_of("cta", "Go") == ("b", "a")


def test_in_sentence_mode_markers_say_which_sentence_rests_on_which_fact() -> None:
    answer = {"subject_lines": ["A look [count-what]", "Why?"], "note": "Count it. [count-what, price] Shall we?"}

    piece = read_piece(json.dumps(answer), LINES)

    assert piece.texts == {"subject_lines.1": "A look", "subject_lines.2": "Why?", "note": "Count it. Shall we?"}
    assert piece.citations == (
        Citation("subject_lines.1", "A look", ("count-what",)),
        Citation("note", "Count it.", ("count-what", "price")),
    )
    assert piece.cited_fact_ids == ["count-what", "price"]
    assert piece.facts_of("note", "Shall we?") == piece.facts_of("subject_lines.1", "Count it.") == ()


@pytest.mark.parametrize(
    ("shape", "answer", "said"),
    [
        (MESSAGE, None, "is empty"),
        (MESSAGE, " \n", "is empty"),
        (MESSAGE, "Dear reader", "is not JSON; expected one JSON object with headline, body, cta, cited_fact_ids"),
        (MESSAGE, "[" * 5_000, "is not JSON"),
        (MESSAGE, ["a"], "a JSON list, not an object"),
        (MESSAGE, {"headline": "a"}, "body: Field required; cta: Field required; cited_fact_ids: Field required"),
        (MESSAGE, {"headline": "a", "body": 3, "cta": "", "cited_fact_ids": []}, "body: not a text; cta: a blank text"),
        (MESSAGE, {"headline": "a", "body": "b", "cta": "c", "cited_fact_ids": "x"}, "cited_fact_ids: a list was asked for"),
        (MESSAGE, {"headline": "a", "body": "b", "cta": "c", "cited_fact_ids": ["x", 1]}, "cited_fact_ids.2: not a text"),
        (MESSAGE, {"headline": "a", "body": "b", "cta": "c", "cited_fact_ids": [], "more": 1}, "more: nobody asked for it"),
        (MESSAGE, "x" * (LONGEST_ANSWER + 1), f"{LONGEST_ANSWER + 1} characters"),
        (LINES, {"subject_lines": ["a"], "note": "b"}, "subject_lines: 1 texts, not 2"),
        (LINES, {"subject_lines": "a", "note": "b"}, "subject_lines: a list was asked for"),
        (LINES, {"subject_lines": ["a", " "], "note": "b"}, "subject_lines.2: a blank text"),
        (LINES, {"subject_lines": ["a", "b"], "note": "b", "cited_fact_ids": []}, "cited_fact_ids: nobody asked for it"),
        (LINES, {"subject_lines": ["a", "b"], "note": "Count [it!]."}, "note has a bracket that is no citation"),
        (LINES, {"subject_lines": ["a", "[a] b"], "note": "c"}, r"subject_lines\.2 has a bracket that is no citation"),
    ],
)
def test_an_answer_of_the_wrong_shape_says_what_was_found(shape: Shape, answer: Any, said: str) -> None:
    text = answer if answer is None or isinstance(answer, str) else json.dumps(answer)

    with pytest.raises(BadAnswer, match=said):
        read_piece(text, shape)


def test_a_bracket_in_list_mode_is_left_to_the_guardrails() -> None:
    answer = {"headline": "Stock [new]", "body": "b", "cta": "c", "cited_fact_ids": ["a"]}

    assert read_piece(json.dumps(answer), MESSAGE).texts["headline"] == "Stock [new]"


def test_a_piece_comes_back_from_the_store_as_it_went_in() -> None:
    answer = {"subject_lines": ["A look [count-what]", "Why?"], "note": "Count it. [price] Shall we?"}
    piece = read_piece(json.dumps(answer), LINES)

    stored = json.loads(json.dumps(piece.stored()))

    assert Piece.from_stored(stored) == piece
    assert stored == {
        "subject_lines": ["A look", "Why?"],
        "note": "Count it. Shall we?",
        "cited_fact_ids": ["count-what", "price"],
        "citations": [
            {"part": "subject_lines.1", "sentence": "A look", "fact_ids": ["count-what"]},
            {"part": "note", "sentence": "Count it.", "fact_ids": ["price"]},
        ],
    }


def test_what_was_stored_before_there_were_citations_by_sentence_still_reads() -> None:
    piece = Piece.from_stored({"cta": "Go", "body": "One. Two.", "headline": "H", "cited_fact_ids": ["a"]})

    assert piece.texts == {"headline": "H", "body": "One. Two.", "cta": "Go"}
    assert piece.cited_fact_ids == ["a"]
    assert piece.facts_of("body", "Two.") == ("a",)


def test_the_schema_of_the_released_template_is_the_one_it_was_released_with() -> None:
    text = {"type": "string"}

    assert read_template("lead_nurture@v1").answer_schema == {
        "type": "object",
        "properties": {"headline": text, "body": text, "cta": text, "cited_fact_ids": {"type": "array", "items": text}},
        "required": ["headline", "body", "cta", "cited_fact_ids"],
        "additionalProperties": False,
    }


def test_a_list_part_is_an_array_and_sentence_mode_asks_for_no_list_of_ids() -> None:
    schema = LINES.answer_schema

    assert list(schema["properties"]) == schema["required"] == ["subject_lines", "note"]
    assert schema["properties"]["subject_lines"]["type"] == "array"
    assert "2" in schema["properties"]["subject_lines"]["description"]
