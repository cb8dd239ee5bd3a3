"""Properties: no invented figure comes out clear however it is spelled; a fact's own figure passes however it is spelled."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from labelled_copy import PLAIN_CTA, PLAIN_HEADLINE, SHAPE, load_terms, piece_of
from test_copy_figures import spelled

from nurture.copywriting.figures import figures
from nurture.copywriting.guardrails import judge
from nurture.copywriting.pieces import Piece, read_piece

SEED = 20261122  # hypothesis prints the failing example; the seed repeats the run
TERMS = load_terms()
FACTS = {fact.id: fact for fact in TERMS.facts}
CITED = FACTS["count-accuracy"]
CLAIM = "In a study of 42 warehouses, weekly counts with Larkfield Count cut stock errors by 38%."
OWN = {figure.value for figure in figures(CITED.text)}
SCRIPTS = (
    "0",
    "٠",
    "०",
    "０",
    "๐",
    "𝟎",
    "०",
    "௦",
)  # zero of ASCII, Arabic, Devanagari, fullwidth, Thai, mathematical bold, Tamil
FRAMES = (
    "{} %",
    "{}%",
    "{} percent",
    "{} per cent",
    "${}",
    "{} euros",
    "£ {}",
    "¥{}",
    "{} bucks",
    "{} times",
    "{}x",
    "{} days",
    "{}-day",
    "{}",
    "up to {}%",
    "{}k",
    "{}m",
    "{} bn",
    "{} hours",
    "over {}",
    "only {} dollars a month",
    "{}th",
    "{} out of 100",
    "from {} to 50,000",
    "{}+",
    "{} p.m.",
    "minus {}%",
    "{} in every 100",
    "{}/7",
    "{},5",
)
CURRENCIES = {
    "USD": ("${}", "US${}", "USD {}", "{} USD", "{}$", "{} dollars", "{} US dollars", "{} bucks"),
    "AUD": ("A${}", "AU${}", "a$ {}", "AUD {}", "{} AUD", "{} Australian dollars"),
    "CAD": ("C${}", "CA${}", "CAD {}", "{} Canadian dollars"),
    "other dollars": ("HK${}", "NZ${}", "S${}", "MX${}", "R${}", "SGD {}", "{} Singapore dollars"),
    "GBP": ("£{}", "£ {}", "{}£", "GBP {}", "{} pounds", "{} quid", "{} pounds sterling"),
    "EUR": ("€{}", "{} €", "EUR {}", "{} EUR", "{} euros"),
    "JPY": ("¥{}", "{} yen", "JPY {}"),
    "INR": ("₹{}", "{} rupees", "Rs {}"),
    "others": ("CHF {}", "{} francs", "{} kronor", "{} zloty", "{} pesos", "₩{}", "{} cents", "{}p", "{} pence", "{}"),
}
PRICES = (
    ("USD", 49, "Larkfield Count costs {} a month for each site. [count-price]"),
    ("GBP", 279, "In the United Kingdom Larkfield Scan costs {}. [scan-price-uk]"),
    ("EUR", 269, "In the European Union Larkfield Print 200 costs {}. [print-price-eu]"),
)
PLACES = ("cited", "said", "promised", "headline", "cta")


@st.composite
def spellings(draw: st.DrawFn, number: int) -> str:
    """One way to write `number`."""
    zero = draw(st.sampled_from(SCRIPTS))
    digits = draw(
        st.sampled_from(
            [str(number), f"{number:,}", f"{number:,}".replace(",", "'"), f"{number}.0", f"{number:,}".replace(",", " ")]
        )
    )
    digits = "".join(chr(ord(zero) + int(char)) if char.isdigit() else char for char in digits)
    hidden = draw(st.sampled_from(["", "\u200b", "\u00ad", "\u2060", "\ufeff"])).join(digits)
    words = spelled(number)
    return draw(st.sampled_from([digits, hidden, words, words.upper(), words.replace("-", " "), words.title()]))


def placed(claim: str, place: str) -> dict[str, str]:
    texts = {"headline": PLAIN_HEADLINE, "body": f"Hi {{first_name}},\n\n{CLAIM} [{CITED.id}]", "cta": PLAIN_CTA}
    if place in ("headline", "cta"):
        return {**texts, place: f"Now {claim}"}
    sentence = {
        "cited": f"Larkfield Count cuts {claim}. [{CITED.id}]",
        "said": f"It is {claim} for you.",
        "promised": f"You get {claim}.",
    }
    return {**texts, "body": f"{texts['body']} {sentence[place]}"}


@seed(SEED)
@settings(max_examples=400, deadline=None, database=None)
@given(
    st.data(),
    st.integers(2, 999_999).filter(lambda number: str(number) not in OWN),
    st.sampled_from(FRAMES),
    st.sampled_from(PLACES),
)
def test_no_invented_figure_is_ever_clear(data: st.DataObject, number: int, frame: str, place: str) -> None:
    claim = frame.format(data.draw(spellings(number)))
    if frame == "{}" and number in (2, 3):
        return  # "two of them" is a word; docs/guardrails.md says where it may stand

    piece = read_piece(json.dumps(placed(claim, place)), SHAPE)

    assert judge(piece, TERMS).outcome != "clear", (claim, place)


@seed(SEED)
@settings(max_examples=300, deadline=None, database=None)
@given(st.data(), st.sampled_from(PRICES))
def test_the_number_of_a_price_is_never_clear_in_another_currency(data: st.DataObject, price: tuple[str, int, str]) -> None:
    own, number, sentence = price
    currency = data.draw(st.sampled_from([name for name in CURRENCIES if name != own]))
    said = sentence.format(data.draw(st.sampled_from(CURRENCIES[currency])).format(data.draw(spellings(number))))

    piece = read_piece(json.dumps(placed("", "cited") | {"body": said}), SHAPE)

    assert judge(piece, TERMS).outcome != "clear", said


@pytest.mark.parametrize(("own", "number", "sentence"), PRICES)
def test_a_price_in_its_own_currency_is_clear(own: str, number: int, sentence: str) -> None:
    frame = CURRENCIES[own][0]

    piece = read_piece(json.dumps(placed("", "cited") | {"body": sentence.format(frame.format(number))}), SHAPE)

    assert judge(piece, TERMS).outcome == "clear"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "claim",
    [
        "half off",
        "twice as much",
        "a third off",
        "two-thirds",
        "free",
        "at no cost",
        "a dozen",
        "dozens of ways",
        "threefold",
        "tenfold",
        "XL percent",
        "nine out of ten",
        "one in three",
        "half price",
        "three quarters",
        "a tenth of it",
        "⅖ of it",
        "1/8 of it",
        "twenty-five-percent",
        "a grand",
        "1.5 million",
        "on 31 March",
        "by 2027-01-01",
        "until Friday",
        "in Q3",
        "at 14:30",
        "24/7",
        "99p",
        "5 cents",
        "CHF 20",
        "₹500",
        "larkfield.example",
        "https://x.example",
        "zero errors",
        "the tenth time",
        "sixty-odd",
        "twentyfive",
        "2 for 1",
        "buy one get one",
        "complimentary",
        "gratis",
        "an order of magnitude",
        "thousands of sites",
        "⑦",
        "Ⅷ",
        "𝟜𝟚𝟘",
        "四十",
    ],
)
def test_no_word_for_a_figure_is_ever_clear(claim: str, place: str) -> None:
    piece = read_piece(json.dumps(placed(claim, place)), SHAPE)

    assert judge(piece, TERMS).outcome != "clear", (claim, place)


def test_an_invented_figure_is_not_clear_where_facts_are_listed_once_either() -> None:
    terms = replace(TERMS, citations="list")

    for claim in ("$5", "half off", "ninety percent", "two", "in a day", "free"):
        texts = {"headline": PLAIN_HEADLINE, "body": f"{CLAIM} It is {claim} for you.", "cta": PLAIN_CTA}
        assert judge(Piece.citing(texts, [CITED.id]), terms).outcome != "clear", claim


RESPELLED = [
    ("count-accuracy", "In a study of 42 warehouses, weekly counts with Larkfield Count cut stock errors by {}.", "38%"),
    ("count-price", "Larkfield Count costs {} a month for each site.", "$49"),
    ("route-price", "Larkfield Route costs {} a month for each site.", "$79"),
    ("scan-price", "Larkfield Scan costs {} and works with every Larkfield product.", "$349"),
    ("trial", "Every Larkfield product can be tried for {} before you decide.", "30 days"),
    ("scan-battery", "A charge of Larkfield Scan lasts {}, longer than a shift.", "14 hours"),
    ("proof-manufacturing", "Hobart Valves found {} misplaced parts in its first count with Larkfield.", "1200"),
    ("proof-logistics", "Brenner Freight picks {} more orders in a shift since it uses Larkfield.", "18%"),
    ("print-speed", "Larkfield Print 200 prints {} labels a minute.", "200"),
    ("proof-retail", "Tamsin & Rowe keeps the stock of {} shops in step with its web shop through Larkfield.", "64"),
]


@st.composite
def plain_spellings(draw: st.DrawFn, figure: str) -> str:
    """One plain way to write a figure such as `38%`, `$49`, `30 days` or `1200`."""
    number = int("".join(char for char in figure if char.isdigit()))
    digits = draw(st.sampled_from([str(number), f"{number:,}", spelled(number)]))
    if figure.endswith("%"):
        return digits + draw(st.sampled_from([" %", " percent", " per cent", "%" if digits.isdigit() else " percent"]))
    if figure.startswith("$"):
        return f"${number}" if draw(st.booleans()) else f"{digits} dollars"
    unit = figure.partition(" ")[2]
    return f"{digits} {unit}".strip()


@seed(SEED)
@settings(max_examples=200, deadline=None, database=None)
@given(st.data(), st.sampled_from(RESPELLED))
def test_a_figure_of_the_cited_fact_passes_however_it_is_spelled(data: st.DataObject, case: tuple[str, str, str]) -> None:
    fact_id, sentence, figure = case
    said = sentence.format(data.draw(plain_spellings(figure)))
    verdict = judge(piece_of(f"Hi {{first_name}},\n\n{said} [{fact_id}]"), TERMS)

    assert verdict.outcome == "clear", (said, verdict.reasons)
