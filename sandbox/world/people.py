"""Synthetic people: what is true of each, before any system wrote it down."""

import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sandbox.world import vocabulary
from sandbox.world.places import COUNTRY_WEIGHTS, PLACES, Place, names

_COMPANY_FIRST = ("Northgate", "Blue Heron", "Kestrel", "Fairview", "Ironbridge", "Maple Row", "Silver Birch", "Old Mill")
_COMPANY_LAST = {
    "healthcare": "Care Supplies", "logistics": "Freight", "retail": "Stores", "manufacturing": "Works",
    "food_and_drink": "Foods",
}  # fmt: skip
_ANY_COMPANY_LAST = "Partners"  # also of an industry that the vocabulary was given later


@dataclass(frozen=True)
class Person:
    """One synthetic person.

    Attributes:
        user_id: the site's id, GA4's `user_id` and the CRM's `site_user_id`.
        joined_on: the day in the window on which this person first came and left an address; None: came earlier.
        created_at: when the CRM record was made (UTC).
        activity: weight of this person among a day's visitors.
        base_conversion_rate: probability of a purchase within a week without any message.
    """

    number: int
    user_id: str
    first_name: str
    last_name: str
    email: str
    company: str
    place: Place
    persona: str
    industry: str
    pain_point: str
    stage: str
    lead_status: str
    account_tier: str
    channel: str
    score: int
    favourite: vocabulary.Product
    joined_on: date | None
    created_at: datetime
    activity: float
    base_conversion_rate: float


def make_people(
    user_ids: Sequence[str], *, joined_on: Sequence[date | None], first_day: date, seed: int | str
) -> list[Person]:
    """One person for each of `user_ids`; `joined_on` runs beside it. Who joined earlier did so before `first_day`."""
    rng = random.Random(f"{seed}:people")
    return [
        _person(number, user_id, joined, first_day, rng)
        for number, (user_id, joined) in enumerate(zip(user_ids, joined_on, strict=True))
    ]


def _person(number: int, user_id: str, joined: date | None, first_day: date, rng: random.Random) -> Person:
    place = rng.choice(PLACES[_weighted(COUNTRY_WEIGHTS, rng)])
    first_names, last_names = names(place.country)
    first, last = rng.choice(first_names), rng.choice(last_names)
    industry = rng.choice(vocabulary.INDUSTRIES)
    stage = rng.choice(("subscriber", "lead", "lead")) if joined else _weighted(vocabulary.STAGE_WEIGHTS, rng)
    created_on = joined or first_day - timedelta(days=rng.randint(1, 400))
    level = list(vocabulary.LIFECYCLE_STAGES).index(stage)
    return Person(
        number=number,
        user_id=user_id,
        first_name=first,
        last_name=last,
        email=f"{ascii_slug(first)}.{ascii_slug(last)}.{number}@example.com",
        company=f"{rng.choice(_COMPANY_FIRST)} {_COMPANY_LAST.get(industry, _ANY_COMPANY_LAST)}",
        place=place,
        persona=rng.choice(vocabulary.PERSONAS),
        industry=industry,
        pain_point=rng.choice(vocabulary.PAIN_POINTS),
        stage=stage,
        lead_status=rng.choice(vocabulary.LEAD_STATUSES[stage]),
        account_tier=rng.choices(vocabulary.ACCOUNT_TIERS, (6, 3, 1))[0],
        channel=rng.choice(tuple(vocabulary.CHANNELS)),
        score=min(100, max(0, round(rng.gauss(20 + 10 * level, 12)))),
        favourite=rng.choice(vocabulary.PRODUCTS),
        joined_on=joined,
        created_at=datetime.combine(created_on, time(rng.randint(7, 18), rng.randint(0, 59)), UTC),
        activity=rng.lognormvariate(0, 0.6),
        base_conversion_rate=round(rng.betavariate(2, 60), 5),
    )


def ascii_slug(name: str) -> str:
    """`name` for the local part of an address: `O'Brien` → `obrien`, `Łukasz` → `ukasz`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in plain if letter.isalnum()) or "person"


def _weighted(weights: dict[str, int], rng: random.Random) -> str:
    return rng.choices(tuple(weights), tuple(weights.values()))[0]
