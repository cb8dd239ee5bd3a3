"""Golden contexts: words of the vocabulary, enough of them, and every condition of a template is tried."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from nurture.copywriting.golden import GoldenContext, load_golden, untried
from nurture.copywriting.templates import ModelTemplate, known_references, read_template
from nurture.copywriting.vocabulary import load_vocabulary
from nurture.errors import ConfigError
from nurture.paths import PROMPTS

VOCABULARY = load_vocabulary()
MODEL_TEMPLATES = [one for one in map(read_template, known_references()) if isinstance(one, ModelTemplate)]


@pytest.mark.parametrize("template", MODEL_TEMPLATES, ids=lambda template: template.reference)
def test_every_condition_of_a_template_is_tried_and_so_is_the_absence_of_every_word(template: ModelTemplate) -> None:
    assert list(untried(template, load_golden(template.id, VOCABULARY))) == []


def test_what_no_golden_context_tries_is_said() -> None:
    template = next(one for one in MODEL_TEMPLATES if one.reference == "lead_nurture@v3")
    known = [GoldenContext(why="x", context={"industry": "retail", "pain_point": "stock_errors"})]

    found = list(untried(template, known))

    assert found == [
        "no context of golden.yaml tries the condition {pain_point: absent} in `context`; add one that does.",
        "no context of golden.yaml tries the condition {recent_product: present} in `context`; add one that does.",
        "in every context of golden.yaml `industry` is known; add one in which it is not.",
        "in every context of golden.yaml `pain_point` is known; add one in which it is not.",
        "in no context of golden.yaml `recent_product` is a word that the template tells apart; add one in which it is.",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"contexts": []}, "0 contexts; at least 8 say something"),
        ({"contexts": [{"why": "x", "context": {"colour": "red"}}]}, "no variable `colour`. Variables are: persona"),
        ({"contexts": [{"why": "x", "context": {"industry": "x"}}]},
         f"`x` is not among the words of `industry`: {VOCABULARY.industries[0]}, "),
        ({"contexts": [{"why": "x", "context": {}}, {"why": "y", "context": {}}]}, "the context {} stands twice"),
        ({"contexts": [{"context": {}}]}, "key `contexts.0.why` is missing"),
        ({"context": []}, "unknown key `context`"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_file_and_the_choices(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    folder = Path(shutil.copytree(PROMPTS / "faq_answers", tmp_path / "faq_answers")).parent
    (folder / "faq_answers" / "golden.yaml").write_text(yaml.safe_dump(change))

    with pytest.raises(ConfigError) as failure:
        load_golden("faq_answers", VOCABULARY, folder)

    assert said in str(failure.value)
    assert "faq_answers/golden.yaml: " in str(failure.value)
