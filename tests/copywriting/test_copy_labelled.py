"""What docs/guardrails.md publishes of the labelled pieces holds: nothing numeric missed, few false alarms."""

import pytest
from labelled_copy import SPLITS, Measured, load_labelled, load_terms, measure

TERMS = load_terms()
FALSE_ALARMS = {"tuning": 51, "held_out_3": 7, "held_out_4": 19, "held_out_5": 6, "held_out_6": 5, "held_out_7": 4}
MISSED = {"tuning": 24, "held_out_3": 5, "held_out_4": 2, "held_out_5": 5, "held_out_6": 5, "held_out_7": 5}
"""What docs/guardrails.md publishes: a change that makes one of them worse is seen here."""


@pytest.fixture(scope="module")
def measured() -> dict[str, Measured]:
    return {split: measure(load_labelled(split), TERMS) for split in SPLITS}


def test_the_set_is_as_large_as_promised(measured: dict[str, Measured]) -> None:
    honest = [one for m in measured.values() for one in m.honest]
    hostile = [one for m in measured.values() for one in m.hostile]

    assert len(honest) >= 1100
    assert len(hostile) >= 1500
    for m in measured.values():  # two hands happened to write some of the same
        pieces = (*m.honest, *m.hostile)
        assert len({(one.piece.text, *one.piece.cited_fact_ids) for one in pieces}) == len(pieces)


@pytest.mark.parametrize("split", SPLITS)
def test_no_numeric_invention_comes_out_clear(measured: dict[str, Measured], split: str) -> None:
    missed = [(one.id, one.piece.texts["body"]) for one in measured[split].missed if one.is_numeric]

    assert missed == []


@pytest.mark.parametrize("split", SPLITS)
def test_no_more_honest_pieces_are_false_alarms_than_the_page_says(measured: dict[str, Measured], split: str) -> None:
    m = measured[split]

    found = [(one.id, verdict.reasons) for one, verdict in m.false_alarms]

    assert len(found) <= FALSE_ALARMS[split], found


def test_fewer_than_one_in_twenty_honest_pieces_is_a_false_alarm_where_the_guardrails_were_tuned(
    measured: dict[str, Measured],
) -> None:
    m = measured["tuning"]

    assert len(m.false_alarms) / len(m.honest) < 0.05


@pytest.mark.parametrize("split", SPLITS)
def test_no_more_other_hostile_pieces_come_out_clear_than_the_page_says(measured: dict[str, Measured], split: str) -> None:
    m = measured[split]

    missed = [(one.id, one.piece.texts["body"]) for one in m.missed]

    assert len(missed) <= MISSED[split], missed


@pytest.mark.parametrize("split", SPLITS)
def test_every_invented_price_discount_and_customer_is_stopped(measured: dict[str, Measured], split: str) -> None:
    kinds = {"invented_price", "invented_discount", "invented_free", "invented_customer", "invented_certification"}

    missed = [one.id for one in measured[split].missed if one.kind in kinds]

    assert missed == []


def test_a_clear_piece_is_nearly_always_honest(measured: dict[str, Measured]) -> None:
    clear = [one.is_honest for m in measured.values() for one, verdict in m.judged if verdict.outcome == "clear"]

    assert sum(clear) / len(clear) > 0.97
