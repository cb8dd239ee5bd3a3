"""One call of a model: paced, paid for, noted before it goes out and after, its answer judged and kept."""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from nurture.copywriting.answers import Judged, judge_answer
from nurture.copywriting.budget import NOTHING, Amount, Purse, worst_case
from nurture.copywriting.calls import CallOutcome, PlannedCall
from nurture.copywriting.chat_model import Answer, ModelBusy, ModelRefused
from nurture.copywriting.fallover import Lane
from nurture.copywriting.journal import Ended, Journal, Withdrawn
from nurture.copywriting.pacing import Slot
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run, StoredCopy
from nurture.copywriting.switch import AI_PERSONALIZATION
from nurture.errors import NurtureError
from nurture.policy import Budget

log = logging.getLogger(__name__)


class LaneIsOut(Exception):
    """The model was given up while the request waited for its turn: it was not asked."""


@dataclass
class Tally:
    """What the calls of a run came to.

    Attributes:
        capped_by: the key in policy (`llm.budget`) of a cap that kept at least one call back.
        switched_off: the switch was off before at least one call.
        pinned_to_another: which pin (`template`, `model`) was set during the run to something else than it writes with, and
            kept at least one call back.
    """

    model_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    capped_by: str | None = None
    switched_off: bool = False
    pinned_to_another: str | None = None


