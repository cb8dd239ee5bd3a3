"""Model cards say what the files say, today."""

from nurture.copywriting.model_card import CARDS, cards
from nurture.copywriting.templates import ModelTemplate, load_template, released


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
