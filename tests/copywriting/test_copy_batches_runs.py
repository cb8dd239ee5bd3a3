"""Runs that share a batch: each takes its own part, and nobody pays twice."""

from collections.abc import Callable

import pytest
from batch_night import INDUSTRIES, BatchNight, pass_the_deadline, reserved, states

pytestmark = pytest.mark.slow  # batches take their time

Invite = Callable[..., None]


@pytest.fixture
def night(four_contexts: BatchNight) -> BatchNight:
    return four_contexts


def test_another_run_waits_for_the_same_batch_instead_of_paying_for_its_own(night: BatchNight) -> None:
    night.behave(seconds=3600)
    night.wait()
    night.run_id = "manual__2"
    other = night.wait()
    night.behave(seconds=0)

    counts = night.finish()

    night.run_id = "manual__1"
    first = night.finish()
    assert (len(night.at_vendor()), len(other.vendor_ids)) == (1, 1)
    assert (counts.clear, first.clear, first.from_store) == (4, 4, 4)
    assert (states(night), reserved(night)) == (["harvested"], (0, 0))


def test_another_run_takes_only_its_own_part_of_a_batch(night: BatchNight, invite: Invite) -> None:
    night.behave(seconds=3600)
    night.wait()
    night.connection.execute("DELETE FROM marts.audience WHERE context ->> 'industry' <> 'retail'")
    night.connection.commit()
    pass_the_deadline(night)
    night.behave(seconds=0)
    night.run_id = "manual__2"

    other = night.finish()

    assert (other.clear, states(night)) == (1, ["submitted"])
    for industry in INDUSTRIES[1:]:
        invite({"industry": industry, "pain_point": "stock errors"})
    night.run_id = "manual__1"
    own = night.finish()
    assert (own.clear, own.from_store, len(night.at_vendor())) == (4, 1, 1)
    assert (states(night), reserved(night)) == (["harvested"], (0, 0))


def test_a_later_run_finds_what_an_abandoned_one_had_paid_for(night: BatchNight, invite: Invite) -> None:
    night.behave(seconds=3600)
    night.wait()
    night.behave(seconds=0)
    night.connection.execute("DELETE FROM marts.audience WHERE context ->> 'industry' <> 'retail'")
    night.connection.commit()
    pass_the_deadline(night, hours=25)
    night.run_id = "manual__2"

    counts = night.finish()

    assert (counts.clear, len(night.at_vendor())) == (1, 1)
    assert (states(night), reserved(night)) == (["harvested"], (0, 0))
    assert night.rows("SELECT count(*) FROM ops.llm_call WHERE cost_usd > 0") == [(4,)]


def test_answers_to_what_is_no_longer_asked_are_counted_in_the_log(
    night: BatchNight, caplog: pytest.LogCaptureFixture
) -> None:
    night.behave(seconds=3600)
    night.wait()
    night.connection.execute("DELETE FROM marts.audience WHERE context ->> 'industry' <> 'retail'")
    night.connection.commit()
    night.behave(seconds=0)

    night.finish()

    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    [(cost,)] = night.rows(
        "SELECT sum(cost_usd) FROM ops.llm_call WHERE request_hash NOT IN (SELECT request_hash FROM ops.copy)"
    )
    assert f"3 of its answers, for ${cost:.6f}, are thrown away" in warning
