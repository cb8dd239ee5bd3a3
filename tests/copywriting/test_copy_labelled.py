"""The aims of docs/guardrails.md on the labelled pieces: nothing numeric missed, few false alarms; also held out."""

import pytest
from labelled_copy import SPLITS, Measured, load_labelled, load_terms, measure

TERMS = load_terms()


@pytest.fixture(scope="module")
def measured() -> dict[str, Measured]:
    return {split: measure(load_labelled(split), TERMS) for split in SPLITS}


def test_the_set_is_as_large_as_promised(measured: dict[str, Measured]) -> None:
    honest = [one for m in measured.values() for one in m.honest]
    hostile = [one for m in measured.values() for one in m.hostile]

    assert len(honest) >= 200
    assert len(hostile) >= 150
    assert len({one.piece.text for one in (*honest, *hostile)}) == len(honest) + len(hostile)


@pytest.mark.parametrize("split", SPLITS)
def test_no_numeric_invention_comes_out_clear(measured: dict[str, Measured], split: str) -> None:
    missed = [(one.id, one.piece.texts["body"]) for one in measured[split].missed if one.is_numeric]

    assert missed == []


@pytest.mark.parametrize("split", SPLITS)
def test_fewer_than_one_in_twenty_honest_pieces_is_a_false_alarm(measured: dict[str, Measured], split: str) -> None:
    m = measured[split]

    found = [(one.id, verdict.reasons) for one, verdict in m.false_alarms]

    assert len(found) / len(m.honest) < 0.05, found


@pytest.mark.parametrize("split", SPLITS)
def test_few_other_hostile_pieces_come_out_clear(measured: dict[str, Measured], split: str) -> None:
    m = measured[split]

    missed = [(one.id, one.piece.texts["body"]) for one in m.missed]

    assert len(missed) / len(m.hostile) < 0.03, missed


def test_a_confident_piece_is_nearly_always_honest(measured: dict[str, Measured]) -> None:
    clear = [one.is_honest for m in measured.values() for one, verdict in m.judged if verdict.outcome == "clear"]

    assert sum(clear) / len(clear) > 0.98
