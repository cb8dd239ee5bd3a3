"""A policy file with a typo says which key, and which keys are valid."""

from pathlib import Path

import pytest

from nurture.errors import ConfigError
from nurture.paths import POLICY
from nurture.policy import load_policy


def test_the_shipped_policy_carries_the_promised_thresholds() -> None:
    gates = load_policy().gates

    assert (gates.missing_user_id_share_max, gates.duplicate_contact_share_max) == (0.05, 0.02)
    assert (gates.event_change_share_max, gates.window_days) == (0.10, 7)


def test_an_unknown_key_is_refused_with_the_valid_ones(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.read_text().replace("window_days:", "windw_days:"))

    with pytest.raises(ConfigError, match=r"unknown key `gates.windw_days`. Valid keys are: .*window_days"):
        load_policy(path)


def test_a_lost_write_must_not_be_judged_while_its_request_may_still_be_on_its_way(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.read_text().replace("settle_after_seconds: 75", "settle_after_seconds: 60"))

    with pytest.raises(ConfigError, match=r"`crm`: .*settle_after_seconds is 60; make it more than 60"):
        load_policy(path)


@pytest.mark.parametrize("text", ["- a list", "a: [unclosed", ""])
def test_a_file_that_is_not_a_mapping_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=r"policy\.yaml"):
        load_policy(path)