class Caller:
    """Makes the calls of one run, as many at a time as it is asked to.

    Attributes:
        is_stopped: nothing more goes out.
    """

    def __init__(self, run: Run, journal: Journal, budget: Budget) -> None:
        self.run, self.journal, self.budget = run, journal, budget
        self.tally = Tally()
        self.is_stopped = False
        self._forbidden: set[str] = set()  # models that a switch did not let be asked when their latest call was noted
        self._judging = asyncio.Lock()

    async def stop(self) -> None:
        """Send nothing more, and wait for no money."""
        self.is_stopped = True
        await self.journal.stop()

    async def call(self, lane: Lane, request: CopyRequest, attempt: int) -> StoredCopy | None:
        """Ask a model once. None: a cap or a switch did not allow it.

        Raises:
            ModelBusy, ModelRefused: there is no answer; it is noted, and the lane knows.
            LaneIsOut: the model was not asked.
        """
        worst = worst_case(request, lane.price)
        slot = await lane.pace.enter(_likely_tokens(request, worst))
        try:
            out = await self._send_off(lane, slot, request, attempt, worst)
            if out is None:
                return None
            answer = await self._ask(lane, slot, out)
            return await self._keep(lane, out, answer)
        finally:
            lane.pace.over(slot)

    async def _send_off(self, lane: Lane, slot: Slot, request: CopyRequest, attempt: int, worst: Amount) -> "_Call | None":
        """Pay for a call and note it, then note that it goes out. None: a cap or a switch does not allow it.

        Raises:
            LaneIsOut: the model is not to be asked.
            NurtureError: another attempt of this run has begun.
        """
        if lane.out:
            raise LaneIsOut
        if self.is_stopped:
            return None
        purse = Purse.of(self.run, self.budget, datetime.now(UTC).date())
        out = await self._begin(PlannedCall(request, lane.model.name, attempt, worst, purse))
        if out is None:
            return None
        await lane.pace.go(slot)
        if lane.out or lane.model.name in self._forbidden or self.is_stopped:  # since it was noted
            lane.pace.over(slot)
            await self.journal.withdraw(Withdrawn(out.id, out.plan))
            if lane.out:
                raise LaneIsOut
            return None
        if not await self.journal.send(out.id):
            raise NurtureError(
                f"another attempt of run {self.run.run_id} took back a call of this one before it went out; end this attempt"
            )
        return out

    async def _ask(self, lane: Lane, slot: Slot, call: "_Call") -> Answer:
        """Ask the model; what came of it is noted when it is no answer."""
        request, worst = call.plan.request, call.plan.worst
        call.began = time.monotonic()
        try:
            answer = await lane.model.ask(request.messages, request.response_format, request.parameters)
        except ModelBusy as error:
            lane.pace.busy(slot, error)
            await self._end(call, error.status, worst if error.may_be_charged else NOTHING, error=str(error))
            raise
        except ModelRefused as error:
            if error.concerns_all:
                lane.give_up("refused", str(error))
            lane.pace.over(slot)
            await self._end(call, "bad_request", NOTHING, error=str(error))
            raise
        except Exception as error:
            lane.pace.over(slot)
            await self._fail(call, error)
            raise
        lane.pace.answered(slot, answer.allowances)
        lane.answered_at = time.monotonic()
        return answer

    async def _fail(self, call: "_Call", error: Exception) -> None:
        """Note a failure that nobody foresaw: the call may have been charged."""
        await self._end(call, "server_error", call.plan.worst, error=f"unforeseen: {type(error).__name__}: {error}")

    async def _begin(self, plan: PlannedCall) -> "_Call | None":
        """Reserve the money and note the call; None: a cap or a switch does not allow it."""
        begun = await self.journal.begin(plan)
        if begun.call_id is not None:
            self._forbidden.discard(plan.model)
            return _Call(begun.call_id, plan)
        if begun.forbidden_by is not None:
            self._forbidden.add(plan.model)
            self._forbid(begun.forbidden_by)
        elif self.tally.capped_by is None:
            self.tally.capped_by = begun.capped_by
            log.warning("The cap llm.budget.%s is reached: what is left over is static copy.", begun.capped_by)
        return None

    def _forbid(self, switch: str) -> None:
        if switch == AI_PERSONALIZATION:
            self.tally.switched_off = True
        elif self.tally.pinned_to_another is None:
            self.tally.pinned_to_another = switch
            log.warning("%s was pinned to another %s since this run began: nothing more is asked for, and the rest is static"
                        " copy, unless generate_copy is cleared.", self.run.campaign, switch)  # fmt: skip

    async def _keep(self, lane: Lane, call: "_Call", answer: Answer) -> StoredCopy | None:
        """Judge and store one answer."""
        cost = call.plan.worst
        if answer.prompt_tokens is not None and answer.completion_tokens is not None:
            usd = lane.price.cost(answer.prompt_tokens, answer.completion_tokens) if lane.price else Decimal(0)
            cost = Amount(usd, answer.prompt_tokens + answer.completion_tokens)
        async with self._judging:
            await asyncio.sleep(0)  # judging takes milliseconds: between two answers, what goes out next goes first
            try:
                judged = judge_answer(call.plan.request, answer, lane.model.sent(call.plan.request.parameters))
            except Exception as error:
                await self._fail(call, error)
                raise
        status = "bad_answer" if judged.why_not else "ok"
        return await self._end(call, status, cost, error=judged.why_not, answer=answer, judged=judged)

    async def _end(
        self, call: "_Call", status: str, cost: Amount, *, error: str | None, answer: Answer | None = None,
        judged: Judged | None = None,
    ) -> StoredCopy | None:  # fmt: skip
        """Note what came of a call, with what is kept of its answer."""
        self.tally.model_calls += 1
        self.tally.prompt_tokens += (answer.prompt_tokens or 0) if answer else 0
        self.tally.completion_tokens += (answer.completion_tokens or 0) if answer else 0
        self.tally.cost_usd += cost.usd
        outcome = CallOutcome(call.id, call.plan, status, time.monotonic() - call.began, cost, error, answer)
        return await self.journal.end(Ended(outcome, judged.kept if judged else None, judged.letter if judged else None))


@dataclass
class _Call:
    """A request that is noted: its row in `ops.llm_call`, and the monotonic time at which it went out."""

    id: int
    plan: PlannedCall
    began: float = field(default_factory=time.monotonic)


def _likely_tokens(request: CopyRequest, worst: Amount) -> int:
    """As vendors count a request against a limit before they know: four bytes a token, and all that it may answer."""
    most_answered = int(request.parameters["max_completion_tokens"])
    return (worst.tokens - most_answered) // 4 + most_answered
