"""include/copy_rules.yaml is read strictly, and an edit of it changes what the guardrails say."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from labelled_copy import SHAPE, load_terms
from test_copy_guardrails import HONEST, judged

from nurture.copywriting.copy_rules import COPY_RULES, load_copy_rules
from nurture.copywriting.guardrails import guardrails_of
from nurture.errors import ConfigError

RULES = yaml.safe_load(COPY_RULES.read_text(encoding="utf-8"))


def written(folder: Path, **change: object) -> Path:
    path = folder / "copy_rules.yaml"
    path.write_text(yaml.safe_dump(RULES | change), encoding="utf-8")
    return path


WORDING = {
    "name": "weather",
    "outcome": "rejected",
    "reason": "We do not promise sunshine.",
    "says": ["sunny"],
    "except": ["sunny side"],
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"compettitors": []}, "unknown key `compettitors`"),
        ({"wording": [WORDING | {"outcome": "maybe"}]}, "outcome"),
        ({"wording": [WORDING | {"says": ["("]}]}, "no regular expression"),
        ({"wording": [WORDING, WORDING]}, "weather stands twice"),
        ({"wording": [WORDING | {"says": []}]}, "says"),
        ({"synonyms": "count"}, "synonyms"),
    ],
)
def test_a_mistake_in_the_rules_is_named(tmp_path: Path, change: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_copy_rules(written(tmp_path, **change))


def test_a_new_list_of_wording_is_a_guardrail_and_has_its_exceptions(tmp_path: Path) -> None:
    rules = load_copy_rules(written(tmp_path, wording=[WORDING]))
    terms = replace(load_terms(), rules=rules)

    stopped, excepted = judged(terms, cta="A sunny day"), judged(terms, cta="See the sunny side")

    assert guardrails_of(rules)[-1].name == "weather"
    assert [reason["name"] for reason in stopped.reasons] == ["weather"]
    assert excepted.outcome == "clear"


def test_a_new_competitor_is_not_named(tmp_path: Path) -> None:
    terms = replace(load_terms(), rules=load_copy_rules(written(tmp_path, competitors=["Gobsmacker"])))

    verdict = judged(terms, cta="More than gob-smacker")

    assert [reason["name"] for reason in verdict.reasons] == ["competitors"]


def test_a_synonym_lets_a_paraphrase_pass(tmp_path: Path) -> None:
    terms = load_terms()
    said = HONEST["body"].replace("Larkfield Count costs", "Larkfield Count retails at")
    taught = replace(terms, rules=load_copy_rules(written(tmp_path, synonyms=[*RULES["synonyms"], ["costs", "retails"]])))

    assert SHAPE.citations == "sentence"
    assert judged(terms, body=said).outcome == "rejected"
    assert judged(taught, body=said).outcome == "clear"
