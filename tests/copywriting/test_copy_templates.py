"""The strict loader: a mistake names the file and the valid choices; a released template never changes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from nurture.copywriting.release import release, released
from nurture.copywriting.templates import known_references, load_template, read_template
from nurture.errors import ConfigError
from nurture.paths import PROMPTS

Edit = Callable[..., None]


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


def test_every_template_is_sound_and_every_released_one_is_unchanged() -> None:
    assert set(released()) <= set(known_references())
    for reference in known_references():
        assert load_template(reference).reference == reference


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
         "`retial` is not among the words of `industry`: healthcare"),
        ({"version": 2}, "it calls itself lead_nurture@v2; by its place it is lead_nurture@v1"),
        ({"change_log": [{"version": 3, "date": "x", "change": "x"}]}, "the last entry of `change_log` is version 3"),
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


def test_a_missing_key_is_named(folder: Path) -> None:
    path = folder / "lead_nurture" / "v1.yaml"
    data = yaml.safe_load(path.read_text())
    del data["token_budget"]
    path.write_text(yaml.safe_dump(data))

    with pytest.raises(ConfigError, match="key `token_budget` is missing"):
        read_template("lead_nurture@v1", folder)


def test_a_changed_released_file_is_an_error(folder: Path) -> None:
    path = folder / "lead_nurture" / "v1.yaml"
    path.write_text(path.read_text().replace("warmly", "loudly"))

    with pytest.raises(ConfigError, match=r"lead_nurture/v1.yaml: changed after its release.* new version"):
        load_template("lead_nurture@v1", folder)


def test_a_new_version_is_used_only_once_it_is_released(folder: Path, edit: Edit) -> None:
    text = (folder / "lead_nurture" / "v1.yaml").read_text()
    change = '\n  - version: 2\n    date: "2026-12-01"\n    change: Warmer.\n\ntoken_budget'
    second = text.replace("version: 1\nkind", "version: 2\nkind").replace("\n\ntoken_budget", change)
    (folder / "lead_nurture" / "v2.yaml").write_text(second)
    with pytest.raises(ConfigError, match="lead_nurture@v2 is not released"):
        load_template("lead_nurture@v2", folder)

    release("lead_nurture@v2", folder)

    assert load_template("lead_nurture@v2", folder).version == 2
    assert load_template("lead_nurture@v1", folder).version == 1


def test_a_release_cannot_be_repeated_with_another_text(folder: Path) -> None:
    path = folder / "static_template" / "v3.yaml"
    path.write_text(path.read_text().replace("software", "hardware"))

    with pytest.raises(ConfigError, match="changed after its release"):
        release("static_template@v3", folder)


@pytest.mark.parametrize("reference", ["lead_nurture", "lead_nurture@1", "../facts/larkfield@v1", "lead_nurture@v01"])
def test_a_reference_of_another_form_is_an_error(reference: str) -> None:
    with pytest.raises(ConfigError, match="expected id@vN"):
        load_template(reference)


def test_an_unknown_template_names_those_that_exist() -> None:
    with pytest.raises(ConfigError, match="Templates are: lead_nurture@v1, static_template@v3"):
        load_template("lead_nurture@v99")


@pytest.mark.parametrize("text", ["kind: [static", "- a list", ""])
def test_a_template_that_is_not_a_mapping_in_yaml_is_an_error_that_names_the_file(folder: Path, text: str) -> None:
    (folder / "lead_nurture" / "v1.yaml").write_text(text)

    with pytest.raises(ConfigError, match=r"lead_nurture/v1\.yaml: (not YAML|expected a mapping)"):
        read_template("lead_nurture@v1", folder)
