"""Model cards say what the files say, today."""

import shutil
from pathlib import Path

import pytest

from nurture.copywriting.model_card import CARDS, cards
from nurture.copywriting.templates import ModelTemplate, load_template, released
from nurture.errors import ConfigError
from nurture.paths import PROMPTS


def test_every_released_use_case_has_a_card_and_none_is_stale() -> None:
    expected = cards()

    found = {path.stem: path.read_text(encoding="utf-8") for path in CARDS.glob("*.md")}

    use_cases = {name.partition("@")[0] for name in released() if isinstance(load_template(name), ModelTemplate)}
    assert set(expected) == use_cases
    assert found == expected, "run `python -m nurture.copywriting.model_card`"


def test_a_card_has_what_governance_asks_for() -> None:
    for template_id, text in cards().items():
        for word in ("**Purpose**", "**Owner**", "## Training limitations", "## Approved inputs", "## Disallowed outputs",
                     "**Risk level**", "## Fallback", "## Budget", "## Evaluation", "## Versions"):  # fmt: skip
            assert word in text, f"{template_id}: {word}"
        assert "`figures`: Numbers, prices, percentages, dates and links are never invented." in text
        assert "| golden contexts |" in text


def test_no_card_is_written_of_a_released_prompt_that_was_changed(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(PROMPTS, tmp_path / "prompts"))
    path = folder / "faq_answers" / "v1.yaml"
    path.write_text(path.read_text().replace("risk: high", "risk: low"))

    with pytest.raises(ConfigError, match=r"faq_answers/v1.yaml: changed after its release. Restore it"):
        cards(folder)


def test_a_card_names_as_many_claims_as_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nurture.copywriting.model_card.MOST_FACTS", 17)

    assert all("- At most 17 approved claims of `include/facts`" in text for text in cards().values())
