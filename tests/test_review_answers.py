"""Reading a reviewer's answer: only a clear yes approves; whatever else comes, nothing is approved by mistake."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.copywriting.decisions import (
    APPROVE_ALL,
    AS_DECIDED,
    CHOICES,
    NOTE,
    STATIC,
    Decision,
    Shown,
    fields,
    read_answer,
    read_note,
    stands_in,
)

FIRST = Shown("a" * 64, {"headline": "Count less", "body": "Line one.\nLine two. [count-what]", "cta": "See how"})
SECOND = Shown("b" * 64, {"headline": "Pick faster", "body": "One round.", "cta": "Look"})
PIECES = [FIRST, SECOND]
UNCHANGED = "'edit' was chosen and nothing was changed; choose 'approve' to send it as it is"
CHANGED = "cta changed, yet 'edit' was not chosen: choose it to send the change"
EMPTIED = "the text cta was emptied: reject the piece or write a text"
P1, P2 = "piece_aaaaaaaaaaaa", "piece_bbbbbbbbbbbb"


def form(**changes: Any) -> dict[str, Any]:
    """What Airflow's form sends back: every field, changed or not."""
    return {NOTE: None} | {field.key: field.default for field in fields(PIECES)} | changes


def outcomes(chosen: str, given: Any) -> list[str]:
    return [decision.outcome for decision in read_answer(PIECES, [chosen], given)]


def test_the_form_asks_for_each_piece_and_shows_its_texts() -> None:
    assert [(field.key, field.default, bool(field.choices)) for field in fields(PIECES)][:4] == [
        (P1, "undecided", True),
        (f"{P1}_headline", "Count less", False),
        (f"{P1}_body", "Line one.\nLine two. [count-what]", False),
        (f"{P1}_cta", "See how", False),
    ]


@pytest.mark.parametrize(
    ("chosen", "given", "expected"),
    [
        (APPROVE_ALL, {}, ["approved", "approved"]),
        (APPROVE_ALL, None, ["approved", "approved"]),
        (APPROVE_ALL, {"note": "fine"}, ["approved", "approved"]),
        (APPROVE_ALL, form(), ["approved", "approved"]),
        (STATIC, form(**{P1: "approve"}), ["rejected", "rejected"]),
        (AS_DECIDED, form(), ["rejected", "rejected"]),
        (AS_DECIDED, form(**{P1: "approve"}), ["approved", "rejected"]),
        (AS_DECIDED, form(**{P1: "approve", P2: "reject"}), ["approved", "rejected"]),
        (AS_DECIDED, {P2: "approve"}, ["rejected", "approved"]),
        (AS_DECIDED, form(**{P1: "edit", f"{P1}_cta": "Look closer", P2: "approve"}), ["edited", "approved"]),
        (
            AS_DECIDED,
            form(**{P1: "approve", f"{P1}_body": "Line one.\r\nLine two. [count-what]\r\n"}),
            ["approved", "rejected"],
        ),
    ],
)
def test_a_clear_answer_is_followed(chosen: str, given: Any, expected: list[str]) -> None:
    assert outcomes(chosen, given) == expected


@pytest.mark.parametrize(
    ("chosen", "given", "reason"),
    [
        (AS_DECIDED, form(), "it was left undecided"),
        (AS_DECIDED, form(**{P1: "Approve"}), "the answer says 'Approve'; expected one of undecided, approve, reject, edit"),
        (AS_DECIDED, form(**{P1: True}), "the answer says 'True'; expected one of undecided, approve, reject, edit"),
        (AS_DECIDED, form(**{P1: None}), "the answer says 'None'; expected one of undecided, approve, reject, edit"),
        (AS_DECIDED, form(**{P1: "edit"}), UNCHANGED),
        (AS_DECIDED, {P1: "edit"}, UNCHANGED),
        (AS_DECIDED, form(**{P1: "edit", f"{P1}_cta": None}), EMPTIED),
        (AS_DECIDED, form(**{P1: "edit", f"{P1}_cta": "", f"{P1}_headline": "Count"}), EMPTIED),
        (AS_DECIDED, form(**{P1: "approve", f"{P1}_cta": " \r\n"}), EMPTIED),
        (APPROVE_ALL, form(**{f"{P1}_cta": None}), EMPTIED),
        (AS_DECIDED, form(**{P1: "edit", f"{P1}_cta": ["x"]}), "the field cta is no text"),
        (AS_DECIDED, form(**{P1: "approve", f"{P1}_cta": "Other"}), CHANGED),
        (APPROVE_ALL, form(**{f"{P1}_cta": "Other"}), CHANGED),
        (APPROVE_ALL, form(**{P1: "reject"}), "rejected on its own, in an answer 'Approve all'"),
    ],
)  # fmt: skip
def test_what_is_not_clearly_a_yes_is_a_no_and_says_why(chosen: str, given: dict[str, Any], reason: str) -> None:
    first = read_answer(PIECES, [chosen], given)[0]

    assert (first.outcome, first.reason) == ("rejected", reason)


