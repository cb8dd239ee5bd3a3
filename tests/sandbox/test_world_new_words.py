"""A word that a marketer adds to the vocabulary does not need a change of the synthetic world."""

from dataclasses import replace
from datetime import date

import pytest

from sandbox.world import generate, vocabulary


def test_people_with_words_that_the_world_never_heard_of_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    new_product = replace(vocabulary.PRODUCTS[0], id="LF-DOCK", name="Larkfield Dock")
    for name, word in (("INDUSTRIES", "pharmacy"), ("PERSONAS", "pharmacist"), ("PAIN_POINTS", "long_shifts")):
        monkeypatch.setattr(vocabulary, name, (word,))
    monkeypatch.setattr(vocabulary, "PRODUCTS", (new_product,))

    world = generate(people=40, days=2, last_day=date(2026, 11, 21), seed=1)

    fields = [contact.properties for contact in world.contacts]
    assert {"pharmacy"} <= {one.get("industry") for one in fields}
    assert all(one["company"].endswith(" Partners") for one in fields if one.get("company"))
    assert {one["jobtitle"] for one in fields if one.get("jobtitle")} <= set(vocabulary.ANY_JOB_TITLES)
    assert any(event for event in world.all_events())
