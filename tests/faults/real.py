"""Run one schedule with real processes, SIGKILL, PostgreSQL and the sandbox CRM over HTTP."""

import json
import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import psycopg
from requests import Session

from nurture.errors import NurtureError
from nurture.hooks.hubspot import HubSpotHook, PropertyDefinition
from nurture.ledger.attempt import attempt
from nurture.ledger.push import Hand, Push
from nurture.operators.push_to_crm import GROUP, LABELS
from nurture.policy import Crm, load_policy
from sandbox.crm.server import RunningCrm
from tests.faults import people, schedule
from tests.faults.mortal import Life, connect
from tests.faults.schedule import Schedule, Try
from tests.faults.simulated_crm import MESSAGE_ID, Write
from tests.faults.verdict import Verdict, judge

UPDATE = "/contacts/batch/update$"
READ = "/contacts/batch/read$"
TIMEOUT_SECONDS = 1
LATE_SECONDS = 1.6  # of a CRM that is slow past the time-out, yet writes
CALM_ATTEMPTS = 6
FORK = multiprocessing.get_context("fork")


def impatient(batch_size: int, workers: int = 1) -> Crm:
    """The real policy with short waits; what is sent again waits longer than any write takes."""
    return load_policy().crm.model_copy(
        update={"batch_size": batch_size, "push_workers": workers, "timeout_seconds": TIMEOUT_SECONDS,
                "settle_after_seconds": 2.5, "max_attempts": 3}
    )  # fmt: skip


class MortalHook(HubSpotHook):
    """Every request's begin and end is a boundary; who is read is noted in the life's log."""

    life: Life
    diary: Path

    @cached_property
    def session(self) -> Session:
        session: Session = HubSpotHook.session.func(self)  # type: ignore[attr-defined]
        request = session.request

        def watched(method: str, url: str, **options: Any) -> Any:
            self.life.boundary("request")
            answer = request(method, url, **options)
            if url.endswith("/batch/read"):
                note(self.diary, "read", [item["id"] for item in options["json"]["inputs"]])
            self.life.boundary("answer")
            return answer

        session.request = watched  # type: ignore[assignment]
        return session


def note(log: Path, what: str, crm_ids: Sequence[str]) -> None:
    """Append a line that outlives the process."""
    with log.open("a") as file:
        file.write(json.dumps([what, list(crm_ids)]) + "\n")


@dataclass
class RealWorld:
    """One warehouse, one CRM.

    Attributes:
        restart: stops PostgreSQL and starts it again.
    """

    url: str
    crm: RunningCrm
    seed: int
    restart: Callable[[], None]

    def run(self, plan: Schedule) -> tuple[Verdict, Counter[str]]:
        """Play the schedule and judge what came of it."""
        os.environ["AIRFLOW_CONN_CRM"] = json.dumps(
            {"conn_type": "http", "host": self.crm.url, "password": self.crm.token, "extra": {"api_version": "v3"}}
        )
        self.crm.admin("reset", {})
        self.crm.configure(ten_secondly_limit=None, search_secondly_limit=None)
        campaign, crm_ids = f"r{plan.number}", people.crm_ids_of(plan.number, plan.people)
        self.crm.seed([{"id": int(crm_id), "properties": _contact(crm_id)} for crm_id in crm_ids])
        definitions = [PropertyDefinition(name, label) for name, label in LABELS.items()]
        HubSpotHook("crm", policy=impatient(100)).ensure_properties(definitions, group=GROUP)
        with psycopg.connect(self.url) as observer:
            people.add(observer, campaign, crm_ids=crm_ids, days=plan.days)
        night = _Night(self, plan, campaign, crm_ids)
        night.play()
        with psycopg.connect(self.url) as observer:
            verdict = judge(observer, campaign, writes=night.writes(), withdrawals=night.withdrawals, poisoned=None)
        verdict.withdrawn += night.after_withdrawal
        return verdict, night.happened


def _contact(crm_id: str) -> dict[str, str]:
    return {"email": f"p{crm_id}@example.com", "consent_status": "granted", "region": "DE"}


