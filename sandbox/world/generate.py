"""Put a world together: people, their CRM contacts, and the GA4 rows of each day."""

import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from sandbox.world.contacts import Contact, make_contacts
from sandbox.world.ga4_rows import Browser, Row, make_browser, session_rows, session_start
from sandbox.world.people import Person, make_people
from sandbox.world.places import COUNTRY_WEIGHTS, PLACES, Place
from sandbox.world.sessions import steps
from sandbox.world.traffic import Calendar, make_calendar, visits
from sandbox.world.vocabulary import CHANNELS

ROWS_PER_MISSING_ID = 100  # one row in so many of known people lost its user_id
ROWS_PER_NEW_COLUMN = 10
NEW_COLUMN = "assistant_referrer"  # in no published schema: what a column looks like that Google adds tomorrow
BROKEN_DAYS = 3


@dataclass(frozen=True)
class World:
    """A synthetic world. GA4 rows are made when a day is asked for, so that a large world needs little memory.

    Attributes:
        days: the days with GA4 rows, oldest first (UTC).
        contacts: CRM records to seed, synthetic.
        merges: pairs (survivor id, losing id) for the CRM to merge; both are among `contacts`.
        breakage: what was broken on purpose, names out of `BREAKAGES`.
    """

    seed: int
    calendar: Calendar
    people: tuple[Person, ...]
    contacts: tuple[Contact, ...]
    merges: tuple[tuple[int, int], ...]
    breakage: frozenset[str]

    @property
    def days(self) -> tuple[date, ...]:
        return self.calendar.days

    def events(self, day: date) -> list[Row]:
        """The GA4 rows of `day` in order of time."""
        rows = sorted(self._sessions(day), key=lambda row: row["event_timestamp"])
        rng = random.Random(f"{self.seed}:defects:{day}")
        _drop_every(rows, ROWS_PER_MISSING_ID, rng)
        for row in rows[rng.randrange(ROWS_PER_NEW_COLUMN) :: ROWS_PER_NEW_COLUMN]:
            row[NEW_COLUMN] = "none"
        if day in self.days[-BROKEN_DAYS:]:
            for name in sorted(self.breakage):
                rows = BREAKAGES[name](rows)
        return rows

    def all_events(self) -> Iterator[Row]:
        """Every row, day by day."""
        for day in self.days:
            yield from self.events(day)

    def _sessions(self, day: date) -> Iterator[Row]:
        rng = random.Random(f"{self.seed}:sessions:{day}")
        for position, visit in enumerate(visits(day, self.calendar, self.people, self.seed)):
            person = self.people[visit.visitor] if visit.is_known else None
            browser = (self._known_browsers if visit.is_known else self._anonymous_browsers)[visit.visitor]
            plan = steps(visit.kind, person and person.favourite, rng, is_first=visit.is_first, has_scroll=position % 2 == 0)
            # Whoever comes for the first time is known from the form on; all others stay signed in.
            names = [step.event for step in plan]
            known_from = 0
            if person and visit.is_first:
                known_from = next(
                    n for n, name in enumerate(names) if name in ("form_submit", "webinar_signup", "demo_request")
                )
            start = browser.first_touch if visit.is_first else session_start(day, browser.place, rng)
            user_id = person.user_id if person else None
            yield from session_rows(plan, start=start, browser=browser, user_id=user_id, known_from=known_from, rng=rng)

    @cached_property
    def _known_browsers(self) -> list[Browser]:
        return [
            self._browser(p.user_id, p.joined_on, place=p.place, channel=p.channel, tier=p.account_tier) for p in self.people
        ]

    @cached_property
    def _anonymous_browsers(self) -> list[Browser]:
        return [self._browser(f"anonymous:{n}", day) for n, day in enumerate(self.calendar.anonymous_first_days())]

    def _browser(
        self,
        key: str,
        first_on: date | None,
        *,
        place: Place | None = None,
        channel: str | None = None,
        tier: str | None = None,
    ) -> Browser:
        rng = random.Random(f"{self.seed}:browser:{key}")
        place = place or rng.choice(PLACES[rng.choices(tuple(COUNTRY_WEIGHTS), tuple(COUNTRY_WEIGHTS.values()))[0]])
        source = CHANNELS[channel or rng.choice(tuple(CHANNELS))]
        return make_browser(place, source, tier, first_on or self.days[0] - timedelta(days=rng.randint(1, 300)), rng)


