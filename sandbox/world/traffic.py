"""Who visits on which day, and what for.

Volumes are constructed, not drawn: each weekday has its fixed number of sessions and, among these, of each kind, up to three
per cent of noise. So weeks are alike, as the week-over-week gate expects of an undisturbed site, whatever the seed.
"""

import heapq
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.world.people import Person

WEEKDAY_WEIGHTS = (1.15, 1.2, 1.18, 1.12, 1.0, 0.65, 0.7)  # Monday first
SESSIONS_PER_PERSON_WEEK = 1.5
NEW_PEOPLE_SHARE_PER_WEEK = 0.02
ANONYMOUS_PER_PERSON = 1 / 3  # a quarter of all visitors
ANONYMOUS_NEW_SHARE = 2 / 3  # of the anonymous ones; the others came before the window, and come back in it
ANONYMOUS_RETURNS_PER_WEEK = 0.6
NOISE = 0.03

KNOWN_KINDS = {
    "browse": 26, "product": 24, "cart": 8, "purchase": 5, "form": 10, "webinar": 8, "demo": 4, "email": 10, "login": 5,
}  # fmt: skip
NEWCOMER_KINDS = {"form": 5, "webinar": 3, "demo": 2}
ANONYMOUS_KINDS = {"browse": 55, "product": 35, "cart": 10}
OF_CUSTOMERS = ("purchase", "login")
OF_LEADS = ("form", "webinar", "demo")


@dataclass(frozen=True)
class Visit:
    """One session to come. `visitor` is a person's number, or counts anonymous visitors from 0."""

    visitor: int
    is_known: bool
    is_first: bool
    kind: str


@dataclass(frozen=True)
class Calendar:
    """How many of whom come on each day of the window.

    Attributes:
        newcomers, new_anonymous: first visits of that day.
        returning_known, returning_anonymous: other sessions of that day.
    """

    days: tuple[date, ...]
    newcomers: dict[date, int]
    new_anonymous: dict[date, int]
    returning_known: dict[date, int]
    returning_anonymous: dict[date, int]
    old_anonymous: int

    def joining_days(self) -> list[date]:
        """The day of each newcomer, in order."""
        return [day for day in self.days for _ in range(self.newcomers[day])]

    def anonymous_first_days(self) -> list[date | None]:
        """The day of each anonymous visitor's first visit, by number; None: before the window."""
        return [None] * self.old_anonymous + [day for day in self.days for _ in range(self.new_anonymous[day])]


def make_calendar(people: int, days: int, last_day: date) -> Calendar:
    """The calendar of a world with `people` people."""
    window = tuple(last_day - timedelta(days=back) for back in range(days - 1, -1, -1))
    anonymous = people * ANONYMOUS_PER_PERSON
    return Calendar(
        days=window,
        newcomers=_by_day(people * NEW_PEOPLE_SHARE_PER_WEEK, window),
        new_anonymous=_by_day(anonymous * ANONYMOUS_NEW_SHARE * 7 / days, window),
        returning_known=_by_day(people * SESSIONS_PER_PERSON_WEEK, window),
        returning_anonymous=_by_day(anonymous * ANONYMOUS_RETURNS_PER_WEEK, window),
        old_anonymous=round(anonymous * (1 - ANONYMOUS_NEW_SHARE)),
    )


def visits(day: date, calendar: Calendar, people: Sequence[Person], seed: int | str) -> list[Visit]:
    """The sessions of one day; they depend on nothing but the arguments, so days can be made in any order."""
    rng = random.Random(f"{seed}:visits:{day}")
    earlier = [d for d in calendar.days if d < day]
    joined = [p.number for p in people if p.joined_on == day]
    result = [
        Visit(number, True, True, kind) for number, kind in zip(joined, _deck(len(joined), NEWCOMER_KINDS, rng), strict=True)
    ]
    wanted = round(calendar.returning_known[day] * (1 + max(-NOISE, min(NOISE, rng.gauss(0, NOISE / 2)))))
    around = [p for p in people if p.joined_on is None or p.joined_on < day]
    result += _match(_sample(around, wanted, rng), rng)
    first = calendar.old_anonymous + sum(calendar.new_anonymous[d] for d in earlier)
    new = calendar.new_anonymous[day]
    returning = rng.sample(range(first), min(first, calendar.returning_anonymous[day]))
    kinds = _deck(new + len(returning), ANONYMOUS_KINDS, rng)
    strangers = [*((first + n, True) for n in range(new)), *((n, False) for n in returning)]
    return result + [Visit(number, False, is_first, kind) for (number, is_first), kind in zip(strangers, kinds, strict=True)]


def _sample(people: Sequence[Person], count: int, rng: random.Random) -> list[Person]:
    """`count` different people, the active ones more often (Efraimidis and Spirakis, 2006)."""
    return heapq.nlargest(count, people, key=lambda person: rng.random() ** (1 / person.activity))


def _match(people: list[Person], rng: random.Random) -> list[Visit]:
    """Give each a kind of visit: customers buy, others ask, as far as there are enough of each."""
    deck = _deck(len(people), KNOWN_KINDS, rng)
    rng.shuffle(people)
    customers = [p for p in people if p.stage == "customer"]
    others = [p for p in people if p.stage != "customer"]
    result = []
    for kind in sorted(deck, key=lambda kind: 0 if kind in OF_CUSTOMERS else 1 if kind in OF_LEADS else 2):
        first, second = (customers, others) if kind in OF_CUSTOMERS else (others, customers)
        result.append(Visit((first or second).pop().number, True, False, kind))
    return result


def _deck(count: int, shares: Mapping[str, int], rng: random.Random) -> list[str]:
    """`count` kinds in the proportions of `shares`, shuffled."""
    counts = _apportion(count, tuple(shares.values()))
    deck = [kind for kind, n in zip(shares, counts, strict=True) for _ in range(n)]
    rng.shuffle(deck)
    return deck


def _by_day(per_week: float, window: Sequence[date]) -> dict[date, int]:
    counts = _apportion(round(per_week), WEEKDAY_WEIGHTS)
    return {day: counts[day.weekday()] for day in window}


def _apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Split `total` in proportion to `weights`, in whole numbers (largest remainder)."""
    exact = [total * weight / sum(weights) for weight in weights]
    counts = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda n: counts[n] - exact[n])
    for position in by_remainder[: total - sum(counts)]:
        counts[position] += 1
    return counts
