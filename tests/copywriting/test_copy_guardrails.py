"""Each guardrail has a piece that only it stops; honest copy passes all of them."""

import itertools
from datetime import date

import pytest

from nurture.copywriting.copybook import Copybook
from nurture.copywriting.guardrails import GUARDRAILS, Terms, judge
from nurture.copywriting.pieces import LONGEST_ANSWER, BadAnswer, Piece, read_piece
from nurture.copywriting.vocabulary import CONTEXT_LISTS, nothing_known

HONEST = Piece(
    headline="Stock figures worth believing",
    body="Hi {first_name},\n\nLarkfield Count costs $49 a month for each site. Pickers walk up to 25% less for each order.",
    cta="See how it works",
    cited_fact_ids=["count-price", "route-walking"],
)


@pytest.fixture
def terms(book: Copybook) -> Terms:
    request = book.model_request(
        {"industry": "retail", "pain_point": "slow_picking", "recent_product": "LF-COUNT"}, "sandbox-writer-1"
    )
    facts = tuple(book.facts[fact_id] for fact_id in ("count-price", "route-walking", "trial", "data-agreement"))
    limits, instructions = book.template.limits, request.terms.instructions
    return Terms(limits, book.template.placeholders, facts, book.vocabulary.product_names, instructions)


def test_honest_copy_is_clear(terms: Terms) -> None:
    verdict = judge(HONEST, terms)

    assert (verdict.outcome, verdict.reasons) == ("clear", ())


SPOILED = [
    ("length", "rejected", {"headline": "Stock " * 13}),
    ("length", "rejected", {"body": "w" * 1001}),
    ("characters", "rejected", {"headline": "Stock\u200b figures"}),
    ("characters", "rejected", {"headline": "Склад без ошибок"}),
    ("characters", "rejected", {"body": HONEST.body + "\x00"}),
    ("placeholders", "rejected", {"cta": "Ask {account_owner}"}),
    ("placeholders", "rejected", {"cta": "Ask {First Name}"}),
    ("placeholders", "rejected", {"cta": "Ask ｛first_name_x｝"}),
    ("markup", "rejected", {"cta": "<b>Look</b>"}),
    ("markup", "rejected", {"cta": "[Look](here)"}),
    ("markup", "rejected", {"cta": "Look {{ 7*7 }}"}),
    ("markup", "rejected", {"cta": "Look {% now %}"}),
    ("citations", "rejected", {"cited_fact_ids": [*HONEST.cited_fact_ids, "no-such-fact"]}),
    ("citations", "rejected", {"cited_fact_ids": []}),
    ("figures", "rejected", {"cta": "Now $19.99"}),
    ("figures", "rejected", {"cta": "Half of the work"}),
    ("figures", "rejected", {"cta": "Try it free"}),
    ("figures", "rejected", {"cta": "Ends on Friday"}),
    ("figures", "rejected", {"cta": "See larkfield.example/now"}),
    ("figures", "rejected", {"cta": "Try it for 30 days"}),  # a true fact that was not cited
    ("figures", "rejected", {"cta": "Only €49"}),
    ("products", "rejected", {"cta": "See Larkfield Print 200"}),
    ("personal_data", "rejected", {"cta": "Ask zoe@corp"}),
    ("personal_data", "rejected", {"cta": "Call +49 30 1234567"}),
    ("prompt_leak", "rejected", {"cta": "As an AI I like it"}),
    ("prompt_leak", "rejected", {"body": "As one colleague writes to another, and you never push, here we are."}),
    ("figure_not_verbatim", "flagged", {"body": HONEST.body.replace("up to 25%", "25%")}),
    ("discount", "flagged", {"cta": "Ask for your discount"}),
    ("financial", "flagged", {"cta": "It pays for itself"}),
    ("legal", "flagged", {"cta": "GDPR compliant"}),
    ("health", "flagged", {"cta": "For patient safety"}),
]


@pytest.mark.parametrize(("name", "outcome", "change"), SPOILED)
def test_each_guardrail_stops_what_it_is_for(terms: Terms, name: str, outcome: str, change: dict[str, object]) -> None:
    verdict = judge(HONEST.model_copy(update=change), terms)

    assert verdict.outcome == outcome
    assert name in [reason["name"] for reason in verdict.reasons]


def test_every_guardrail_has_a_name_a_reason_and_a_case_above() -> None:
    assert [rail.name for rail in GUARDRAILS if not rail.reason] == []
    assert {rail.name for rail in GUARDRAILS} == {name for name, _, _ in SPOILED}


def test_a_compliance_statement_is_flagged_even_when_a_fact_says_it(terms: Terms) -> None:
    piece = HONEST.model_copy(
        update={"body": "Larkfield signs a GDPR data processing agreement with every customer.",
                "cited_fact_ids": ["data-agreement"]}
    )  # fmt: skip

    assert judge(piece, terms).outcome == "flagged"


def test_the_worst_outcome_counts_and_every_reason_is_kept(terms: Terms) -> None:
    verdict = judge(HONEST.model_copy(update={"cta": "A 70% discount"}), terms)

    assert verdict.outcome == "rejected"
    assert {"figures", "discount"} <= {reason["name"] for reason in verdict.reasons}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "is empty"),
        ("  ", "is empty"),
        ("Dear reader", "is not JSON"),
        ("[" * 5_000, "is not JSON"),
        ('["a"]', "wrong shape"),
        ('{"title": "x"}', "headline: Field required"),
        ('{"headline": "a", "body": "b", "cta": "", "cited_fact_ids": []}', "cta"),
        ('{"headline": "a", "body": "b", "cta": 3, "cited_fact_ids": []}', "cta"),
        ('{"headline": "a", "body": "b", "cta": "c", "cited_fact_ids": ["x", 1]}', "cited_fact_ids.1"),
        ('{"headline": "a", "body": "b", "cta": "c", "cited_fact_ids": [], "more": 1}', "more"),
        ("x" * (LONGEST_ANSWER + 1), f"{LONGEST_ANSWER + 1} characters"),
    ],
)
def test_an_answer_of_the_wrong_shape_says_what_was_found(answer: str | None, said: str) -> None:
    with pytest.raises(BadAnswer, match=said):
        read_piece(answer)


@pytest.mark.parametrize("day", ["2018-06-01", "2026-11-20", "2035-01-01"])
def test_the_static_template_reads_well_for_every_context(day: str) -> None:
    book = Copybook("lead_nurture@v1", "static_template@v3", date.fromisoformat(day))
    keys = list(book.fallback.variables)
    words = [dict.fromkeys([*book.vocabulary.words(CONTEXT_LISTS[key]), nothing_known(key)]) for key in keys]

    for combination in itertools.product(*words):
        request = book.static_request(dict(zip(keys, combination, strict=True)))
        piece = request.static_piece()

        assert judge(piece, request.terms).outcome == "clear", (combination, piece)
        assert "{{" not in piece.text
        assert piece.body.startswith("Hi {first_name},\n\n")
