"""What the benchmarks of copy share: a warehouse, an audience as the synthetic world has it, a policy that allows it all."""

import json
import random
from datetime import date
from typing import Any

import psycopg

from nurture.policy import Llm, load_policy
from sandbox.world import generate
from sandbox.world.vocabulary import PRODUCTS

CAMPAIGN, TEMPLATE, FALLBACK = "lead_nurture", "lead_nurture@v1", "static_template@v3"
SAW_NOTHING_SHARE = 0.12  # three visits in two weeks, of which every second shows a product
FAVOURITE_SHARE = 0.7


def contexts(people: int, *, last_day: date, seed: int = 7) -> list[dict[str, Any]]:
    """The raw context of each of `people` synthetic people, as `select_audience` would write it."""
    world = generate(people=people, last_day=last_day, seed=seed)
    rng = random.Random(seed)
    pairs = zip(world.contacts, world.people, strict=False)  # second entries of the same people come last
    return [_context(contact.properties, person.favourite.id, rng) for contact, person in pairs]


def _context(properties: dict[str, str], favourite: str, rng: random.Random) -> dict[str, Any]:
    seen = favourite if rng.random() < FAVOURITE_SHARE else rng.choice(PRODUCTS).id
    return {
        "persona": properties.get("persona"),
        "industry": properties.get("industry"),
        "pain_point": properties.get("pain_point"),
        "lifecycle_stage": properties.get("lifecyclestage"),
        "recent_product": None if rng.random() < SAW_NOTHING_SHARE else seen,
        "trigger_event": rng.choice(("form_submit", "webinar_signup", "view_item")),
    }


def invite(connection: psycopg.Connection, day: date, given: list[dict[str, Any]]) -> None:
    """Replace the night's audience by one person for each context, all in the AI arm, by COPY."""
    connection.execute("DELETE FROM ops.message WHERE campaign = %s AND day = %s", (CAMPAIGN, day))
    connection.execute("DELETE FROM marts.audience WHERE campaign = %s AND day = %s", (CAMPAIGN, day))
    with connection.cursor().copy(
        "COPY marts.audience (campaign, day, person_id, slot, crm_id, trigger_event, trigger_at, trigger_event_day,"
        " trigger_row_number, context, arm) FROM STDIN"
    ) as copy:
        for number, context in enumerate(given):
            copy.write_row((CAMPAIGN, day, f"p_{number:06d}", "bench", str(number), context["trigger_event"], day, day, 1,
                            json.dumps(context), "ai"))  # fmt: skip
    connection.execute("ANALYZE marts.audience")
    connection.commit()


def generous_policy(**changes: Any) -> Llm:
    """The real policy without a cap that a benchmark would meet."""
    llm = load_policy().llm
    caps = {name: 10**12 for name in type(llm.budget).model_fields if name != "campaigns"}
    return llm.model_copy(update={"budget": llm.budget.model_copy(update=caps)} | changes)
