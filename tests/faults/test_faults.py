"""A short form of `make faults`: a few random schedules, each time others; the seed is printed with what did not hold."""

import random

import pytest

from tests.faults.__main__ import play, simulate
from tests.faults.schedule import draw

pytestmark = pytest.mark.slow

SEED = random.SystemRandom().randrange(10**6)


def test_each_message_arrives_once_whatever_breaks_in_simulation() -> None:
    report = simulate(SEED, range(40))

    assert report.schedules == 40
    assert report.failures == [], f"seed {SEED}: python -m tests.faults --seed {SEED} --schedules 40"
    assert report.happened["killed"] > 0


def test_each_message_arrives_once_whatever_kills_a_real_process() -> None:
    report = play(SEED, range(6))

    assert report.schedules == 6
    assert report.failures == [], f"seed {SEED}: python -m tests.faults --seed {SEED} --schedules 0 --real 6"


def test_a_seed_says_what_happens() -> None:
    assert [draw(5, number) for number in range(20)] == [draw(5, number) for number in range(20)]
    assert draw(5, 1) != draw(6, 1)
