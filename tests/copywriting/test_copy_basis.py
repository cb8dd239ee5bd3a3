"""A figure keeps what it rests on: its study, its customer, its place, its time; and what stands for a figure is one."""

import pytest
from labelled_copy import PLAIN_HEADLINE, load_terms, piece_of

from nurture.copywriting.guardrails import Verdict, judge

TERMS = load_terms()


def judged(said: str, headline: str = PLAIN_HEADLINE) -> Verdict:
    return judge(piece_of(f"Hi {{first_name}},\n\n{said}", headline), TERMS)


BASES = {
    "study": (
        "In a study of 42 warehouses, weekly counts with Larkfield Count cut stock errors by 38%. [count-accuracy]",
        "Weekly counts with Larkfield Count cut stock errors by 38%. [count-accuracy]",
    ),
    "rhythm": (
        "In a study of 42 warehouses, stock errors were cut by 38% through weekly counts with Larkfield Count. "
        "[count-accuracy]",
        "In a study of 42 warehouses, counts with Larkfield Count cut stock errors by 38%. [count-accuracy]",
    ),
    "customer": (
        "Finch & Daughters picks a web order in 7 minutes with Larkfield Route. [proof-retail-picking]",
        "A web order takes 7 minutes with Larkfield Route. [proof-retail-picking]",
    ),
    "place": (
        "Larkfield devices reach addresses in North America within 3 working days. [delivery-na]",
        "Larkfield devices reach you within 3 working days. [delivery-na]",
    ),
    "price in a place": (
        "In the United Kingdom Larkfield Scan costs £279. [scan-price-uk]",
        "Larkfield Scan costs £279. [scan-price-uk]",
    ),
    "months": (
        "From November to mid-January the Larkfield support line is open on Sundays as well. [peak-support]",
        "The Larkfield support line is open on Sundays as well. [peak-support]",
    ),
    "part of a month": (
        "The Larkfield support line is open on Sundays as well, from November to mid-January. [peak-support]",
        "From November to the end of January the Larkfield support line is open on Sundays as well. [peak-support]",
    ),
    "year": (
        "Larkfield was reachable 99.95% of the time in 2025. [availability]",
        "Larkfield was reachable 99.95% of the time. [availability]",
    ),
    "devices": (
        "Pell Bearings labels 3,000 bins with two Larkfield Print 200. [proof-manufacturing-labels]",
        "Pell Bearings labels 3,000 bins with a single Larkfield Print 200. [proof-manufacturing-labels]",
    ),
    "what was replaced": (
        "Brenner Freight has one screen of Larkfield Insight instead of 9 weekly reports. [proof-logistics-reports]",
        "Brenner Freight has 9 weekly reports instead of one screen of Larkfield Insight. [proof-logistics-reports]",
    ),
}


@pytest.mark.parametrize("basis", BASES)
def test_a_figure_is_said_with_what_it_rests_on_or_not_at_all(basis: str) -> None:
    whole, dropped = map(judged, BASES[basis])

    assert whole.outcome == "clear", whole.reasons
    assert dropped.outcome != "clear"


@pytest.mark.parametrize(
    "said",
    [
        "Connecting your ordering system to Larkfield is a matter of days. [proof-healthcare-connect]",
        "Most sites count their first shelf with Larkfield on the very day they sign up. [start-time]",
        "Most sites count their first shelf with Larkfield the day they sign up. [start-time]",
        "Larkfield Print 200 has your label out before you have let go of the button. [print-speed]",
        "Larkfield Print 200 prints your labels before you know it. [print-speed]",
        "Your first site is set up in a single short call with a Larkfield engineer. [set-up-help]",
        "A Larkfield engineer sets up your first site in one visit. [set-up-help]",
    ],
)
def test_a_pace_without_a_number_is_a_figure_too(said: str) -> None:
    verdict = judged(said)

    assert "figures" in [reason["name"] for reason in verdict.reasons]
    assert verdict.outcome == "rejected"


@pytest.mark.parametrize(
    "said",
    [
        "Hobart Valves closes its monthly stock report in 1 day with Larkfield Insight. [proof-manufacturing-report] "
        "In its first count with Larkfield, the company found 1,200 misplaced parts. [proof-manufacturing]",
        "Ostler Parcels packs with Larkfield Scan and gets 26% fewer parcels back. [proof-logistics-returns] "
        "It can be borrowed for 14 days before you buy one. [scan-loan]",
        "You asked about Larkfield Scan. It costs £279 in the United Kingdom. [scan-price-uk] "
        "It tells the picker at once when the item is the wrong one. [scan-what]",
        "Larkfield Print 200 reads each label back and stops if it can't be scanned. [print-check]",
        "A Larkfield engineer joins a call in order to set up your first site. [set-up-help]",
    ],
)
def test_a_customer_is_a_company_and_it_is_the_product_before(said: str) -> None:
    verdict = judged(said)

    assert verdict.outcome == "clear", verdict.reasons


def test_the_company_is_nobody_where_no_customer_was_named() -> None:
    verdict = judged("The company found 1,200 misplaced parts in its first count with Larkfield. [proof-manufacturing]")

    assert verdict.outcome == "rejected"


@pytest.mark.parametrize(
    ("headline", "passes"),
    [
        ("A handheld for gloves and cold stores [scan-cold]", True),
        ("No custom code between shop and shelf [connectors]", True),
        ("What happens when the Wi-Fi goes", True),
        ("The rush order and everybody else", True),
        ("Everybody else has it already", False),
        ("No ink, no errors [print-no-ink]", False),
        ("Prints labels, reports and barcodes [print-what]", False),
        ("A charge that outlasts the week [scan-battery]", False),
        ("Live before Christmas", False),
    ],
)
def test_a_headline_may_name_the_topic_of_its_fact_and_add_nothing(headline: str, passes: bool) -> None:
    verdict = judged("Larkfield Print 200 prints with heat and needs no ink and no ribbon. [print-no-ink]", headline)

    assert (verdict.outcome == "clear") is passes, verdict.reasons
