"""From what a model answered to what is kept of it."""

from dataclasses import dataclass
from typing import Any

from nurture.copywriting.chat_model import Answer
from nurture.copywriting.guardrails import Verdict, judge
from nurture.copywriting.pieces import KEPT_OF_BAD_ANSWER, BadAnswer, read_piece, storable
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Kept
from nurture.warehouse.dead_letter import DeadLetter


@dataclass(frozen=True)
class Judged:
    """An answer as it is stored.

    Attributes:
        why_not: why it is used for nobody, in words; None when it may be used.
        letter: for the dead letters, when it is used for nobody.
    """

    kept: Kept
    why_not: str | None = None
    letter: DeadLetter | None = None


def judge_answer(request: CopyRequest, answer: Answer, parameters: dict[str, Any] | None = None) -> Judged:
    """Read `answer` and hold it against the guardrails. `parameters`: as the vendor took them, if not the request's."""
    try:
        piece = read_piece(answer.text, request.template)
        output, verdict = piece.stored(), judge(piece, request.terms)
    except BadAnswer as error:
        output = {"unreadable": (answer.text or "")[:KEPT_OF_BAD_ANSWER]}
        verdict = Verdict("rejected", ({"name": "schema", "found": str(error)},))
    kept = Kept(request, output, verdict, parameters)
    if verdict.outcome != "rejected":
        return Judged(kept)
    why = "; ".join(f"{reason['name']}: {reason['found']}" for reason in verdict.reasons)
    letter = DeadLetter("llm.copy", request.request_hash, f"{why}. Static copy is sent instead.",
                        payload=storable({"context": request.context, "output": output}))  # fmt: skip
    return Judged(kept, why, letter)
