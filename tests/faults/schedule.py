"""One random schedule: how many people, what goes wrong and when. The same seed and number give the same schedule."""

import random
from dataclasses import dataclass, field
from typing import Literal

DieBy = Literal["kill", "cut"]
"""`kill`: the process is gone at once. `cut`: PostgreSQL ends its session, as a restart does, and the process lives on."""


@dataclass(frozen=True)
class Crm:
    """How the CRM behaves while an attempt runs: chances between 0 and 1 for each request.

    Attributes:
        down: every request is refused.
        refuse: a rate limit or an error that says that nothing was done.
        lose: the write is done and no answer is seen.
        drop: the write is not done and no answer is seen.
        late: no answer is seen, and the write is done some seconds later.
        partial: some records of the batch are refused for themselves.
        strange: the answer names the records of somebody else's batch; the write is done or not.
    """

    down: bool = False
    refuse: float = 0.0
    lose: float = 0.0
    drop: float = 0.0
    late: float = 0.0
    partial: float = 0.0
    strange: float = 0.0


@dataclass(frozen=True)
class Try:
    """One attempt to push: where it ends early, if it does, and what the clock and the CRM do.

    Attributes:
        dies_at: number of the boundary (a statement's or a request's begin or end) at which it ends; None: never.
        withdraw_at: number of the boundary at which somebody withdraws consent; None: nobody does.
        withdraw_where: in the CRM, or in `ops.consent_event`.
        clock_jump_seconds: of the warehouse's clock, before the attempt.
        at_once_with_next: runs at the same time as the next one.
    """

    day: int
    crm: Crm
    dies_at: int | None
    dies_by: DieBy
    withdraw_at: int | None
    withdraw_where: Literal["crm", "warehouse"]
    clock_jump_seconds: int
    at_once_with_next: bool


@dataclass(frozen=True)
class Schedule:
    """What one test of faults does; `tries` is followed by calm, and attempts until none fails."""

    number: int
    people: int
    batch_size: int
    workers: int
    days: int
    poisoned: int | None
    restart_before: int | None
    tries: tuple[Try, ...] = field(default_factory=tuple)


def draw(seed: int, number: int) -> Schedule:
    """The schedule `number` of `seed`."""
    dice = random.Random(f"{seed}/{number}")
    days = dice.choice((1, 1, 1, 2))
    people = dice.randint(3, 9)
    tries = tuple(_try(dice, days) for _ in range(dice.randint(1, 4)))
    return Schedule(
        number=number,
        people=people,
        batch_size=dice.randint(1, 4),
        workers=dice.choice((1, 1, 2, 3)),
        days=days,
        poisoned=dice.randrange(people) if dice.random() < 0.15 else None,
        restart_before=dice.randrange(len(tries)) if dice.random() < 0.01 else None,
        tries=tries,
    )


def _try(dice: random.Random, days: int) -> Try:
    return Try(
        day=dice.randrange(days),
        crm=_crm(dice),
        dies_at=dice.randint(1, 90) if dice.random() < 0.6 else None,
        dies_by="cut" if dice.random() < 0.25 else "kill",
        withdraw_at=dice.randint(1, 60) if dice.random() < 0.35 else None,
        withdraw_where=dice.choice(("crm", "warehouse")),
        clock_jump_seconds=dice.choice((-86_400, -3_600, -60, 60, 3_600, 86_400)) if dice.random() < 0.25 else 0,
        at_once_with_next=dice.random() < 0.3,
    )


def _crm(dice: random.Random) -> Crm:
    if dice.random() < 0.05:
        return Crm(down=True)
    share = dice.choice((0.0, 0.1, 0.3, 0.6))
    names = dice.sample(("refuse", "lose", "drop", "late", "partial", "strange"), k=dice.randint(1, 3))
    return Crm(**dict.fromkeys(names, share))
