"""The sandbox writer answers every prompt of the library, honestly and within its limits, however facts are to be cited."""

import json
import re
from datetime import date
from typing import Any

import pytest

from nurture.copywriting.facts import Fact, load_facts
from nurture.copywriting.guardrails import judge
from nurture.copywriting.pieces import Piece, read_piece
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.sentences import sentences
from nurture.copywriting.shapes import part_of
from nurture.copywriting.templates import ModelTemplate, known_references, read_template
from nurture.copywriting.vocabulary import Context, load_vocabulary, nothing_known
from sandbox.model.protocol import parse
from sandbox.model.writer import write

VOCABULARY = load_vocabulary()
FACTS = load_facts(vocabulary=VOCABULARY)
PROMPTS = [template for template in map(read_template, known_references()) if isinstance(template, ModelTemplate)]
READERS = [
    {},
    {"industry": "retail", "pain_point": "stock_errors", "recent_product": "LF-COUNT", "persona": "founder"},
    {"industry": "logistics", "pain_point": "slow_picking", "lifecycle_stage": "customer", "market": "european_union"},
    {"pain_point": "high_returns", "recent_product": "LF-PRINT200", "lifecycle_stage": "opportunity"},
]
OFFERED = ("count-what", "count-price", "route-what", "scan-what", "print-what", "trial", "proof-retail")


def answered(template: ModelTemplate, reader: Context, *, facts: tuple[str, ...] = OFFERED) -> tuple[CopyRequest, str]:
    context = template.narrowed({name: reader.get(name, nothing_known(name)) for name in template.variables})
    offered: tuple[Fact, ...] = tuple(FACTS[fact_id] for fact_id in facts)
    request = CopyRequest(template, "hash", context, offered, "sandbox-writer-1", VOCABULARY, date(2026, 11, 20))
    body = {"model": "sandbox-writer-1", "messages": request.messages, "response_format": request.response_format}
    return request, json.dumps(write(parse(json.dumps(body | request.parameters).encode())))


CASES = [
    pytest.param(
        template.model_copy(update={"citations": citations}), reader, id=f"{template.reference}-{citations}-{number}"
    )
    for template in PROMPTS
    for citations in ("list", "sentence")
    for number, reader in enumerate(READERS)
]


@pytest.mark.parametrize(("template", "reader"), CASES)
def test_every_prompt_gets_an_answer_of_its_shape_that_rests_on_the_offered_facts(
    template: ModelTemplate, reader: dict[str, str]
) -> None:
    request, answer = answered(template, reader)

    piece = read_piece(answer, template)

    assert answered(template, reader)[1] == answer
    assert piece.cited_fact_ids and set(piece.cited_fact_ids) <= set(OFFERED)
    assert judge(piece, request.terms).outcome == "clear", judge(piece, request.terms)
    assert _beyond_limits(piece, template) == []
    for name, text in piece.texts.items():
        for sentence in sentences(text):
            if found := re.findall(r"Larkfield(?: [A-Z]\w+)?", sentence):
                said = " ".join(FACTS[fact_id].text for fact_id in piece.facts_of(name, sentence))
                assert all(product in said for product in found), (name, sentence)


def _beyond_limits(piece: Piece, template: ModelTemplate) -> list[Any]:
    return [
        (name, len(text.split()), len(text))
        for name, text in piece.texts.items()
        for limit in [template.limits[part_of(name)]]
        if len(text) > limit.max_characters or not (limit.min_words or 1) <= len(text.split()) <= limit.max_words
    ]


@pytest.mark.parametrize("template", PROMPTS, ids=lambda template: template.reference)
def test_without_facts_nothing_is_claimed(template: ModelTemplate) -> None:
    _, answer = answered(template, READERS[1], facts=())

    piece = read_piece(answer, template)

    assert piece.cited_fact_ids == []
    assert not re.search(r"Larkfield|\d", piece.text)


@pytest.mark.parametrize("facts", [OFFERED, ("count-price",), ("count-accuracy", "proof-retail")])
@pytest.mark.parametrize("template", [t for t in PROMPTS if not t.is_message], ids=lambda template: template.reference)
def test_the_texts_of_a_list_differ_and_fit_however_few_or_long_the_facts(
    template: ModelTemplate, facts: tuple[str, ...]
) -> None:
    for reader in READERS:
        piece = read_piece(answered(template, reader, facts=facts)[1], template)

        assert len(set(piece.texts.values())) == len(piece.texts), piece.texts
        assert _beyond_limits(piece, template) == []


def test_a_long_draft_is_long_and_stays_within_its_budget() -> None:
    template = read_template("long_form_draft@v1")
    assert isinstance(template, ModelTemplate)

    _, answer = answered(template, READERS[1])

    assert 1_500 <= len(answer) / 4 <= template.token_budget  # four characters a token, as the sandbox counts


def test_a_sentence_is_said_once_in_a_long_draft() -> None:
    template = read_template("long_form_draft@v1")

    said = [s for text in read_piece(answered(template, READERS[2])[1], template).texts.values() for s in sentences(text)]  # type: ignore[arg-type]

    assert len(said) - len(set(said)) <= len(OFFERED), "only facts come again"
