"""Asking a model for what the store does not have: bounded, retried, within budget, every answer kept as it arrives."""

import asyncio
import logging
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import psycopg

from nurture.copywriting import store
from nurture.copywriting.budget import Budget
from nurture.copywriting.calls import begin_call, end_call, spent_usd
from nurture.copywriting.chat_model import Answer, ChatModel, ModelBusy, ModelRefused
from nurture.copywriting.guardrails import Verdict, judge
from nurture.copywriting.pieces import KEPT_OF_BAD_ANSWER, BadAnswer, read_piece, storable
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run, StoredCopy
from nurture.policy import Llm
from nurture.warehouse.dead_letter import DeadLetter, bury

log = logging.getLogger(__name__)

LONGEST_WAIT_SECONDS = 60.0


@dataclass
class Written:
    """What came of asking.

    Attributes:
        copies: by request hash; a request that is missing here got no answer.
        capped: the budget did not allow at least one call.
        switched_off: the switch was off before at least one call.
        refusal: why the endpoint will answer nothing at all, if so.
        unpriced: policy has no price for the model: it was not asked unless policy allows that, and then without a cap.
    """

    copies: dict[str, StoredCopy] = field(default_factory=dict)
    model_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    capped: bool = False
    switched_off: bool = False
    refusal: str | None = None
    unpriced: bool = False


async def write_copy(
    connection: psycopg.Connection, run: Run, requests: Sequence[CopyRequest], model: ChatModel, policy: Llm
) -> Written:
    """Ask `model` for every request, at most `policy.concurrency` at a time.

    Each answer is judged, stored and committed before the next use of the connection, so a crash loses none that was
    paid for. A request whose attempts all fail is missing from the result: its people get static copy, and a later
    run asks again.
    """
    if not requests:
        return Written()
    writer = _Writer(connection, run, model, policy)
    waiting = iter(requests)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(policy.concurrency, len(requests))):
                group.create_task(writer.work(waiting))
    except ExceptionGroup as errors:  # one failure cancels the other workers; it alone tells the story
        raise errors.exceptions[0] from None
    return writer.written


@dataclass(frozen=True)
class _Call:
    """A request that is out: its row in `ops.llm_call`, when it left, and its worst case in US dollars."""

    id: int
    began: float
    reserved: Decimal


class _Writer:
    def __init__(self, connection: psycopg.Connection, run: Run, model: ChatModel, policy: Llm) -> None:
        self.connection, self.run, self.model, self.policy = connection, run, model, policy
        self.budget = Budget(policy, model.name, spent_usd(connection, run.dag_id, run.run_id))
        self.written = Written(unpriced=not self.budget.is_priced)

    async def work(self, waiting: Iterator[CopyRequest]) -> None:
        for request in waiting:
            await self._write(request)

    async def _write(self, request: CopyRequest) -> None:
        for attempt in range(1, self.policy.max_attempts + 1):
            call = self._begin(request, attempt)
            if call is None:
                return
            try:
                answer = await self.model.ask(request.messages, request.response_format, request.parameters)
            except ModelBusy as error:
                cost = call.reserved if error.may_be_charged else Decimal(0)
                self._note(call, error.status, error=str(error), cost=cost)
                self.connection.commit()
                if attempt < self.policy.max_attempts:
                    await asyncio.sleep(self._pause(attempt, error.retry_after_seconds))
            except ModelRefused as error:
                self._note(call, "bad_request", error=str(error), cost=Decimal(0))
                self.connection.commit()
                if error.concerns_all and self.written.refusal is None:
                    log.error("The model endpoint refuses: %s The rest is static copy.", error)
                    self.written.refusal = str(error)
                return
            else:
                self._keep(request, call, answer)
                return

    def _begin(self, request: CopyRequest, attempt: int) -> _Call | None:
        """Permission and money for one call; None: no price, refused altogether, cap reached, or the switch is off."""
        if self.written.refusal is not None or not self.budget.may_ask:
            return None
        reserved = self.budget.reserve(
            request.messages, request.response_format, request.parameters["max_completion_tokens"]
        )
        if reserved is None:
            self.written.capped = True
            return None
        call_id = begin_call(
            self.connection, self.run, request, model=self.model.name, attempt=attempt, worst_case_usd=reserved
        )
        if call_id is None:
            self.budget.settle(reserved, Decimal(0))
            self.written.switched_off = True
            return None
        return _Call(call_id, time.monotonic(), reserved)

    def _pause(self, attempt: int, retry_after_seconds: float | None) -> float:
        """Exponential backoff with jitter, or what the endpoint asked for where that is longer."""
        backoff: float = self.policy.backoff_seconds * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311
        return min(max(backoff, retry_after_seconds or 0.0), LONGEST_WAIT_SECONDS)

    def _keep(self, request: CopyRequest, call: _Call, answer: Answer) -> None:
        """Judge, store and commit one answer."""
        cost = call.reserved
        if answer.prompt_tokens is not None and answer.completion_tokens is not None:
            cost = self.budget.cost(answer.prompt_tokens, answer.completion_tokens)
        try:
            piece = read_piece(answer.text)
            output, verdict = piece.model_dump(), judge(piece, request.terms)
        except BadAnswer as error:
            output = {"unreadable": (answer.text or "")[:KEPT_OF_BAD_ANSWER]}
            verdict = Verdict("rejected", ({"name": "schema", "found": str(error)},))
        rejected = verdict.outcome == "rejected"
        why = "; ".join(f"{reason['name']}: {reason['found']}" for reason in verdict.reasons)
        self._note(call, "bad_answer" if rejected else "ok", error=why if rejected else None, answer=answer, cost=cost)
        self.written.copies |= store.keep(self.connection, self.run, [(request, output, verdict)])
        if rejected:
            letter = DeadLetter("llm.copy", request.request_hash, f"{why}. Static copy is sent instead.",
                                payload=storable({"context": request.context, "output": output}))  # fmt: skip
            bury(self.connection, [letter], dag_id=self.run.dag_id, run_id=self.run.run_id)
        self.connection.commit()

    def _note(
        self, call: _Call, status: str, *, cost: Decimal, error: str | None = None, answer: Answer | None = None
    ) -> None:
        """Replace the reservation by what the call cost, and note its outcome."""
        self.budget.settle(call.reserved, cost)
        self.written.model_calls += 1
        self.written.prompt_tokens += (answer.prompt_tokens or 0) if answer else 0
        self.written.completion_tokens += (answer.completion_tokens or 0) if answer else 0
        self.written.cost_usd += cost
        seconds = time.monotonic() - call.began
        end_call(self.connection, call.id, status, seconds=seconds, cost_usd=cost, error=error, answer=answer)
