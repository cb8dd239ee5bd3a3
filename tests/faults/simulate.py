"""Run one schedule on the real ledger code and a real PostgreSQL, against a CRM in memory."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psycopg

from nurture.errors import NurtureError
from nurture.ledger import batch, push, unheard
from nurture.ledger.attempt import attempt
from nurture.ledger.push import Hand, Push
from nurture.policy import load_policy
from tests.faults import people
from tests.faults.clock import SimulatedTime
from tests.faults.mortal import ATTEMPT, Killed, Life, connect
from tests.faults.schedule import Crm, Schedule, Try
from tests.faults.simulated_crm import MESSAGE_ID, Line, SimulatedCrm
from tests.faults.verdict import Verdict, judge

CALM_ATTEMPTS = 6


@dataclass
class Outcome:
    """A schedule's verdict, and what happened on the way to it."""

    verdict: Verdict
    happened: Counter[str] = field(default_factory=Counter)


@dataclass
class Simulation:
    """Schedules, one after the other, in one warehouse.

    Attributes:
        restart: stops PostgreSQL and starts it again.
    """

    url: str
    seed: int
    time: SimulatedTime
    restart: Callable[[], None]

    def run(self, schedule: Schedule) -> Outcome:
        with self.time.in_place_of_time(push, batch, unheard):
            return self._run(schedule)

    def _run(self, schedule: Schedule) -> Outcome:
        campaign = f"f{schedule.number}"
        outcome = Outcome(Verdict())
        crm_ids = people.crm_ids_of(schedule.number, schedule.people)
        with psycopg.connect(self.url) as observer:
            people.add(observer, campaign, crm_ids=crm_ids, days=schedule.days)
        crm = SimulatedCrm(now=self.time.monotonic)
        crm.properties = {crm_id: {"consent_status": "granted", "region": "DE"} for crm_id in crm_ids}
        crm.poisoned = None if schedule.poisoned is None else crm_ids[schedule.poisoned]
        story = _Story(self, schedule, campaign, crm, outcome.happened)
        story.tell()
        with psycopg.connect(self.url) as observer:
            outcome.verdict = judge(
                observer, campaign, writes=crm.writes, withdrawals=story.withdrawals, poisoned=crm.poisoned
            )
        return outcome


@dataclass
class _Story:
    simulation: Simulation
    schedule: Schedule
    campaign: str
    crm: SimulatedCrm
    happened: Counter[str]
    withdrawals: dict[str, tuple[str, int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self) -> None:
        waiting: list[threading.Thread] = []
        for number, one in enumerate(self.schedule.tries):
            if number == self.schedule.restart_before:
                for thread in waiting:
                    thread.join()
                self.simulation.restart()
                self.happened["PostgreSQL was restarted"] += 1
            if one.clock_jump_seconds:
                self.simulation.time.jump(one.clock_jump_seconds)
                self.happened["the clock jumped"] += 1
            thread = threading.Thread(target=self._attempt, args=(number, one))
            thread.start()
            waiting.append(thread)
            if not one.at_once_with_next:
                for thread in waiting:
                    thread.join()
                waiting = []
            elif number + 1 < len(self.schedule.tries):
                self.happened["two attempts at once"] += 1
        for thread in waiting:
            thread.join()
        for day in range(self.schedule.days):
            for number in range(CALM_ATTEMPTS):
                if self._push(f"calm-{day}-{number}", day, Crm(), Life()) and not self._is_open():
                    break
                time.sleep(0.1)  # until PostgreSQL has seen that a killed session is gone, its rows are left to it
        self.crm.arrive(everything=True)

    def _is_open(self) -> bool:
        """Whether a message is still held by somebody."""
        with psycopg.connect(self.simulation.url) as observer:
            held = observer.execute(
                "SELECT FROM ops.push_ledger WHERE campaign = %s AND state IN ('claimed', 'sent', 'unknown') LIMIT 1",
                (self.campaign,),
            ).fetchone()
        return held is not None

    def _attempt(self, number: int, one: Try) -> None:
        life = Life()
        if one.withdraw_at is not None:
            life.at[one.withdraw_at] = lambda life: self._withdraw(one, life)
        if one.dies_at is not None:
            life.at[one.dies_at] = self._kill if one.dies_by == "kill" else self._cut
        self._push(f"try-{number}", one.day, one.crm, life)

    def _push(self, run_id: str, day: int, behaviour: Crm, life: Life) -> bool:
        """One attempt; whether it came to its end."""
        policy = load_policy()
        crm_policy = policy.crm.model_copy(
            update={"batch_size": self.schedule.batch_size, "push_workers": self.schedule.workers}
        )
        seeds = count()

        def line() -> Line:
            dice = random.Random(f"{self.simulation.seed}/{self.schedule.number}/{run_id}/{next(seeds)}")
            return Line(self.crm, behaviour, life, dice)

        @contextmanager
        def another_hand() -> Iterator[Hand]:
            with closing(connect(self.simulation.url, life)) as own:
                yield Hand(mine.over(own), line())

        try:
            connection = connect(self.simulation.url, life)
        except psycopg.OperationalError:
            return False
        try:
            with attempt(
                connection, campaign=self.campaign, lane="ready", day=people.day_of(day), run_id=run_id,
                freshness_days=people.FRESHNESS_DAYS,
            ) as mine:  # fmt: skip
                hands = another_hand if self.schedule.workers > 1 else None
                Push(mine, line(), _compose, crm_policy, policy.consent, another_hand=hands).run()
        except Killed:
            self.happened["killed"] += 1
            return False
        except (NurtureError, psycopg.Error) as error:
            self.happened[f"ended with {type(error).__name__}"] += 1
            return False
        finally:
            life.is_over = True
            connection.close()
        return True

    def _withdraw(self, one: Try, life: Life) -> None:
        """Somebody withdraws right now, on a session of their own."""
        with self.lock:
            crm_id = random.Random(one.withdraw_at).choice(sorted(self.crm.properties))
            if crm_id in self.withdrawals:
                return
            if one.withdraw_where == "crm":
                with self.crm.lock:
                    self.crm.properties[crm_id]["hs_email_optout"] = "true"
                    self.withdrawals[crm_id] = ("crm", life.moment())
            else:
                with psycopg.connect(self.simulation.url) as session:
                    session.execute(
                        "INSERT INTO ops.consent_event (person_id, status, happened_at, source) "
                        "VALUES (%s, 'denied', clock_timestamp(), 'faults')",
                        (f"p-{crm_id}",),
                    )
                self.withdrawals[crm_id] = ("warehouse", life.moment())
            self.happened[f"withdrawn in the {one.withdraw_where}"] += 1

    def _kill(self, life: Life) -> None:
        life.is_over = True

    def _cut(self, life: Life) -> None:
        """PostgreSQL ends the sessions of all attempts that run."""
        with psycopg.connect(self.simulation.url, autocommit=True) as session:
            session.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = %s",
                (ATTEMPT,),
            )
        self.happened["sessions were cut"] += 1


def _compose(message: Any) -> dict[str, str]:
    return {MESSAGE_ID: message.message_id}
