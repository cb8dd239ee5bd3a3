"""How many of the facts that a marketer would want are offered: docs/decisions/0015 (`pytest -s` prints the figures)."""

from datetime import date
from typing import Any

import psycopg
import pytest
import yaml

from nurture.copywriting import fact_store
from nurture.copywriting.fact_store import choose_facts
from nurture.copywriting.facts import load_facts
from nurture.copywriting.vocabulary import Vocabulary, load_vocabulary
from nurture.paths import PROJECT

DAY = date(2026, 11, 20)
VOCABULARY: Vocabulary = load_vocabulary()
LABELS: list[dict[str, Any]] = yaml.safe_load((PROJECT / "tests" / "copywriting" / "wanted_facts.yaml").read_text())
CONTEXTS = [{key: word for key, word in label.items() if key != "wanted"} for label in LABELS]


def recall(connection: psycopg.Connection) -> float:
    """Mean share of the wanted facts that are among the six offered."""
    chosen = choose_facts(connection, CONTEXTS, DAY, VOCABULARY)
    shares = [
        len({fact_id for fact_id, _ in offered} & set(label["wanted"])) / len(label["wanted"])
        for offered, label in zip(chosen, LABELS, strict=True)
    ]
    return sum(shares) / len(shares)


def test_the_labels_are_facts_that_may_be_offered() -> None:
    facts = load_facts()

    assert len(LABELS) >= 30
    for label in LABELS:
        for fact_id in label["wanted"]:
            assert facts[fact_id].is_valid_on(DAY)
            assert not facts[fact_id].regions or label["market"] in facts[fact_id].regions


def test_topics_and_text_together_find_more_than_either_alone(
    facts_warehouse: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = fact_store._asked
    both = recall(facts_warehouse)

    monkeypatch.setattr(fact_store, "_asked", lambda *given: asked(*given) | {"text": ""})
    topics = recall(facts_warehouse)
    monkeypatch.setattr(fact_store, "_asked", lambda *given: asked(*given) | {"words": []})
    text = recall(facts_warehouse)

    print(f"\nrecall@6 over {len(LABELS)} contexts: topics {topics:.3f}, full text {text:.3f}, both {both:.3f}")
    assert both >= 0.8
    assert both > topics > text


def test_no_reader_gets_a_proof_from_another_industry(facts_warehouse: psycopg.Connection) -> None:
    facts = load_facts()
    contexts = [{"industry": one, "pain_point": two} for one in VOCABULARY.industries for two in VOCABULARY.pain_points]

    chosen = choose_facts(facts_warehouse, contexts, DAY, VOCABULARY)

    for context, offered in zip(contexts, chosen, strict=True):
        for fact_id, _ in offered:
            industries = set(facts[fact_id].topics) & set(VOCABULARY.industries)
            assert not industries or context["industry"] in industries, f"{fact_id} for {context}"
