"""From a person's raw context to vocabulary words, and from placeholders to a person's text."""

from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_night import leads, select
from nurture.copywriting.assembly import LONGEST_VALUE, fill
from nurture.copywriting.copybook import Copybook
from nurture.copywriting.vocabulary import CONTEXT_LISTS, load_vocabulary, normalise

VOCABULARY = load_vocabulary()


@pytest.mark.parametrize(
    ("key", "raw", "word"),
    [
        ("industry", "RETAIL", "retail"),
        ("industry", "Food & Drink", "food_and_drink"),
        ("industry", " food-and_drink ", "food_and_drink"),
        ("pain_point", "Stock  Errors", "stock_errors"),
        ("recent_product", "larkfield print 200", "LF-PRINT200"),
        ("recent_product", "lf-scan", "LF-SCAN"),
        ("lifecycle_stage", "marketingQualifiedLead", "marketingqualifiedlead"),
        ("market", "united_kingdom", "united_kingdom"),
        ("industry", "banking", "other"),
        ("recent_product", "Another Company's Scanner", "none"),
        ("industry", None, "other"),
        ("industry", 7, "other"),
        ("industry", "retail" + " " * 1_000, "other"),
    ],
)
def test_a_raw_value_becomes_a_word_of_the_vocabulary(key: str, raw: Any, word: str) -> None:
    assert normalise({key: raw}, VOCABULARY)[key] == word


@pytest.mark.parametrize(
    ("country", "market"),
    [
        ("US", "north_america"),
        ("gb", "united_kingdom"),
        (" DE ", "european_union"),
        ("AQ", "other"),
        (None, "other"),
        (1, "other"),
    ],
)
def test_a_country_becomes_a_market(country: Any, market: str) -> None:
    assert normalise({"country": country}, VOCABULARY)["market"] == market


def test_a_country_lies_in_one_market() -> None:
    countries = [country for market in VOCABULARY.markets for country in market.countries]

    assert len(countries) == len(set(countries))


def test_of_a_persons_place_the_context_holds_the_country_and_no_more(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1", region="US-OH")
    leads(warehouse, "2", region="GB")
    leads(warehouse, "3", region=None)

    select(warehouse)

    rows = warehouse.execute("SELECT crm_id, context, context ->> 'country' FROM marts.audience ORDER BY crm_id").fetchall()
    assert [country for _, _, country in rows] == ["US", "GB", None]
    assert [normalise(context, VOCABULARY)["market"] for _, context, _ in rows] == [
        "north_america",
        "united_kingdom",
        "other",
    ]
    assert "US-OH" not in str(rows)


@settings(max_examples=50, deadline=None)
@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)))
def test_whatever_comes_in_only_words_come_out(raw: Any) -> None:
    context = normalise(raw, VOCABULARY)

    for key, name in CONTEXT_LISTS.items():
        assert context[key] in {*VOCABULARY.words(name), "other", "none"}


def test_a_template_sees_only_the_words_that_it_tells_apart(book: Copybook) -> None:
    context = normalise({"industry": "manufacturing", "pain_point": "high_returns", "persona": "founder"}, VOCABULARY)

    assert book.template.narrowed(context) == {"industry": "other", "pain_point": "high_returns", "recent_product": "none"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Zoë", "Zoë"),
        (None, "there"),
        ("  ", "there"),
        ("\x00\x1b\u202eZoe\n\nQuist", "Zoe Quist"),
        ("Jean-Luc O'Neill, Jr.", "Jean-Luc O'Neill, Jr."),
        ("J.R.R.", "J.R.R."),
        ("x" * 40, "x" * 40),
        ("x" * 41, "there"),
        ("x" * 100_000, "there"),
        ("{{ x*y }}", "there"),
        ("{company}", "there"),
        ("</script>", "there"),
        ("</script><a href=https://evil.example>You won $500</a>", "there"),
        ("＜b＞Zoe", "there"),
        ("https://evil", "there"),
        ("WWW.evil", "there"),
        ("see evil.example", "there"),
        ("zoe@home", "there"),
        ("You won 500", "there"),
        ("Zoe ٣", "there"),
    ],
)
def test_what_is_no_name_gives_the_fallback_and_a_name_is_put_in_as_plain_text(value: str | None, shown: str) -> None:
    filled = fill("Hi {first_name}, {7} {unknown}", {"first_name": value, "company": "ACME"})

    assert filled == f"Hi {shown}, {{7}} {{unknown}}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("3M & Söhne, Inc.", "3M & Söhne, Inc."),
        ("x" * 100_000, "x" * LONGEST_VALUE),
        ("<b>Nordlicht</b>", "your company"),
        ("Nordlicht www.evil", "your company"),
        ("{first_name}", "your company"),
    ],
)
def test_a_company_may_carry_digits_but_no_markup_or_link(value: str, shown: str) -> None:
    assert fill("for {company}", {"company": value, "first_name": "Zoe"}) == f"for {shown}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [("it_lead", "IT leads"), ("Warehouse Lead", "warehouse leads"), ("CEO <b>", "people who run a warehouse"),
     (None, "people who run a warehouse")],
)  # fmt: skip
def test_a_placeholder_with_words_takes_no_other(value: str | None, shown: str) -> None:
    assert fill("for {persona}", {"persona": value}) == f"for {shown}"
