"""What copy may say around a fact: what the reader looked at, a customer's business, what it is about; and no more."""

import pytest
from labelled_copy import load_terms, piece_of

from nurture.copywriting.guardrails import Verdict, judge

TERMS = load_terms()


def judged(said: str) -> Verdict:
    return judge(piece_of(f"Hi {{first_name}},\n\n{said}"), TERMS)


@pytest.mark.parametrize(
    "said",
    [
        "Larkfield Route, the product you looked at, moves a rush order to the front. [route-rush]",
        "Larkfield Scan, the handheld you had your eye on, reads a damaged barcode. [scan-what]",
        "Larkfield Print 200, which caught your eye, prints 200 labels a minute. [print-speed]",
        "Since you looked at the Print 200: it prints 200 labels a minute. [print-speed]",
        "In logistics, Brenner Freight picks 18% more orders in a shift since it uses Larkfield. [proof-logistics]",
        "Elsewhere in your field, Brenner Freight picks 18% more orders in a shift since it uses Larkfield. "
        "[proof-logistics]",
        "To spot what they have in common, Larkfield Insight groups returned parcels by reason and by packing bench. "
        "[insight-returns]",
        "For the search itself there is Larkfield Route, with which a picker finds every shelf on the first day. "
        "[route-first-day]",
        "Among logistics firms, Brenner Freight picks 18% more orders in a shift since it uses Larkfield. [proof-logistics]",
        "On top of that, it prints 200 labels a minute. [print-speed]",
        "It's early, and the hall is quiet. Larkfield Count lets a team count stock shelf by shelf on a phone. [count-what]",
        "Orders are in one system, stock in another, invoices in a third. "
        "Larkfield Count lets a team count stock shelf by shelf on a phone. [count-what]",
        "It need not be a chore. Larkfield Count lets a team count stock shelf by shelf on a phone. [count-what]",
    ],
)
def test_a_fact_may_be_led_up_to(said: str) -> None:
    verdict = judged(said)

    assert verdict.outcome == "clear", verdict.reasons


@pytest.mark.parametrize(
    "said",
    [
        "Larkfield Scan, the printer you looked at, reads a damaged barcode. [scan-what]",
        "Larkfield Route, the cloud platform you looked at, moves a rush order to the front. [route-rush]",
        "In retail, Brenner Freight picks 18% more orders in a shift since it uses Larkfield. [proof-logistics]",
        "In logistics, Larkfield Count lets a team count stock shelf by shelf on a phone. [count-what]",
        "For hospitals there is Larkfield Route, with which a picker finds every shelf on the first day. [route-first-day]",
        "Without any training, Larkfield Route moves a rush order to the front. [route-rush]",
    ],
)
def test_what_leads_up_to_a_fact_adds_nothing_to_it(said: str) -> None:
    verdict = judged(said)

    assert verdict.outcome != "clear"


@pytest.mark.parametrize(
    ("said", "guardrail"),
    [
        ("Both Brenner Freight and Ostler Parcels pick 18% more orders in a shift. "
         "[proof-logistics, proof-logistics-returns]", "figure_basis"),
        ("It takes 6 days to connect an ordering system to Larkfield. [proof-healthcare-connect]", "figure_basis"),
        ("Wrong-item returns fell by 31% with Larkfield Scan at the packing bench. [scan-returns]", "figure_basis"),
        ("You will hardly wait when you call our support line. [support-hours]", "figures"),
        ("Once you have decided, you have 30 days to try the product. [trial]", "unsupported"),
        ("At 6 am Quince Kitchens sees which ingredients ran out the day before. [proof-food]", "unsupported"),
        ("You choose at which hour the stock report arrives. [insight-what]", "unsupported"),
        ("You are warned in good time before a use-by date passes. [count-batches]", "unsupported"),
        ("Larkfield makes software and devices for warehouses, and for many other places. [makers]", "unsupported"),
        ("The most thorough record of stock changes: who, when, and what it was before. [audit-trail]", "superlatives"),
        ("The more sites you bring along, the less you pay for each. [billing-per-site]", "discount"),
        ("Your 30 days are about to run out. [trial]", "banned"),
        ("In retail, shops are counted once a week with Larkfield Count. [proof-retail-stock]", "figure_basis"),
        ("Your monthly stock report closes in 1 day, as at Hobart Valves. [proof-manufacturing-report]", "figure_basis"),
        ("Save about 5 hours of reporting a week with Larkfield Insight. [insight-hours]", "figure_basis"),
        ("Larkfield was reachable 99.95% of the time in 2025, as in the year before. [availability]", "unsupported"),
        ("Larkfield Scan works in cold stores as long as you take off your gloves. [scan-cold]", "unsupported"),
        ("Larkfield Print 200 reads each label back and carries on if one cannot be scanned. [print-check]", "unsupported"),
        ("Larkfield Insight tells you by text message when an item falls below the level. [insight-alerts]", "unsupported"),
        ("Send me a line, and a colleague will come by and walk your aisles with you.", "uncited"),
        ("Brenner Freight knows that kind of day.", "uncited"),
        ("The handheld you looked at works right at the shelf.", "uncited"),
        ("Nothing could be easier: Larkfield takes over your stock list from a spreadsheet. [data-import]", "superlatives"),
        ("You should not let another busy season go by without it. [scan-what]", "banned"),
    ],
)  # fmt: skip
def test_what_a_fact_does_not_carry_is_named(said: str, guardrail: str) -> None:
    verdict = judged(said)

    assert guardrail in [reason["name"] for reason in verdict.reasons]
    assert verdict.outcome != "clear"
