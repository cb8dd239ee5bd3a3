"""A model that goes wrong in every way that the sandbox knows: nothing unsupported comes out clear."""

import json
from dataclasses import replace

import openai
import pytest
from labelled_copy import INSTRUCTIONS, SHAPE, load_terms

from nurture.copywriting.guardrails import Terms, judge
from nurture.copywriting.pieces import BadAnswer, read_piece
from nurture.copywriting.shapes import Shape
from sandbox.model import RunningModel
from sandbox.model.behaviour import ANSWER_MODES, spoil

pytestmark = pytest.mark.slow  # every way to misbehave

LISTED = Shape(limits=SHAPE.limits, citations="list")
OFFERED = ("count-what", "count-price", "trial")
FLAGGED_BY_POLICY = ("flagged_claim", "invented_discount")


def terms_for(shape: Shape) -> Terms:
    terms = load_terms()
    return replace(terms, facts=tuple(fact for fact in terms.facts if fact.id in OFFERED), citations=shape.citations)


def outcome(answer: str | None, shape: Shape) -> tuple[str, list[str]]:
    try:
        verdict = judge(read_piece(answer, shape), terms_for(shape))
    except BadAnswer:
        return "rejected", ["schema"]
    return verdict.outcome, [reason["name"] for reason in verdict.reasons]


ANSWERS = {
    "sentence": {
        "headline": "Counting without closing",
        "body": "Hi {first_name},\n\nLarkfield Count lets a team count stock shelf by shelf on a phone, "
        "without closing the warehouse. [count-what] It costs $49 a month for each site. [count-price]",
        "cta": "See how it works",
    },
    "list": {
        "headline": "Counting without closing",
        "body": "Hi {first_name},\n\nLarkfield Count lets a team count stock shelf by shelf on a phone, "
        "without closing the warehouse. It costs $49 a month for each site.",
        "cta": "See how it works",
        "cited_fact_ids": ["count-what", "count-price"],
    },
}


@pytest.mark.parametrize("mode", ANSWER_MODES)
@pytest.mark.parametrize("shape", [SHAPE, LISTED], ids=lambda shape: shape.citations)
def test_no_misbehaviour_comes_out_clear(mode: str, shape: Shape) -> None:
    good = ANSWERS[shape.citations]
    assert outcome(json.dumps(good), shape) == ("clear", [])

    spoilt = spoil(mode, good, system=INSTRUCTIONS)

    found, names = outcome(spoilt if isinstance(spoilt, str) else json.dumps(spoilt), shape)
    assert found == "rejected" or (found == "flagged" and mode in FLAGGED_BY_POLICY), (found, names)


@pytest.mark.slow
def test_the_server_misbehaves_as_told(sandbox_model: RunningModel) -> None:
    asked = {
        "facts": [{"id": fact.id, "text": fact.text} for fact in terms_for(LISTED).facts],
        "placeholders": ["first_name"],
        "context": {"recent_product": "Larkfield Count"},
    }
    messages = [
        {"role": "system", "content": INSTRUCTIONS},
        {"role": "user", "content": f"<request>\n{json.dumps(asked)}\n</request>"},
    ]
    wanted = {"type": "json_schema", "json_schema": {"name": "copy", "strict": True, "schema": LISTED.answer_schema}}
    outcomes = {}

    with openai.OpenAI(base_url=sandbox_model.url, api_key=sandbox_model.api_key, max_retries=0) as client:
        for mode in (None, *ANSWER_MODES):
            if mode:
                sandbox_model.misbehave(mode, times=1)
            answer = client.chat.completions.create(model="sandbox-writer-1", messages=messages, response_format=wanted)
            outcomes[mode] = outcome(answer.choices[0].message.content, LISTED)

    assert outcomes.pop(None) == ("clear", [])
    assert {mode: found for mode, found in outcomes.items() if found[0] == "clear"} == {}
