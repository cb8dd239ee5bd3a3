"""Where sentences end, and which facts a writer's markers give to which of them."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.copywriting.citations import BRACKET, read_markers
from nurture.copywriting.sentences import sentences

SENTENCES = [
    "Larkfield Count costs $1.5 a month, e.g. on a phone.",
    "Dr. Ines Vale, Acme Ltd. and {first_name} met at 6 a.m. on Jan. 5!",
    "It is no. 7 of 3.25 million; see p. 12 of the U.S. list",
    "Hi {first_name},",
    "- Shelf by shelf (bay by bay).",
    "2. Who counts, and when?",
    "“What a day,” she said… and left!",
    "Pickers walk up to 25% less.",
    "{persona} do the talking.",
    "Wait... what?!",
    "Σas 3 m² – 12 °C, naïve façade.",
]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        (" \n ", []),
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It costs $1.5. It weighs 3.25 kg.", ["It costs $1.5.", "It weighs 3.25 kg."]),
        ("Ask Dr. Vale, i.e. our engineer. Soon.", ["Ask Dr. Vale, i.e. our engineer.", "Soon."]),
        ("From 6 a.m. to 10 p.m. daily. Open.", ["From 6 a.m. to 10 p.m. daily.", "Open."]),
        ("It ends at 10 p.m. Then we close.", ["It ends at 10 p.m.", "Then we close."]),
        ("Take no. 5 of it. Say no. Then go.", ["Take no. 5 of it.", "Say no.", "Then go."]),
        ("J. Smith of the U.S. office came. I. You.", ["J. Smith of the U.S. office came.", "I.", "You."]),
        ("See larkfield.example/v1.2 now. Bye", ["See larkfield.example/v1.2 now.", "Bye"]),
        ("He said “Yes.” She left.", ["He said “Yes.”", "She left."]),
        ("Hi {first_name},\nWe count. {persona} read.", ["Hi {first_name},", "We count.", "{persona} read."]),
        ("- One item. More\n* another\n1. Third. Fourth", ["- One item.", "More", "* another", "1. Third.", "Fourth"]),
        ("Wait... what? Well... Then go", ["Wait... what?", "Well...", "Then go"]),
        ("It fits.It works.{persona} agree", ["It fits.", "It works.", "{persona} agree"]),
        ("安い。速い。", ["安い。", "速い。"]),
    ],
)
def test_a_text_falls_into_its_sentences(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from('aB1.!?…,\n \t$-*({[]})"”€日。\u2028é'), max_size=60) | st.text(max_size=60))
def test_no_text_is_lost_in_sentences(text: str) -> None:
    found = sentences(text)

    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(sentence == sentence.strip() and sentence for sentence in found)


@pytest.mark.parametrize(
    ("text", "clean", "cited"),
    [
        ("Count it. [a] Shall we?", "Count it. Shall we?", {"Count it.": ("a",)}),
        ("Count it. [a, b-2] Shall we?", "Count it. Shall we?", {"Count it.": ("a", "b-2")}),
        ("Count it [a]. Shall we?", "Count it. Shall we?", {"Count it.": ("a",)}),
        ("Count [a] it. Shall we?[b]", "Count it. Shall we?", {"Count it.": ("a",), "Shall we?": ("b",)}),
        ("Count it.[a]Shall we?", "Count it. Shall we?", {"Count it.": ("a",)}),
        ("Count it. [a] [b]\n\nWell. [b]\n[a]\n", "Count it.\n\nWell.", {"Count it.": ("a", "b"), "Well.": ("b", "a")}),
        ("Count it.\n[a] Shall we?", "Count it.\nShall we?", {"Count it.": ("a",)}),
        ("A title [a]", "A title", {"A title": ("a",)}),
        ("It costs $1.5. [a] Go.", "It costs $1.5. Go.", {"It costs $1.5.": ("a",)}),
        ("Count it.", "Count it.", {}),
    ],
)
def test_a_marker_belongs_to_the_sentence_before_it(text: str, clean: str, cited: dict[str, tuple[str, ...]]) -> None:
    found, citations = read_markers("body", text)

    assert found == clean
    assert {citation.sentence: citation.fact_ids for citation in citations} == cited
    assert {citation.part for citation in citations} <= {"body"}


@pytest.mark.parametrize(
    "text", ["[a] Count it.", "Count [A] it.", "Count it. [sic!]", "Count it. [a", "Count it. a]", "Count 【a】"]
)
def test_what_is_no_marker_stays_and_shows_as_a_bracket(text: str) -> None:
    clean, citations = read_markers("body", text)

    assert (clean, citations) == (text, ())
    assert BRACKET.search(clean)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(SENTENCES),
            st.lists(st.sampled_from(["count-what", "a", "price-2"]), unique=True, max_size=3),
            st.sampled_from(["", " "]),
        ),
        min_size=1, max_size=8, unique_by=lambda drawn: drawn[0],
    ),
    st.sampled_from([" ", "\n", "\n\n"]),
)  # fmt: skip
def test_markers_come_off_without_a_trace_and_each_sentence_keeps_its_own(
    drawn: list[tuple[str, list[str], str]], gap: str
) -> None:
    plain = "".join(_gap(before, sentence, gap) + sentence for before, (sentence, _, _) in _neighbours(drawn))
    marked = "".join(
        _gap(before, sentence, gap) + sentence + (f"{space}[{', '.join(ids)}]" if ids else "")
        for before, (sentence, ids, space) in _neighbours(drawn)
    )

    clean, citations = read_markers("body", marked)

    assert clean == plain
    assert sentences(clean) == [sentence for sentence, _, _ in drawn]
    assert {c.sentence: list(c.fact_ids) for c in citations} == {sentence: ids for sentence, ids, _ in drawn if ids}


def _neighbours(drawn: list[Any]) -> Iterable[tuple[str, Any]]:
    return zip(["", *(sentence for sentence, _, _ in drawn)], drawn, strict=False)


def _gap(before: str, sentence: str, gap: str) -> str:
    """What stands between: a line break where one of the two needs a line of its own."""
    if not before:
        return ""
    return "\n" if sentence.startswith(("-", "2.")) or before[-1] not in ".!?" else gap


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("aB1. !?[],;-\n日"), max_size=60))
def test_reading_markers_never_fails_and_loses_no_text(text: str) -> None:
    clean, citations = read_markers("body", text)

    if not BRACKET.search(clean):
        assert "".join(clean.split()) == "".join(re.sub(r"\[[^\]]*\]", "", text).split())
    assert all(citation.sentence in sentences(clean) and citation.fact_ids for citation in citations)
