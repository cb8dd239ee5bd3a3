"""Answers that come in together are written together, and the thread that writes them gets its turns."""

import sys
from typing import Any

import psycopg
import pytest
from copy_night import CAMPAIGN, RETAIL, Invite, Night, Wrapped

from nurture.copywriting.chat_model import Answer
from nurture.copywriting.copybook import Copybook
from nurture.copywriting.guardrails import Verdict
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Kept, Run, keep
from nurture.copywriting.vocabulary import normalise

RUN = Run(CAMPAIGN, "manual__1", CAMPAIGN)


@pytest.fixture
def three(book: Copybook) -> list[CopyRequest]:
    industries = ("retail", "healthcare", "logistics")
    contexts = [normalise({**RETAIL, "industry": industry}, book.vocabulary) for industry in industries]
    return [book.model_request(context, "sandbox-writer-1") for context in contexts]


def piece(request: CopyRequest, headline: str) -> Kept:
    facts = [request.facts[0].id, request.facts[1].id]
    return Kept(request, {"headline": headline, "cited_fact_ids": facts}, Verdict("clear", confidence=0.75))


def test_of_pieces_stored_together_those_that_were_there_before_stay_and_the_others_are_new(
    warehouse: psycopg.Connection, three: list[CopyRequest]
) -> None:
    keep(warehouse, RUN, [piece(three[1], "first")])

    kept = keep(warehouse, RUN, [piece(request, "second") for request in three])

    assert [kept[request.request_hash].output["headline"] for request in three] == ["second", "first", "second"]
    rows = warehouse.execute("SELECT request_hash, copy_id, output ->> 'headline', confidence FROM ops.copy").fetchall()
    assert sorted(rows) == sorted(
        (request_hash, copy.copy_id, copy.output["headline"], 0.75) for request_hash, copy in kept.items()
    )
    cited = warehouse.execute("SELECT copy_id, fact_id, fact_version, source FROM ops.copy_source").fetchall()
    assert sorted(cited) == sorted(
        (kept[request.request_hash].copy_id, fact.id, fact.version, fact.source)
        for request in three
        for fact in request.facts[:2]
    )


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("nul \x00", "nul "),
        ("half \ud83d of a pair", "half ? of a pair"),
        ("whole 🙂", "whole 🙂"),
        (r"no \u0000", r"no \u0000"),
    ],
)
def test_a_piece_is_stored_without_what_the_warehouse_cannot_hold(
    warehouse: psycopg.Connection, three: list[CopyRequest], said: str, stored: str
) -> None:
    kept = keep(warehouse, RUN, [piece(three[0], said)])

    assert kept[three[0].request_hash].output["headline"] == stored


class SeesTurns(Wrapped):
    """Notes how long a thread may keep the interpreter while a request is out."""

    seen = 0.0

    async def ask(self, *request: Any) -> Answer:
        SeesTurns.seen = sys.getswitchinterval()
        return await super().ask(*request)


def test_turns_are_short_while_copy_is_written_and_as_before_afterwards(night: Night, invite: Invite) -> None:
    invite(RETAIL)
    before = sys.getswitchinterval()

    night.write(wrap=SeesTurns)

    assert (SeesTurns.seen, sys.getswitchinterval()) == (pytest.approx(0.0005), before)