def generate(*, people: int = 500, days: int = 14, last_day: date, seed: int = 1, breakage: Collection[str] = ()) -> World:
    """Make a synthetic world whose last day with GA4 rows is `last_day` (UTC).

    Raises:
        ValueError: an unknown word in `breakage`, or fewer than one person or day.
    """
    if unknown := sorted(set(breakage) - set(BREAKAGES) - {"duplicate_contacts"}):
        raise ValueError(f"unknown breakage {unknown}; choose from {sorted({*BREAKAGES, 'duplicate_contacts'})}")
    if people < 1 or days < 1:
        raise ValueError(f"a world needs people and days; found people={people}, days={days}")
    calendar = make_calendar(people, days, last_day)
    joining = calendar.joining_days()[:people]
    joined_on = [None] * (people - len(joining)) + joining
    user_ids = [f"lf-{seed}-{number:06d}" for number in range(people)]
    everyone = make_people(user_ids, joined_on=joined_on, first_day=calendar.days[0], seed=seed)
    contacts, merges = make_contacts(everyone, last_day=last_day, seed=seed)
    if "duplicate_contacts" in breakage:
        contacts = _with_duplicates(contacts)
    return World(
        seed, calendar, tuple(everyone), tuple(contacts), tuple(merges), frozenset(breakage) - {"duplicate_contacts"}
    )


def _drop_every(rows: list[Row], apart: int, rng: random.Random) -> None:
    """Take `user_id` from one row in `apart` of those that carry one, evenly, so that the share holds still."""
    carrying = [row for row in rows if row["user_id"] is not None]
    for row in carrying[rng.randrange(apart) :: apart]:
        row["user_id"] = None
        row["user_properties"] = []


def _without_user_ids(rows: list[Row]) -> list[Row]:
    """As when the tag of half of the pages forgets to set `user_id`."""
    return [{**row, "user_id": None} if number % 2 else row for number, row in enumerate(rows)]


def _doubled(rows: list[Row]) -> list[Row]:
    """As when the tag is on the page twice."""
    return [copy for row in rows for copy in (row, dict(row))]


def _without_forms(rows: list[Row]) -> list[Row]:
    """As when a release of the site lost the tag of two events."""
    return [row for row in rows if row["event_name"] not in ("form_submit", "view_item")]


def _with_bad_rows(rows: list[Row]) -> list[Row]:
    """A huge param, a date of 1970 and an event without a name, as copies of the first row."""
    huge = {"key": "debug_dump", "value": {"string_value": "x" * 70_000}}
    return [
        *rows,
        {**rows[0], "event_params": [*rows[0]["event_params"], huge]},
        {**rows[0], "event_timestamp": 1_000_000},
        {**rows[0], "event_name": None},
    ]


BREAKAGES: dict[str, Callable[[list[Row]], list[Row]]] = {
    "user_ids_missing": _without_user_ids,
    "events_doubled": _doubled,
    "events_missing": _without_forms,
    "bad_rows": _with_bad_rows,
}
"""What can be broken in the last `BROKEN_DAYS` days; besides, `duplicate_contacts` (six per cent more contacts)."""


def _with_duplicates(contacts: list[Contact]) -> list[Contact]:
    twice = [c for c in contacts if "email" in c.properties and not c.archived][: max(1, len(contacts) * 6 // 100)]
    copies = [
        replace(c, id=contacts[-1].id + 1 + n, properties={k: v for k, v in c.properties.items() if k != "site_user_id"})
        for n, c in enumerate(twice)
    ]
    return contacts + copies
