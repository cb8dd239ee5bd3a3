"""Nothing about money is clear that no fact says: other currencies, offers in passing, prices without a number."""

import pytest
from labelled_copy import PLAIN_CTA, PLAIN_HEADLINE, load_terms, piece_of

from nurture.copywriting.guardrails import judge

TERMS = load_terms()
PRICE = "Larkfield Count costs $49 a month for each site"
WALK = "Pickers who follow Larkfield Route walk up to 25% less for each order. [route-walking]"


@pytest.mark.parametrize("prefix", ["S", "R", "K", "T", "Z", "B", "A", "HK", "NZ", "MX"])
def test_another_countrys_dollar_is_another_price(prefix: str) -> None:
    said = PRICE.replace("$", f"{prefix}$") + ". [count-price]"

    assert judge(piece_of(said), TERMS).outcome == "rejected"


@pytest.mark.parametrize("sign", ["£", "€", "¥", "₹", "₩", "₿", "US£"])
def test_another_currencys_sign_before_the_same_number_is_another_price(sign: str) -> None:
    said, own = PRICE.replace("$", sign) + ". [count-price]", f"{PRICE}. [count-price]"

    assert judge(piece_of(said), TERMS).outcome == "rejected"
    assert judge(piece_of(own), TERMS).outcome == "clear"


@pytest.mark.parametrize(
    "offer",
    [
        "the first month on us",
        "and we pay the first month",
        "the second site on us",
        "and the first month is ours",
        "and you pay later",
        "until the end of the month",
        "for now",
    ],
)
def test_an_offer_that_hangs_on_a_price_is_stopped(offer: str) -> None:
    verdict = judge(piece_of(f"{PRICE}, {offer}. [count-price]"), TERMS)

    assert verdict.outcome != "clear"


@pytest.mark.parametrize(
    "price", ["pennies", "a handful of dollars", "a few dollars", "small change", "less than a coffee", "next to nothing"]
)
def test_a_price_without_a_number_is_stopped(price: str) -> None:
    verdict = judge(piece_of(f"Larkfield Count costs {price} a month for each site. [count-price]"), TERMS)

    assert verdict.outcome != "clear"


@pytest.mark.parametrize(
    "said",
    [
        "We will cover the first month.",
        "You pay only when you are happy.",
        "Pennies a day.",
        "Ask us about the spring price.",
        "Reply and pay less.",
        "We can do something about the price.",
        "Would you like the first month on us?",
        "Shall we make it a deal?",
    ],
)
def test_an_offer_in_a_sentence_of_its_own_is_stopped(said: str) -> None:
    verdict = judge(piece_of(f"{WALK}\n\n{said}"), TERMS)

    assert verdict.outcome != "clear"


@pytest.mark.parametrize("words", ["The first month on us", "Pay later", "Claim your month", "Counting for pennies"])
def test_an_offer_in_a_headline_or_on_a_button_is_stopped(words: str) -> None:
    verdicts = [judge(piece_of(WALK, headline=words), TERMS), judge(piece_of(WALK, cta=words), TERMS)]

    assert all(verdict.outcome != "clear" for verdict in verdicts)
    assert judge(piece_of(WALK, headline=PLAIN_HEADLINE, cta=PLAIN_CTA), TERMS).outcome == "clear"


@pytest.mark.parametrize(
    "said",
    [
        "In a study of 42 warehouses, weekly counts with Larkfield Count cut stock errors to almost none. [count-accuracy]",
        "In a study of 42 warehouses, weekly counts with Larkfield Count cut most stock errors. [count-accuracy]",
        "In 42 studies of warehouses, weekly counts with Larkfield Count cut stock errors by 38%. [count-accuracy]",
    ],
)
def test_an_amount_that_the_fact_does_not_have_is_stopped(said: str) -> None:
    verdict = judge(piece_of(said), TERMS)

    assert verdict.outcome != "clear"
