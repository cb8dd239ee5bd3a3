"""Golden contexts: words of the vocabulary, enough of them, and every condition of a template is tried."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from nurture.copywriting.golden import load_golden
from nurture.copywriting.templates import ModelTemplate, known_references, read_template
from nurture.copywriting.vocabulary import load_vocabulary
from nurture.errors import ConfigError
from nurture.paths import PROMPTS

VOCABULARY = load_vocabulary()
MODEL_TEMPLATES = [one for one in map(read_template, known_references()) if isinstance(one, ModelTemplate)]


@pytest.mark.parametrize("template", MODEL_TEMPLATES, ids=lambda template: template.reference)
def test_every_condition_of_a_template_is_tried_and_so_is_the_absence_of_every_word(template: ModelTemplate) -> None:
    contexts = [template.narrowed(golden.whole) for golden in load_golden(template.id, VOCABULARY)]

    for section in template.sections:
        for part in template.parts(section):
            assert any(part in template.applying(section, context) for context in contexts), part
    for name, variable in template.variables.items():
        assert any(context[name] == variable.default for context in contexts), f"{name} is never absent"
        assert any(context[name] != variable.default for context in contexts), f"{name} is never present"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"contexts": []}, "0 contexts; at least 8 say something"),
        ({"contexts": [{"why": "x", "context": {"colour": "red"}}]}, "no variable `colour`. Variables are: persona"),
        ({"contexts": [{"why": "x", "context": {"industry": "x"}}]}, "`x` is not among the words of `industry`: healthcare"),
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
