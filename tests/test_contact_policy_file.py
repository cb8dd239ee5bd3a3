"""What `contact` of the policy file may say."""

from pathlib import Path

import pytest

from nurture.contact_policy.rules import timing, withholding
from nurture.errors import ConfigError
from nurture.paths import POLICY
from nurture.policy import load_policy


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        ('from: "21:00"', "from: 21:00", r"`contact\.quiet_hours\.from`"),  # YAML reads 21:00 as the number 1260
        ('to: "08:00"', 'to: "8:00"', r"`contact\.quiet_hours\.to`"),
        ('to: "08:00"', 'until: "08:00"', r"unknown key `contact\.quiet_hours\.until`\. Valid keys are: .*from.*to"),
        ("default_zone: Etc/UTC", "default_zone: Europe/Bärlin", r"`contact\.quiet_hours\.default_zone`"),
        ("default_zone: Etc/UTC", "default_zone: Europe/Berlyn", r"Europe/Berlyn is no time zone"),
        ("US: America/Chicago", "US: America/Chicagoo", r"America/Chicagoo is no time zone"),
        ("messages: 3", "messages: 0", r"`contact\.frequency_cap\.messages`"),
    ],
)
def test_a_mistake_in_contact_policy_names_its_key(tmp_path: Path, good: str, bad: str, words: str) -> None:
    text = POLICY.read_text(encoding="utf-8")
    assert good in text
    path = tmp_path / "policy.yaml"
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")

    with pytest.raises(ConfigError, match=words):
        load_policy(path)


def test_the_statements_get_what_the_file_says() -> None:
    policy = load_policy().contact

    assert withholding(policy, "lead_nurture") == {"cap_messages": 3, "cap_days": 7, "higher_campaigns": []}
    assert withholding(policy, "another")["higher_campaigns"] == ["lead_nurture"]
    assert (timing(policy)["quiet_from"], timing(policy)["quiet_to"]) == ("21:00", "08:00")


def test_every_campaign_has_its_place_in_the_priority() -> None:
    from dags_under_test import dag_bag

    campaigns = {dag_id for dag_id, dag in dag_bag().dags.items() if "campaign" in dag.tags}

    assert set(load_policy().contact.campaign_priority) == campaigns, "name it under contact.campaign_priority"
