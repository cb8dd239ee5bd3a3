"""The strict loader: a mistake names the file and the valid choices; a released template never changes."""

import itertools
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.templates import (
    VARIABLE,
    ModelTemplate,
    known_references,
    load_campaign_template,
    load_template,
    read_template,
    released,
    text_hash,
)
from nurture.copywriting.vocabulary import load_vocabulary, nothing_known
from nurture.errors import ConfigError
from nurture.paths import PROMPTS

Edit = Callable[..., None]

LIBRARY = {
    "email_subject_lines@v1", "lead_nurture@v2", "blog_brief@v1", "long_form_draft@v1", "product_description@v1",
    "paid_ad_variants@v1", "meta_description@v1", "landing_page_hero@v1", "sales_follow_up@v1", "faq_answers@v1",
}  # fmt: skip


VOCABULARY = load_vocabulary()
LIMIT = {"max_words": 50, "max_characters": 300}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the released prompts."""
    return Path(shutil.copytree(PROMPTS, tmp_path / "prompts"))


@pytest.fixture
def edit(folder: Path) -> Edit:
    """Changes keys of lead_nurture@v1."""

    def change(**keys: object) -> None:
        path = folder / "lead_nurture" / "v1.yaml"
        data = yaml.safe_load(path.read_text()) | keys
        path.write_text(yaml.safe_dump(data, sort_keys=False))

    return change


def lock(reference: str, folder: Path) -> None:
    """Release without an evaluation, as a test may."""
    locked = released(folder) | {reference: text_hash(reference, folder)}
    (folder / "lock.yaml").write_text(yaml.safe_dump({"released": locked}))


def test_every_template_is_sound_and_every_released_one_is_unchanged() -> None:
    assert set(released()) | LIBRARY <= set(known_references())
    for reference in known_references():
        assert (load_template if reference in released() else read_template)(reference).reference == reference


def test_the_ten_prompts_have_shapes_budgets_and_constraints_of_their_own() -> None:
    library = [template for template in map(read_template, sorted(LIBRARY)) if isinstance(template, ModelTemplate)]

    assert len(library) == len(LIBRARY) == len({template.id for template in library})
    assert {template.citations for template in library} == {"sentence"}
    assert {template.risk for template in library} == {"low", "medium", "high"}
    assert [template.id for template in library if template.is_message] == ["lead_nurture", "sales_follow_up"]
    assert read_template("long_form_draft@v1").token_budget >= 1_500
    for template in library:
        assert template.use_case and template.variables
        assert any("in square brackets" in part.text for part in template.constraints), template.id
        assert any("exactly as the fact has it" in part.text for part in template.constraints), template.id
        told = " ".join(part.text for part in template.output)
        assert [part for part in template.limits if part not in told] == [], template.id


@pytest.mark.parametrize("reference", sorted(LIBRARY))
def test_a_prompt_reads_well_for_every_context(reference: str) -> None:
    template, vocabulary = read_template(reference), load_vocabulary()
    assert isinstance(template, ModelTemplate)
    choices = [
        [*dict.fromkeys([*(variable.only or vocabulary.words(variable.choices)[:3]), nothing_known(name)])]
        for name, variable in template.variables.items()
    ]

    for words in itertools.product(*choices):
        context = dict(zip(template.variables, words, strict=True))
        request = CopyRequest(template, "hash", context, (), "model", vocabulary, date(2026, 11, 20))
        system, user = (message["content"] for message in request.messages)

        said = user.partition("<request>")[0]
        assert "{" not in said and "_" not in said and "  " not in said, (context, said)
        for section in template.sections:
            for name in {name for part in template.applying(section, context) for name in VARIABLE.findall(part.text)}:
                assert context[name] != nothing_known(name), (section, name)
        assert "Constraints:\n- " in system and "Output:\n- Answer with one JSON object" in system
        assert '"citations": "sentence"' in user


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"modle": 1}, "unknown key `modle`. Valid keys are: approver, change_log"),
        ({"risk": "none"}, "`risk`: Input should be 'low', 'medium' or 'high'"),
        ({"context": ["About {{ industri }} and {{ industry }}"]}, "`{{ industri }}` in `context` is not declared."),
        ({"context": ["Only {{ industry }}"]}, "variable `pain_point` is declared but used in no text"),
        ({"role": ["Hi {frist_name}"]}, "`{frist_name}` in `role` is not declared. Declared placeholders are: first_name"),
        ({"placeholders": ["frist_name"]}, "unknown placeholder `frist_name`. Placeholders are: first_name, company"),
        ({"role": ["{% now %}"]}, "a brace that is neither"),
        ({"role": ["{{industry}}"]}, "a brace that is neither"),
        ({"context": [{"text": "x", "when": {"industry": "retial"}}]}, "wants industry `retial`. Valid are: present"),
        ({"context": [{"text": "x", "when": {"persona": "founder"}}]}, "asks for `persona`, which is not declared"),
        ({"variables": {"colour": {"choices": "personas", "default": "other"}}}, "there is no variable `colour`"),
        ({"variables": {"industry": {"choices": "industries", "only": ["retial"], "default": "other"}}},
         f"`retial` is not among the words of `industry`: {VOCABULARY.industries[0]}, "),
        ({"version": 2}, "it calls itself lead_nurture@v2; by its place it is lead_nurture@v1"),
        ({"change_log": [{"version": 3, "date": "x", "change": "x"}]}, "the last entry of `change_log` is version 3"),
        ({"citations": "words"}, "`citations`: Input should be 'list' or 'sentence'; found 'words'"),
        ({"locale": "fr"}, "`locale`: Input should be 'en'"),
        ({"token_budget": 100}, "token_budget 100 cuts off an answer of 148 words"),
        ({"limits": {}}, "`limits`: Dictionary should have at least 1 item"),
        ({"limits": {"Body": LIMIT}}, "a part cannot be called `Body`; a name has small letters"),
        ({"limits": {"cited_fact_ids": LIMIT}}, "a part cannot be called `cited_fact_ids`"),
        ({"limits": {"body": {"max_words": 9}}}, "key `limits.body.max_characters` is missing"),
        ({"limits": {"body": LIMIT | {"max_word": 9}}}, "unknown key `limits.body.max_word`. Valid keys are: items"),
        ({"limits": {"body": LIMIT | {"min_words": 99}}}, "min_words is 99, more than max_words 50"),
        ({"limits": {"body": LIMIT | {"items": 1}}}, "`limits.body.items`: Input should be greater than or equal to 2"),
        ({"variables": {"industry": {"choice": "x"}}}, "unknown key `variables.industry.choice`. Valid keys are: choices"),
        ({"role": [{"text": "x", "wenn": {}}]}, "unknown key `role.0.wenn`. Valid keys are: cites, text, when"),
        ({"change_log": [{"versoin": 1}]}, "unknown key `change_log.0.versoin`. Valid keys are: change, date, version"),
        ({"variables": {"market": {"choices": "markets", "default": "none"}}}, "the default of `market` is `none`"),
        ({"variables": {"market": {"choices": "markets", "only": ["US"], "default": "other"}}},
         f"`US` is not among the words of `market`: {VOCABULARY.markets[0].id}, "),
    ],
)  # fmt: skip
def test_a_mistake_names_the_file_and_the_valid_choices(
    folder: Path, edit: Edit, keys: dict[str, object], said: str
) -> None:
    edit(**keys)

    with pytest.raises(ConfigError) as failure:
        read_template("lead_nurture@v1", folder)

    assert said in str(failure.value)
    assert "lead_nurture/v1.yaml: " in str(failure.value)


def test_the_words_that_a_condition_may_want_are_each_named_once(folder: Path, edit: Edit) -> None:
    edit(context=[{"text": "x", "when": {"pain_point": "slow_piking"}}])

    with pytest.raises(ConfigError) as failure:
        read_template("lead_nurture@v1", folder)

    words = str(failure.value).partition("wants pain_point `slow_piking`. Valid are: ")[2].partition(".")[0].split(", ")
    assert sorted(words) == sorted({"present", "absent", *load_vocabulary().pain_points})


def test_a_missing_key_is_named(folder: Path) -> None:
    path = folder / "lead_nurture" / "v1.yaml"
    data = yaml.safe_load(path.read_text())
    del data["token_budget"]
    path.write_text(yaml.safe_dump(data))

    with pytest.raises(ConfigError, match="key `token_budget` is missing"):
        read_template("lead_nurture@v1", folder)


def test_a_changed_released_file_is_an_error(folder: Path) -> None:
    path = folder / "lead_nurture" / "v1.yaml"
    path.write_text(path.read_text().replace("risk: medium", "risk: huge"))

    with pytest.raises(ConfigError, match=r"lead_nurture/v1.yaml: changed after its release.* new version"):
        load_template("lead_nurture@v1", folder)


def test_a_new_version_is_used_only_once_it_is_released(folder: Path) -> None:
    only_v1 = {"lead_nurture@v1": released(folder)["lead_nurture@v1"]}
    (folder / "lock.yaml").write_text(yaml.safe_dump({"released": only_v1}))

    with pytest.raises(ConfigError, match=r"lead_nurture@v2 is not released\. Released are: lead_nurture@v1"):
        load_template("lead_nurture@v2", folder)

    lock("lead_nurture@v2", folder)

    assert load_template("lead_nurture@v2", folder).version == 2
    assert load_template("lead_nurture@v1", folder).version == 1


def test_static_copy_without_the_parts_of_a_message_is_an_error(folder: Path) -> None:
    path = folder / "static_template" / "v3.yaml"
    path.write_text(path.read_text().replace("  cta: {max_words: 6", "  button: {max_words: 6"))

    with pytest.raises(ConfigError, match="static copy is for campaigns: give `limits` to headline, body, cta"):
        read_template("static_template@v3", folder)


def test_a_campaign_takes_only_prompts_that_make_a_message(folder: Path) -> None:
    for reference in ("lead_nurture@v2", "faq_answers@v1"):
        lock(reference, folder)

    assert load_campaign_template("lead_nurture@v2", folder).is_message
    with pytest.raises(ConfigError, match=r"v1.yaml: faq_answers@v1 makes questions, answers; a campaign pushes headline"):
        load_campaign_template("faq_answers@v1", folder)
    with pytest.raises(ConfigError, match="static_template@v3 is static; a campaign's template must be of kind model"):
        load_campaign_template("static_template@v3", folder)


@pytest.mark.parametrize("reference", ["lead_nurture", "lead_nurture@1", "../facts/larkfield@v1", "lead_nurture@v01"])
def test_a_reference_of_another_form_is_an_error(reference: str) -> None:
    with pytest.raises(ConfigError, match="expected id@vN"):
        load_template(reference)


def test_an_unknown_template_names_those_that_exist() -> None:
    with pytest.raises(ConfigError, match=r"Templates are: .*lead_nurture@v1, lead_nurture@v2, .*static_template@v3"):
        load_template("lead_nurture@v99")


@pytest.mark.parametrize("text", ["kind: [static", "- a list", ""])
def test_a_template_that_is_not_a_mapping_in_yaml_is_an_error_that_names_the_file(folder: Path, text: str) -> None:
    (folder / "lead_nurture" / "v1.yaml").write_text(text)

    with pytest.raises(ConfigError, match=r"lead_nurture/v1\.yaml: (not YAML|expected a mapping)"):
        read_template("lead_nurture@v1", folder)
