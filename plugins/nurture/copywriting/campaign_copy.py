"""One campaign's night of copy: audience → distinct contexts → store → model → static fallback → messages."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from json import loads

import psycopg

from nurture.copywriting import store
from nurture.copywriting.calls import is_switched_on
from nurture.copywriting.chat_model import ChatModel
from nurture.copywriting.copybook import Copybook
from nurture.copywriting.engine import Written, write_copy
from nurture.copywriting.guardrails import Verdict, judge
from nurture.copywriting.messages import Choice, DistinctContext, choose_messages, distinct_contexts
from nurture.copywriting.pieces import Piece
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run, StoredCopy
from nurture.copywriting.vocabulary import Context, normalise
from nurture.errors import ConfigError
from nurture.policy import Llm

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CopyCounts:
    """What a night of copy came to.

    `audience` and `static` count people; `contexts` is the sum of `clear`, `flagged`, `rejected` and `unanswered`;
    `model_calls`, tokens and `cost_usd` are of this attempt only (ops.llm_call has all).

    Attributes:
        static: people who get static copy, whichever arm they are in.
        from_store: contexts whose copy was already there.
        unanswered: contexts without an answer: endpoint down, budget cap, switch.
        capped, switched_off, refused: why some of these were not asked for.
        unpriced: policy has no price for the model: it was not asked, or, where policy allows that, at a noted cost of 0.
    """

    audience: int
    contexts: int
    from_store: int
    model_calls: int
    clear: int
    flagged: int
    rejected: int
    unanswered: int
    static: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    capped: bool
    switched_off: bool
    refused: bool
    unpriced: bool


async def write_campaign_copy(
    connection: psycopg.Connection,
    *,
    run: Run,
    day: str,
    template: str,
    fallback_template: str,
    model: ChatModel,
    policy: Llm,
) -> CopyCounts:
    """Write what the night's audience needs and say in `ops.message` who gets what. Commits as it goes.

    Raises:
        ConfigError: a template, a fact or the vocabulary is wrong.
        NurtureError: the audience changed meanwhile.
    """
    book = Copybook(template, fallback_template, date.fromisoformat(day))
    groups = distinct_contexts(connection, run.campaign, day)
    connection.commit()
    contexts = {group.context: normalise(loads(group.context), book.vocabulary) for group in groups}
    asked = {group.context: book.model_request(contexts[group.context], model.name) for group in groups if group.arm == "ai"}
    distinct = _distinct(asked.values())
    people = sum(group.people for group in groups)
    log.info("%s %s: %d people, %d distinct contexts to write for.", run.campaign, day, people, len(distinct))

    stored = _still_good(connection, distinct)
    missing = [request for request in distinct if request.request_hash not in stored]
    log.info("%d pieces from the store, %d to ask %s for.", len(stored), len(missing), model.name)
    written = await write_copy(connection, run, missing, model, policy)
    copies = stored | written.copies
    if not is_switched_on(connection):
        log.warning("The switch ai_personalization is off: everyone gets static copy.")
        written.switched_off, copies = True, {}
    log.info("%d calls, $%.6f, %d without an answer.", written.model_calls, written.cost_usd, len(distinct) - len(copies))

    static = _static_copy(connection, run, book, contexts)
    choices = [_choice(group, asked.get(group.context), copies, static) for group in groups]
    choose_messages(connection, run.campaign, day, choices, people=people)
    counts = _counts(groups, choices, distinct, copies, len(stored), written)
    log.info("%d clear, %d flagged, %d rejected; %d of %d people get static copy.",
             counts.clear, counts.flagged, counts.rejected, counts.static, counts.audience)  # fmt: skip
    return counts


def _still_good(connection: psycopg.Connection, requests: Sequence[CopyRequest]) -> dict[str, StoredCopy]:
    """What the store has, judged by today's guardrails, which may be stricter than those of the day it was written."""
    stored = store.find(connection, requests)
    for request in requests:
        copy = stored.get(request.request_hash)
        if copy is None or "unreadable" in copy.output:
            continue
        verdict = judge(Piece.model_validate(copy.output), request.terms)
        if verdict.outcome != copy.verdict:
            store.rejudge(connection, copy.copy_id, verdict)
            stored[copy.request_hash] = StoredCopy(copy.copy_id, copy.request_hash, copy.output, verdict.outcome)
    connection.commit()
    return stored


def _static_copy(
    connection: psycopg.Connection, run: Run, book: Copybook, contexts: dict[str, Context]
) -> dict[str, StoredCopy]:
    """The static piece of each raw context.

    Raises:
        ConfigError: the template's text does not pass the guardrails; it must be mended, as there is nothing behind it.
    """
    requests = {raw: book.static_request(context) for raw, context in contexts.items()}
    distinct = _distinct(requests.values())
    copies = store.find(connection, distinct)
    missing = []
    for request in distinct:
        if request.request_hash in copies:
            continue
        piece = request.static_piece()
        verdict = judge(piece, request.terms)
        if verdict.outcome == "rejected":
            raise ConfigError(f"{request.template.reference} for {request.context}: {verdict.reasons}; mend its text")
        missing.append((request, piece.model_dump(), Verdict("clear")))  # its approver has seen every flagged word
    copies |= store.keep(connection, run, missing)
    connection.commit()
    return {raw: copies[request.request_hash] for raw, request in requests.items()}


def _choice(
    group: DistinctContext, request: CopyRequest | None, copies: dict[str, StoredCopy], static: dict[str, StoredCopy]
) -> Choice:
    fallback = static[group.context].copy_id
    copy = copies.get(request.request_hash) if request and group.arm == "ai" else None
    if copy is None or copy.verdict == "rejected":
        return Choice(group.context, group.arm, fallback, fallback, "ready")
    lane = "approval" if copy.verdict == "flagged" else "ready"
    return Choice(group.context, group.arm, copy.copy_id, fallback, lane)  # type: ignore[arg-type]


def _distinct(requests: Iterable[CopyRequest]) -> list[CopyRequest]:
    return list({request.request_hash: request for request in requests}.values())


def _counts(
    groups: Sequence[DistinctContext],
    choices: Sequence[Choice],
    distinct: Sequence[CopyRequest],
    copies: dict[str, StoredCopy],
    from_store: int,
    written: Written,
) -> CopyCounts:
    verdicts = Counter(copies[request.request_hash].verdict for request in distinct if request.request_hash in copies)
    return CopyCounts(
        audience=sum(group.people for group in groups),
        contexts=len(distinct),
        from_store=from_store,
        model_calls=written.model_calls,
        clear=verdicts["clear"],
        flagged=verdicts["flagged"],
        rejected=verdicts["rejected"],
        unanswered=len(distinct) - len(copies),
        static=sum(g.people for g, choice in zip(groups, choices, strict=True) if choice.copy_id == choice.fallback_copy_id),
        prompt_tokens=written.prompt_tokens,
        completion_tokens=written.completion_tokens,
        cost_usd=float(written.cost_usd),
        capped=written.capped,
        switched_off=written.switched_off,
        refused=written.refusal is not None,
        unpriced=written.unpriced,
    )
