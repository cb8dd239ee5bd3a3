"""Writing to the warehouse for many calls in flight: off the event loop, and whatever has come up in one commit."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar, cast

import psycopg

from nurture.copywriting import store
from nurture.copywriting.budget import NOTHING, Amount, Purse, reserve_each, settle
from nurture.copywriting.calls import (
    Begun,
    CallOutcome,
    PlannedCall,
    begin_calls,
    end_calls,
    mark_sent,
    withdraw_calls,
    withdraw_unsent,
)
from nurture.copywriting.store import Kept, Run, StoredCopy
from nurture.policy import Budget
from nurture.warehouse.dead_letter import DeadLetter, bury

Result = TypeVar("Result")


@dataclass(frozen=True)
class Ended:
    """A call that is over, with what is kept of its answer and what is wrong with it."""

    outcome: CallOutcome
    kept: Kept | None = None
    letter: DeadLetter | None = None


@dataclass(frozen=True)
class Withdrawn:
    """A call that was noted and then did not go out."""

    call_id: int
    plan: PlannedCall


@dataclass(frozen=True)
class _Sent:
    """A noted call that goes out now."""

    call_id: int


Change = PlannedCall | _Sent | Ended | Withdrawn


@dataclass(frozen=True)
class _Entry:
    """Something to write, and who waits for it to be committed."""

    what: Change
    done: asyncio.Future[Any]


class Journal:
    """What a run writes while calls are in flight. Only it may use `connection` until it is closed.

    Whatever is awaited here is committed when it returns. What comes up while one transaction is written is the next one
    (group commit). When it fails, each entry is written alone, so that a bad one takes none of the others with it.
    """

    def __init__(self, connection: psycopg.Connection, run: Run, budget: Budget) -> None:
        self.connection, self.run, self.budget = connection, run, budget
        self._is_stopped = False
        self._entries: list[_Entry] = []
        self._writing: asyncio.Task[None] | None = None
        self._one_writer = threading.Lock()
        self._out = 0
        self._money_back = asyncio.Condition()

    async def begin(self, plan: PlannedCall) -> Begun:
        """Reserve the money for a call and note it.

        While other calls of this run hold money in reserve, a cap is no last word: this waits for what comes back of it.
        """
        while True:
            begun: Begun = await self._written(plan)
            if begun.capped_by is None:
                return begun
            async with self._money_back:
                if self._out == 0 or self._is_stopped:
                    return begun
                await self._money_back.wait()

    async def stop(self) -> None:
        """Let nobody wait for money any more."""
        self._is_stopped = True
        async with self._money_back:
            self._money_back.notify_all()

    async def send(self, call_id: int) -> bool:
        """Note that a call goes out now: from here on it may be charged. False: another attempt took its note back."""
        return cast(bool, await self._written(_Sent(call_id)))

    async def end(self, ended: Ended) -> StoredCopy | None:
        """Note what came of a call, settle its money and keep its answer. The copy as stored: whoever stored first, wins."""
        return cast(StoredCopy | None, await self._written(ended))

    async def withdraw(self, call: Withdrawn) -> None:
        """Take back the note of a call that did not go out, and give its money back."""
        await self._written(call)

    def close(self) -> None:
        """Write what is left after an error: answers, for which nobody waits any more, but they are paid for.

        What was noted and never went out, because its task was cancelled, is taken back.
        """
        left = [entry.what for entry in self._entries if isinstance(entry.what, Ended | Withdrawn)]
        self._entries = []
        self._write(left)
        with self._one_writer, suppress(psycopg.Error):  # the connection may be lost: then the next attempt does it
            withdraw_unsent(self.connection, self.run, self.budget)
            self.connection.commit()

    def _written(self, what: Change) -> asyncio.Future[Any]:
        entry = _Entry(what, asyncio.get_running_loop().create_future())
        self._entries.append(entry)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return entry.done

    async def _write_all(self) -> None:
        while self._entries:
            group, self._entries = self._entries, []
            results = await asyncio.to_thread(self._write, [entry.what for entry in group])
            over = 0
            for entry, result in zip(group, results, strict=True):
                self._out += isinstance(result, Begun) and result.call_id is not None
                over += isinstance(entry.what, Ended | Withdrawn)
                if not entry.done.done():
                    _tell(entry.done, result)
            if over:
                await self._give_back(over)

    async def _give_back(self, over: int) -> None:
        self._out -= over
        async with self._money_back:
            if self._out:
                self._money_back.notify(over)
            else:
                self._money_back.notify_all()

    def _write(self, group: Sequence[Change]) -> list[Any]:
        """The result of each entry, or the exception that kept it from being written."""
        if not group:
            return []
        with self._one_writer:
            try:
                return self._commit(group)
            except Exception as error:
                with suppress(psycopg.Error):  # the connection may be lost: then each entry alone says so
                    self.connection.rollback()
                if len(group) == 1:
                    return [error]
        return [self._write([what])[0] for what in group]

    def _commit(self, group: Sequence[Change]) -> list[Any]:
        """Write a group in one transaction. Answers first: what they give back, new calls may use.

        Copy is stored in the order of its hash, then budget rows are locked, in one order too: no deadlocks between runs.
        """
        ended = [what for what in group if isinstance(what, Ended)]
        sent = [what for what in group if isinstance(what, _Sent)]
        withdrawn = [what for what in group if isinstance(what, Withdrawn)]
        plans = [what for what in group if isinstance(what, PlannedCall)]
        results: dict[int, Any] = {}
        if ended:
            copies = store.keep(self.connection, self.run, [one.kept for one in ended if one.kept])
            bury(
                self.connection, [one.letter for one in ended if one.letter], dag_id=self.run.dag_id, run_id=self.run.run_id
            )
            end_calls(self.connection, [one.outcome for one in ended])
            results |= {id(one): copies[one.kept.request.request_hash] if one.kept else None for one in ended}
        if sent:
            marked = mark_sent(self.connection, [one.call_id for one in sent])
            results |= {id(one): one.call_id in marked for one in sent}
        if withdrawn:
            gone = withdraw_calls(self.connection, [one.call_id for one in withdrawn])
            withdrawn = [one for one in withdrawn if one.call_id in gone]
        self._settle([(one.outcome.plan, one.outcome.cost) for one in ended] + [(one.plan, NOTHING) for one in withdrawn])
        for purse, some in groupby(plans, key=lambda plan: plan.purse):
            same = list(some)
            results |= dict(zip(map(id, same), self._begin(purse, same), strict=True))
        self.connection.commit()
        return [results.get(id(what)) for what in group]

    def _settle(self, costs: Sequence[tuple[PlannedCall, Amount]]) -> None:
        for purse in sorted({plan.purse for plan, _ in costs}, key=str):
            same = [(plan.worst, cost) for plan, cost in costs if plan.purse == purse]
            reserved, spent = (sum(amounts, NOTHING) for amounts in zip(*same, strict=True))
            settle(self.connection, purse, reserved=reserved, spent=spent)

    def _begin(self, purse: Purse, plans: Sequence[PlannedCall]) -> list[Begun]:
        granted = reserve_each(self.connection, purse, [plan.worst for plan in plans])
        paid = plans[: granted.calls]
        begun = begin_calls(self.connection, self.run, paid) if paid else []
        forbidden = [plan.worst for plan, one in zip(paid, begun, strict=True) if one.forbidden_by]
        if forbidden:
            settle(self.connection, purse, reserved=sum(forbidden, NOTHING), spent=NOTHING)
        return [*begun, *(Begun(None, capped_by=granted.capped_by) for _ in plans[granted.calls :])]


def _tell(future: "asyncio.Future[Any]", result: Any) -> None:
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