@pytest.mark.parametrize("chosen", [APPROVE_ALL, AS_DECIDED])
def test_an_answer_to_a_form_of_other_copy_decides_nothing(chosen: str) -> None:
    """The form was opened, the night's copy was written again, then the form was sent."""
    old = form(**{P1: "approve", P2: "approve"})
    now = [Shown("c" * 64, FIRST.texts), SECOND]

    decisions = read_answer(now, [chosen], old)

    assert [decision.outcome for decision in decisions] == ["timed_out", "timed_out"]
    assert "belongs to another form: nobody decided on this piece" in (decisions[0].reason or "")


def test_fields_that_the_form_had_for_other_pieces_do_not_count() -> None:
    given = form(**{P1: "approve", P2: "reject"})
    others = [field.key for field in fields([FIRST])]

    decisions = read_answer([SECOND], [APPROVE_ALL], given | {P2: "approve"}, other_fields=others)

    assert decisions == [Decision(SECOND.copy_id, "approved")]


def test_a_piece_stands_in_a_form_that_has_all_its_texts_wherever_it_stands() -> None:
    shown = {field.key: field.default for field in fields([SECOND, FIRST])}

    assert stands_in(FIRST, shown)
    assert not stands_in(FIRST, shown | {f"{P1}_cta": "Other"})
    assert not stands_in(FIRST, {key: text for key, text in shown.items() if key != f"{P1}_body"})
    assert not stands_in(Shown("c" * 64, FIRST.texts), shown)


@pytest.mark.parametrize("chosen", [[], ["Approve"], [APPROVE_ALL, AS_DECIDED]])
def test_an_unknown_choice_approves_nothing(chosen: list[str]) -> None:
    decisions = read_answer(PIECES, chosen, form(**{P1: "approve"}))

    assert [decision.outcome for decision in decisions] == ["rejected", "rejected"]
    assert "expected one of 'Approve all', 'As decided below', 'Use static copy'" in (decisions[0].reason or "")


def test_an_edit_keeps_the_texts_that_were_not_changed() -> None:
    [first, _] = read_answer(PIECES, [AS_DECIDED], form(**{P1: "edit", f"{P1}_cta": " Look \r\n closer "}))

    assert first == Decision(FIRST.copy_id, "edited", texts={**FIRST.texts, "cta": "Look \n closer"})


anything = st.none() | st.booleans() | st.integers() | st.sampled_from(CHOICES) | st.text(max_size=9) | st.lists(st.text())
keys = st.sampled_from([field.key for field in fields(PIECES)] + [NOTE])


@settings(max_examples=150)
@given(st.dictionaries(keys | st.text(max_size=5), anything, max_size=6), st.sampled_from([AS_DECIDED, "", "Approve"]))
def test_no_answer_approves_a_piece_whose_field_does_not_say_so(given: dict[str, Any], chosen: str) -> None:
    decisions = read_answer(PIECES, [chosen], given)

    assert [decision.copy_id for decision in decisions] == [FIRST.copy_id, SECOND.copy_id]
    for key, decision in zip((P1, P2), decisions, strict=True):
        assert decision.outcome != "approved" or given.get(key) == "approve"
        assert decision.outcome != "edited" or given.get(key) == "edit"
        assert decision.outcome != "rejected" or decision.reason or given.get(key) == "reject"


@pytest.mark.parametrize(
    ("given", "note"), [({"note": " yes "}, "yes"), ({"note": ""}, None), ({"note": 7}, None), (None, None)]
)
def test_a_note_is_text_or_nothing(given: Any, note: str | None) -> None:
    assert read_note(given) == note