@dataclass
class _Night:
    world: RealWorld
    plan: Schedule
    campaign: str
    crm_ids: list[str]
    happened: Counter[str] = field(default_factory=Counter)
    withdrawals: dict[str, tuple[str, int]] = field(default_factory=dict)
    after_withdrawal: list[str] = field(default_factory=list)
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(f"{self.world.seed}/{self.plan.number}/real")

    def writes(self) -> list[Write]:
        return [Write(write["contact_id"], write["value"], 0, 0) for write in self.world.crm.writes(MESSAGE_ID)]

    def play(self) -> None:
        running: list[Any] = []
        for number, one in enumerate(self.plan.tries):
            before, log = self.writes(), Path(tempfile.mkstemp(prefix="nurture-faults-")[1])
            self._break(one.crm)
            may_withdraw = not one.at_once_with_next and not running
            running.append(self._start(number, one, log, withdraws=may_withdraw))
            if one.at_once_with_next and number + 1 < len(self.plan.tries):
                self.happened["two processes at once"] += 1
                continue
            self._wait(running, restart=number == self.plan.restart_before)
            running = []
            self._note_withdrawals(log, before)
            log.unlink()
        self._wait(running, restart=False)
        self.world.crm.admin("faults", method="DELETE")
        for day in range(self.plan.days):
            for number in range(CALM_ATTEMPTS):
                process = FORK.Process(target=self._push, args=(f"calm-{day}-{number}", day, Life(), Path(os.devnull)))
                process.start()
                process.join()
                if process.exitcode == 0:
                    break

    def _start(self, number: int, one: Try, log: Path, *, withdraws: bool) -> Any:
        life = Life()
        if withdraws and one.withdraw_at is not None:
            crm_id = self.dice.choice(self.crm_ids)
            life.at[one.withdraw_at] = lambda _life: _unsubscribe(self.world.crm, crm_id, log)
        if one.dies_at is not None:
            life.at[one.dies_at] = lambda _life: os.kill(os.getpid(), signal.SIGKILL)
        process = FORK.Process(target=self._push, args=(f"try-{number}", one.day, life, log))
        process.start()
        return process

    def _wait(self, running: Sequence[Any], *, restart: bool) -> None:
        if restart and running:
            time.sleep(self.dice.uniform(0, 0.2))
            self.world.restart()
            self.happened["PostgreSQL was restarted"] += 1
        for process in running:
            process.join()
            ended = {0: "ended well", -signal.SIGKILL: "killed"}.get(process.exitcode or 0, "ended with an error")
            self.happened[ended] += 1

    def _push(self, run_id: str, day: int, life: Life, log: Path) -> None:
        """In a process of its own: one attempt."""
        policy = load_policy()
        crm_policy = impatient(self.plan.batch_size, self.plan.workers)

        def hook() -> MortalHook:
            mortal = MortalHook("crm", policy=crm_policy, backoff_seconds=0.05)
            mortal.life, mortal.diary = life, log
            return mortal

        @contextmanager
        def another_hand() -> Iterator[Hand]:
            with connect(self.world.url, life) as own:
                yield Hand(mine.over(own), hook())

        code = 0
        try:
            with (
                connect(self.world.url, life) as connection,
                attempt(connection, campaign=self.campaign, lane="ready", day=people.day_of(day), run_id=run_id) as mine,
            ):
                Push(mine, hook(), _compose, crm_policy, policy.consent, another_hand=another_hand).run()
        except (NurtureError, psycopg.Error):
            code = 1
        os._exit(code)

    def _break(self, behaviour: schedule.Crm) -> None:
        """Tell the sandbox how to misbehave until the next attempt."""
        self.world.crm.admin("faults", method="DELETE")
        seed = self.dice.randrange(10**6)
        shares: dict[str, tuple[float, dict[str, Any]]] = {
            "refuse": (behaviour.refuse, {"status": 429, "body": None}),
            "lose": (behaviour.lose, {"close_after_write": True}),
            "drop": (behaviour.drop, {"close_before_write": True}),
            "late": (behaviour.late, {"delay_seconds": LATE_SECONDS}),
            "strange": (behaviour.strange, {"status": 200, "body": {"results": []}, "after_write": True}),
        }
        for name, (share, details) in shares.items():
            if share:
                self.world.crm.fault(UPDATE, times=None, probability=share, seed=seed, **details)
                self.happened[f"CRM: {name}"] += 1
        if behaviour.down:
            self.world.crm.fault("/contacts/", times=None, status=503)
            self.happened["CRM: down"] += 1

    def _note_withdrawals(self, log: Path, before: Sequence[Write]) -> None:
        """Whoever withdrew before consent was read must not be written to by this attempt or a later one."""
        self._written_to_withdrawn(before)
        noted = [json.loads(line) for line in log.read_text().splitlines()]
        for position, (what, (crm_id, *_)) in enumerate(noted):
            if what != "withdrawn":
                continue
            self.happened["withdrawn in the CRM"] += 1
            self.withdrawals[crm_id] = ("", 0)
            was_read = any(kind == "read" and crm_id in crm_ids for kind, crm_ids in noted[:position])
            if not was_read and self._new_writes(crm_id, before):
                self.after_withdrawal.append(f"{crm_id}: written although it had withdrawn before it was looked at")

    def _written_to_withdrawn(self, before: Sequence[Write]) -> None:
        for crm_id in self.withdrawals:
            if self._new_writes(crm_id, before):
                self.after_withdrawal.append(f"{crm_id}: written by an attempt that began after it had withdrawn")

    def _new_writes(self, crm_id: str, before: Sequence[Write]) -> bool:
        def count(writes: Sequence[Write]) -> int:
            return sum(write.crm_id == crm_id for write in writes)

        return count(self.writes()) > count(before)


def _unsubscribe(crm: RunningCrm, crm_id: str, log: Path) -> None:
    given = {"emailAddress": f"p{crm_id}@example.com", "subscriptionId": "101"}
    url = f"{crm.url}/communication-preferences/v3/unsubscribe"
    httpx.post(url, json=given, headers=crm.headers).raise_for_status()
    note(log, "withdrawn", [crm_id])


def _compose(message: Any) -> dict[str, str]:
    return {MESSAGE_ID: message.message_id}
