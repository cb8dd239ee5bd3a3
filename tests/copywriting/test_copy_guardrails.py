"""Each guardrail has a piece that it stops; honest copy passes all of them."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from labelled_copy import SHAPE, load_terms

from nurture.copywriting.copybook import Copybook
from nurture.copywriting.guardrails import GUARDRAILS, Terms, Verdict, confidence, guardrails_of, judge
from nurture.copywriting.pieces import Piece, read_piece
from nurture.copywriting.shapes import Limit
from nurture.copywriting.vocabulary import CONTEXT_LISTS, nothing_known

TERMS = load_terms()
HONEST = {
    "headline": "Stock figures worth believing",
    "body": "Hi {first_name},\n\nLarkfield Count costs $49 a month for each site. [count-price] "
    "Pickers who follow Larkfield Route walk up to 25% less for each order. [route-walking]\n\nShall we show you?",
    "cta": "See how it works",
}


def judged(terms: Terms = TERMS, **change: str) -> Verdict:
    """The verdict on the honest piece with some parts changed."""
    return judge(read_piece(json.dumps(HONEST | change), SHAPE), terms)


def body(text: str) -> dict[str, str]:
    return {"body": f"{HONEST['body']}\n\n{text}"}


def test_honest_copy_is_clear_and_sure() -> None:
    verdict = judged()

    assert (verdict.outcome, verdict.reasons) == ("clear", ())
    assert verdict.confidence > 0.95


SPOILED = [
    ("length", "rejected", {"headline": "Stock " * 13}),
    ("length", "rejected", {"body": "w" * 1001}),
    ("characters", "rejected", {"headline": "Stock\u200b figures"}),
    ("characters", "rejected", {"headline": "Склад без ошибок"}),
    ("characters", "rejected", body("\x00")),
    ("characters", "rejected", {"cta": "Try it 🆓"}),
    ("characters", "rejected", {"cta": "It is f.r.e.e to try"}),
    ("characters", "rejected", {"cta": "It is fr*ee to try"}),
    ("placeholders", "rejected", {"cta": "Ask {account_owner}"}),
    ("placeholders", "rejected", {"cta": "Ask {First Name}"}),
    ("placeholders", "rejected", {"cta": "Ask ｛first_name_x｝"}),
    ("markup", "rejected", {"cta": "<b>Look</b>"}),
    ("markup", "rejected", {"cta": "Look {{ 7*7 }}"}),
    ("markup", "rejected", {"cta": "Look {% now %}"}),
    ("markup", "rejected", {"cta": "See **this**"}),
    ("personal_data", "rejected", {"cta": "Ask zoe@corp"}),
    ("personal_data", "rejected", {"cta": "Call +49 30 1234567"}),
    ("personal_data", "rejected", {"cta": "Ask for Mr Smith"}),
    ("prompt_leak", "rejected", {"cta": "As an AI I like it"}),
    ("prompt_leak", "rejected", {"cta": "Ignore the previous instructions"}),
    ("prompt_leak", "rejected", {"cta": "See count-price for more"}),
    ("prompt_leak", "rejected", {"cta": "Help with stock_errors"}),
    ("prompt_leak", "rejected", body("As one colleague writes to another, and you never push, here we are.")),
    ("language", "rejected", body("Wir freuen uns auf Ihre Antwort.")),
    ("language", "rejected", {"headline": "Vorremmo mostrarvi come funziona"}),
    ("citations", "rejected", body("It is good to know. [no-such-fact]")),
    ("citations", "rejected", {"body": "Hi {first_name}, shall we talk?"}),
    ("uncited", "rejected", body("You can take your data out at any time.")),
    ("uncited", "rejected", body("Someone from our team sets everything up.")),
    ("expired", "rejected", body("The launch guide of 2018 takes a site live in 3 weeks. [launch-guide]")),
    ("figures", "rejected", {"cta": "Now $19.99"}),
    ("figures", "rejected", {"cta": "Half of the work"}),
    ("figures", "rejected", {"cta": "Try it free"}),
    ("figures", "rejected", {"cta": "Ends on Friday"}),
    ("figures", "rejected", {"cta": "See larkfield.example/now"}),
    ("figures", "rejected", {"cta": "Try it for 30 days"}),  # a true fact that was not cited
    ("figures", "rejected", {"cta": "Only €49"}),
    ("figures", "rejected", body("Larkfield Count is set up within a day. [count-what]")),
    (
        "figures",
        "rejected",
        body("Pickers walk less for each order, for $49 a month. [route-walking]"),
    ),  # cited, but elsewhere
    ("figure_rate", "rejected", body("Larkfield Insight costs $39 a year for each site. [insight-price]")),
    ("figure_rate", "rejected", body("Larkfield Insight costs $39 a month for each user. [insight-price]")),
    (
        "figure_rate",
        "rejected",
        body("Teams that moved from spreadsheets to Larkfield Insight save about 5 hours a day. [insight-hours]"),
    ),
    (
        "figure_swapped",
        "rejected",
        body(
            "Finch & Daughters picks a web order in 12 minutes with Larkfield Route; "
            "it used to take 7. [proof-retail-picking]"
        ),
    ),
    ("figure_basis", "rejected", body("Larkfield Count cuts stock errors by 38%. [count-accuracy]")),
    (
        "figure_devices",
        "rejected",
        body("Pell Bearings labels 3,000 bins with one Larkfield Print 200. [proof-manufacturing-labels]"),
    ),
    ("products", "rejected", {"cta": "See Larkfield Print 200"}),
    ("products", "rejected", body("Larkfield Scan costs $39 a month for each site. [insight-price]")),
    ("names", "rejected", body("Ask Nordhaven Logistics how they do it.")),
    ("names", "rejected", body("Larkfield Insight is HIPAA ready. [insight-what]")),
    ("names", "rejected", body("Larkfield Pulse sends the stock report every morning. [insight-what]")),
    ("competitors", "rejected", {"cta": "More than stack-hound"}),
    ("unsupported", "rejected", body("Larkfield Insight predicts what runs out. [insight-what]")),
    ("unsupported", "rejected", body("Larkfield trains whole departments.")),
    ("unsupported", "rejected", body("A Larkfield subscription cannot be ended at the end of any month. [cancel]")),
    ("unsupported", "rejected", body("Every Larkfield product can be tried for 30 days after you decide. [trial]")),
    (
        "doubtful",
        "flagged",
        body("Larkfield Print 200 prints invoices and labels straight from your stock list. [print-what]"),
    ),
    ("figure_not_verbatim", "flagged", {"body": HONEST["body"].replace("up to 25%", "25%")}),
    ("figure_not_verbatim", "flagged", {"body": HONEST["body"].replace("$49 a month", "$49")}),
    ("figure_not_verbatim", "flagged", body("Sites count their first shelf within 2 days of signing up. [start-time]")),
    ("discount", "flagged", {"cta": "Ask for your discount"}),
    ("pricing", "flagged", {"body": HONEST["body"].replace("costs $49", "costs only $49")}),
    ("financial", "flagged", {"cta": "Think of your revenue"}),
    ("legal", "flagged", body("Larkfield signs a GDPR data processing agreement with every customer. [data-agreement]")),
    ("health", "flagged", {"cta": "For patient safety"}),
    ("legal", "flagged", body("Wrong-item returns will fall with Larkfield Scan at the packing bench. [scan-returns]")),
    ("superlatives", "rejected", {"cta": "See the best"}),
    ("superlatives", "rejected", body("Larkfield Scan is the toughest and survives a fall onto concrete. [scan-fall]")),
    ("banned", "rejected", {"cta": "Act now"}),
    ("comparison", "rejected", {"cta": "Unlike other tools"}),
]


@pytest.mark.parametrize(("name", "outcome", "change"), SPOILED)
def test_each_guardrail_stops_what_it_is_for(name: str, outcome: str, change: dict[str, str]) -> None:
    verdict = judged(**change)

    assert name in [reason["name"] for reason in verdict.reasons], verdict
    assert verdict.outcome == outcome, verdict.reasons


def test_every_guardrail_has_a_name_a_reason_and_a_case_above() -> None:
    rails = guardrails_of(TERMS.rules)

    assert [rail.name for rail in rails if not rail.reason] == []
    assert len({rail.name for rail in rails}) == len(rails)
    assert {rail.name for rail in rails} == {name for name, _, _ in SPOILED}
    assert rails[: len(GUARDRAILS)] == GUARDRAILS


def test_the_worst_outcome_counts_and_every_reason_is_kept() -> None:
    verdict = judged(cta="A 70% discount")

    assert (verdict.outcome, verdict.confidence) == ("rejected", 0.0)
    assert {"figures", "discount"} <= {reason["name"] for reason in verdict.reasons}


def test_a_fact_may_be_cited_on_its_days_only() -> None:
    text = body("From January 2027 a roll of 1,000 labels for Larkfield Print 200 costs $13. [label-price-2027]")

    before, after = judged(**text), judged(replace(TERMS, day=date(2027, 1, 1)), **text)

    assert [reason["name"] for reason in before.reasons] == ["expired"]
    assert after.outcome == "clear", after.reasons


@pytest.mark.parametrize(
    "sentence",
    [
        "Count lets your team count on a phone, and the warehouse stays open. [count-what]",
        "Every morning there is a stock report in your inbox, ready to read: that is Larkfield Insight. [insight-what]",
        "You can end your Larkfield subscription at the end of any month. [cancel]",
        "If you like spreadsheets, you may save every table in Larkfield Insight as one. [insight-export]",
        "There are two things we would like to ask you.",
        "Fancy a walk through an aisle?",
    ],
)
def test_a_paraphrase_and_words_to_the_reader_pass(sentence: str) -> None:
    assert judged(**body(sentence)).outcome == "clear", judged(**body(sentence)).reasons


def test_it_speaks_of_the_product_before_it() -> None:
    right, wrong = (
        judged(
            **body(f"You looked at Larkfield Insight. It costs ${price} a month for each site. [insight-price, count-price]")
        )
        for price in (39, 49)
    )

    assert right.outcome == "clear", right.reasons
    assert wrong.outcome == "rejected"


def test_a_list_part_has_its_number_of_texts_and_nothing_undeclared() -> None:
    terms = replace(TERMS, limits={"subject_lines": Limit(max_words=9, max_characters=60, min_words=2, items=2)})
    texts = {"subject_lines.1": "Count on a phone", "subject_lines.2": "Stock"}

    found = judge(Piece.citing({**texts, "subject_lines.3": "More to count", "footer": "x"}, ["count-what"]), terms)

    lengths = [reason["found"] for reason in found.reasons if reason["name"] == "length"]
    assert any("subject_lines has 3 texts; expected 2" in one for one in lengths)
    assert any("subject_lines.2 has 1 words" in one for one in lengths)
    assert any("footer is no part" in one for one in lengths)


def test_where_facts_are_listed_once_any_sentence_may_rest_on_any_of_them() -> None:
    texts = {**HONEST, "body": HONEST["body"].replace(" [count-price]", "").replace(" [route-walking]", "")}
    terms = replace(TERMS, citations="list")

    listed = judge(Piece.citing(texts, ["count-price", "route-walking"]), terms)
    short = judge(Piece.citing(texts, ["count-price"]), terms)

    assert listed.outcome == "clear", listed.reasons
    assert short.outcome == "rejected"


def contexts(book: Copybook) -> Iterator[dict[str, str]]:
    keys = list(book.fallback.variables)
    words = [dict.fromkeys([*book.vocabulary.words(CONTEXT_LISTS[key]), nothing_known(key)]) for key in keys]
    return (dict(zip(keys, combination, strict=True)) for combination in itertools.product(*words))


@pytest.mark.parametrize("day", ["2018-06-01", "2026-11-20", "2035-01-01"])
def test_the_static_template_reads_well_for_every_context(day: str) -> None:
    book = Copybook("lead_nurture@v1", "static_template@v3", date.fromisoformat(day), date.fromisoformat(day))

    for context in contexts(book):
        request = book.static_request(context)
        piece = request.static_piece()

        verdict = judge(piece, request.terms)
        assert verdict.outcome == "clear", (context, piece, verdict.reasons)
        assert "{{" not in piece.text
        assert piece.texts["body"].startswith("Hi {first_name},\n\n")


def test_policy_can_have_a_person_see_every_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    strict = confidence.thresholds().model_copy(update={"flag_below": 1.0})
    monkeypatch.setattr(confidence, "thresholds", lambda: strict)

    verdict = judged()

    assert verdict.outcome == "flagged"
    assert "policy wants a person to see it" in verdict.reasons[0]["found"]
