"""Figures in copy and in facts: every spelling of one figure is one figure."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.copywriting.figures import covered_by, figures
from nurture.copywriting.figures.number_words import ONES, TENS, value_of_words


def claims(text: str) -> set[tuple[str, str, str]]:
    return {figure.claim for figure in figures(text)}


@pytest.mark.parametrize(
    "spellings",
    [
        ("1,000", "1000", "one thousand", "1k", "1'000", "１０００", "1 000", "ten hundred"),
        (
            "30%",
            "30 %",
            "30 percent",
            "thirty percent",
            "30 per cent",
            "30.0 pct",
            "٣٠٪",
            "thirty-percent",
            "30 ％",
            "XXX percent",
            "thirty per-cent",
            "30 p.c.",
        ),
        ("$49", "49 dollars", "USD 49", "49.00 USD", "US$49", "49 $", "forty-nine dollars", "49 bucks"),
        ("€1.5 million", "1,500,000 euros", "EUR 1500000", "1,5 million euro", "€1.5m"),
        ("twice", "double", "2x", "2 times", "two-fold", "two times", "II times"),
        ("12 March 2026", "March 12, 2026", "2026-03-12", "12th of March 2026", "mar 12 2026", "the twelfth of March 2026"),
        ("14 days", "14-day", "fourteen days", "a fourteen-day trial", "14 full days"),
        ("free", "at no cost", "complimentary", "without charge", "gratis", "on the house", "will not cost you a thing"),
        ("half", "½", "1/2", "halved"),
        ("a third", "one third", "⅓", "1/3", "one-third"),
        ("6 am", "6 a.m.", "6:00 am", "06:00", "six in the morning", "6 o'clock in the morning"),
        ("the 30th", "the thirtieth"),
        ("https://larkfield.example/a", "larkfield.example/a", "www.larkfield.example/a."),
    ],
)
def test_every_spelling_of_a_figure_is_the_same_claim(spellings: tuple[str, ...]) -> None:
    found = [claims(f"It is {spelling} for you") for spelling in spellings]

    assert all(one == found[0] for one in found), dict(zip(spellings, found, strict=True))
    assert found[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$49", "€49"),
        ("30%", "30"),
        ("30", "30 days"),
        ("14 days", "14 weeks"),
        ("US$ 5", "C$ 5"),
        ("6 am", "6 pm"),
        ("38%", "38 times"),
        ("1,500", "1.5"),
        ("$5", "5 cents"),
        ("12 March 2026", "12 March 2027"),
        ("free", "error-free"),
        ("half an hour earlier", "an hour earlier"),
        ("30%", "a third"),
        ("30 days", "the 30th day"),
        ("overnight", "in an hour"),
    ],
)
def test_another_unit_is_another_claim(one: str, other: str) -> None:
    assert claims(other)
    assert not claims(other) & covered_by(one)


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ("25% less", "a quarter less"),
        ("50%", "half"),
        ("14 days", "two weeks"),
        ("120 minutes", "two hours"),
        ("12 months", "one year"),
        ("in 7 minutes", "it takes 7."),
        ("12 March 2026", "on 12 March"),
        ("200 labels a minute", "200 labels in a minute"),
    ],
)
def test_a_figure_may_be_said_as_its_equal(fact: str, said: str) -> None:
    assert claims(said) <= covered_by(fact)


@pytest.mark.parametrize(
    "text",
    [
        "This may help no one.",
        "Feel free to reply.",
        "It frees up your march through the aisles.",
        "Double-check the label.",
        "The wrong one came back.",
        "See e.g. the guide.",
        "A second look is all it takes.",
        "No double entry any more.",
        "Nobody crosses the same aisle twice.",
        "Half the battle is won.",
        "Enjoy your free evening.",
        "A half-empty shelf.",
    ],
)
def test_ordinary_words_claim_nothing(text: str) -> None:
    assert figures(text) == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [("20–30%", {"20", "30"}), ("from 20 to 30 percent", {"20", "30"}), ("between $20 and 30", {"20", "30"})],
)
def test_both_ends_of_a_range_carry_its_unit(text: str, value: set[str]) -> None:
    found = figures(text)

    assert {figure.value for figure in found} == value
    assert len({figure.unit for figure in found}) == 1


@pytest.mark.parametrize(
    ("text", "qualifier", "per"),
    [
        ("up to 25%", "up to", ""),
        ("never more than 2 minutes", "up to", ""),
        ("10 or more", "from", ""),
        ("30+ systems", "over", ""),
        ("about 5 hours of reporting a week", "about", "week"),
        ("$49 a month", "", "month"),
        ("$49/month", "", "month"),
        ("each month it is $49", "", "month"),
        ("$49 yearly", "", "year"),
        ("fell to 31%", "to", ""),
        ("fell by 31%", "", ""),
        ("200 labels a minute", "", "minute"),
        ("9 weekly reports", "", ""),
        ("prints 200 labels a minute and costs $289", "", ""),
    ],
)
def test_a_figure_keeps_its_qualifier_and_its_rate(text: str, qualifier: str, per: str) -> None:
    found = [figure for figure in figures(text) if figure.kind == "number"][-1]

    assert (found.qualifier, found.per) == (qualifier, per)


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


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert isinstance(figures(text), tuple)
