"""Figures in copy and in facts: every spelling of one figure is one figure, and no invented one gets through."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.copywriting.copybook import Copybook
from nurture.copywriting.figures import covered_by, figures
from nurture.copywriting.guardrails import Terms, judge
from nurture.copywriting.number_words import ONES, TENS, value_of_words
from nurture.copywriting.pieces import Piece

BOOK = Copybook("lead_nurture@v1", "static_template@v3", date(2026, 11, 20))
FACT = BOOK.facts["count-accuracy"]  # 42 warehouses, 38%
TERMS = Terms(BOOK.template.limits, BOOK.template.placeholders, (FACT,), BOOK.vocabulary.product_names)
SCRIPTS = ("0", "٠", "०", "０", "๐", "𝟎")  # zero of ASCII, Arabic, Devanagari, fullwidth, Thai, mathematical bold


def claims(text: str) -> set[tuple[str, str, str]]:
    return {figure.claim for figure in figures(text)}


@pytest.mark.parametrize(
    "spellings",
    [
        ("1,000", "1000", "one thousand", "1k", "1'000", "１０００", "1 000"),
        ("30%", "30 %", "30 percent", "thirty percent", "30 per cent", "30.0 pct", "٣٠٪", "thirty-percent", "30 ％"),
        ("$49", "49 dollars", "USD 49", "49.00 USD", "US$49", "49 $", "forty-nine dollars"),
        ("€1.5 million", "1,500,000 euros", "EUR 1500000", "1,5 million euro"),
        ("twice", "double", "2x", "2 times", "two-fold", "two times"),
        ("12 March 2026", "March 12, 2026", "2026-03-12", "12th of March 2026", "mar 12 2026"),
        ("14 days", "14-day", "fourteen days", "a fourteen-day trial"),
        ("free", "at no cost", "complimentary", "without charge"),
        ("half", "½", "1/2"),
        ("https://larkfield.example/a", "larkfield.example/a", "www.larkfield.example/a."),
    ],
)
def test_every_spelling_of_a_figure_is_the_same_claim(spellings: tuple[str, ...]) -> None:
    found = [claims(f"It is {spelling} for you") for spelling in spellings]

    assert all(one == found[0] for one in found), dict(zip(spellings, found, strict=True))
    assert found[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [("$49", "€49"), ("30%", "30"), ("30", "30 days"), ("14 days", "14 weeks"), ("US$ 5", "C$ 5"), ("6 am", "6 pm"),
     ("38%", "38 times"), ("1,500", "1.5"), ("$5", "5 cents"), ("12 March 2026", "12 March 2027"), ("free", "error-free")],
)  # fmt: skip
def test_another_unit_is_another_claim(one: str, other: str) -> None:
    assert not claims(other) & covered_by(one)


@pytest.mark.parametrize(
    "text",
    ["This may help no one.", "Feel free to reply.", "It frees up your march through the aisles.", "Double-check the label.",
     "The wrong one came back.", "See e.g. the guide.", "A second look is all it takes.", "No double entry any more."],
)  # fmt: skip
def test_ordinary_words_claim_nothing(text: str) -> None:
    assert figures(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [("20–30%", {"20", "30"}), ("from 20 to 30 percent", {"20", "30"}), ("between $20 and 30", {"20", "30"})],
)
def test_both_ends_of_a_range_carry_its_unit(text: str, value: set[str]) -> None:
    found = figures(text)

    assert {figure.value for figure in found} == value
    assert len({figure.unit for figure in found}) == 1


def test_a_spelling_with_two_readings_needs_both_covered() -> None:
    assert claims("1.000 sites") == {("number", "1", ""), ("number", "1000", "")}


def test_a_date_may_leave_out_its_year_or_day() -> None:
    covered = covered_by("since 12 March 2026")

    assert claims("since March 2026") | claims("on 12 March") | claims("in March") <= covered
    assert not claims("on 13 March") <= covered


@given(st.integers(0, 999_999))
def test_number_words_mean_their_number(number: int) -> None:
    assert value_of_words(spelled(number)) == number


def spelled(number: int) -> str:
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f"-{ONES[number % 10]}" if number % 10 else "")
    if number < 1000:
        return f"{ONES[number // 100]} hundred" + (f" and {spelled(number % 100)}" if number % 100 else "")
    return f"{spelled(number // 1000)} thousand" + (f" {spelled(number % 1000)}" if number % 1000 else "")


def in_script(text: str, zero: str) -> str:
    return "".join(chr(ord(zero) + int(char)) if char.isascii() and char.isdigit() else char for char in text)


@st.composite
def spellings(draw: st.DrawFn, number: int) -> str:
    """One way to write `number`."""
    digits = draw(st.sampled_from([str(number), f"{number:,}", f"{number:,}".replace(",", "'"), f"{number}.0"]))
    digits = in_script(digits, draw(st.sampled_from(SCRIPTS)))
    hidden = draw(st.sampled_from(["", "\u200b", "\u00ad", "\u2060"])).join(digits)
    return draw(st.sampled_from([digits, hidden, spelled(number)]))


FRAMES = ["{} %", "{}%", "{} percent", "${}", "{} euros", "£ {}", "{} times", "{} days", "{}-day", "{}", "up to {}%", "{}k",
          "{} hours", "over {}", "only {} dollars a month"]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.data(), st.integers(2, 99_999).filter(lambda number: number not in (38, 42)), st.sampled_from(FRAMES))
def test_no_invented_figure_passes_however_it_is_spelled(data: st.DataObject, number: int, frame: str) -> None:
    claim = frame.format(data.draw(spellings(number)))
    piece = Piece(headline="Stock figures worth believing", body=f"Hi {{first_name}}, {claim} for you.", cta="See how",
                  cited_fact_ids=[FACT.id])  # fmt: skip

    verdict = judge(piece, TERMS)

    assert verdict.outcome == "rejected", claim


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_figure_of_the_cited_fact_passes_in_any_plain_spelling(data: st.DataObject) -> None:
    share = data.draw(st.sampled_from(["38%", "38 %", "38 percent", "thirty-eight percent", "38.0%"]))
    sites = data.draw(st.sampled_from(["42", "forty-two"]))
    piece = Piece(headline="Stock figures worth believing", body=f"In {sites} warehouses stock errors fell by {share}.",
                  cta="See how", cited_fact_ids=[FACT.id])  # fmt: skip

    verdict = judge(piece, TERMS)

    assert verdict.outcome == "clear", verdict.reasons


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert isinstance(figures(text), list)
