"""The prompt library on disk: reading templates, strictly, and never one that was changed once released."""

import hashlib
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from nurture.copywriting.shapes import MESSAGE_PARTS, Limit, Limits, Shape
from nurture.copywriting.template_checks import problems
from nurture.copywriting.template_kinds import VARIABLE, ModelTemplate, Part, StaticTemplate, Template
from nurture.copywriting.vocabulary import load_vocabulary
from nurture.errors import ConfigError
from nurture.paths import PROMPTS
from nurture.strict_yaml import Strict, read_strict

__all__ = [
    "VARIABLE", "Limit", "Limits", "ModelTemplate", "Part", "Shape", "StaticTemplate", "Template",
    "check_released", "check_unchanged", "known_references", "load_campaign_template", "load_template", "read_template",
    "released", "template_path", "text_hash",
]  # fmt: skip

REFERENCE = re.compile(r"([a-z][a-z0-9_]*)@v([1-9][0-9]*)")


class Lock(Strict):
    """Reference → sha256 of the released file's text."""

    released: dict[str, str]


class _Kind(BaseModel):
    """What decides by which model the rest of a template is read."""

    kind: Any = None


def load_template(reference: str, folder: Path = PROMPTS) -> ModelTemplate | StaticTemplate:
    """Read a released template, e.g. `lead_nurture@v1`.

    Raises:
        ConfigError: no such template, a mistake in it, or it is not released or was changed after its release.
    """
    check_unchanged(reference, folder)  # first: a mistake in it is to be undone, not mended
    template = read_template(reference, folder)
    check_released(reference, folder)
    return template


def load_campaign_template(reference: str, folder: Path = PROMPTS) -> ModelTemplate:
    """Read a released prompt whose copy a campaign can push.

    Raises:
        ConfigError: as `load_template`; or it is static, or it does not make a headline, a body and a cta.
    """
    template = load_template(reference, folder)
    path = template_path(reference, folder)
    if not isinstance(template, ModelTemplate):
        raise ConfigError(f"{path}: {reference} is static; a campaign's template must be of kind model.")
    if not template.is_message:
        raise ConfigError(
            f"{path}: {reference} makes {', '.join(template.limits)}; a campaign pushes {', '.join(MESSAGE_PARTS)}, "
            f"each one text. Name another template; those that are released: {', '.join(sorted(released(folder)))}."
        )
    return template


def read_template(reference: str, folder: Path = PROMPTS) -> ModelTemplate | StaticTemplate:
    """Read a template, released or not.

    Raises:
        ConfigError: no such template, or a mistake in it.
    """
    path = template_path(reference, folder)
    if not path.is_file():
        known = ", ".join(known_references(folder)) or "none"
        raise ConfigError(f"{path}: there is no template {reference}. Templates are: {known}.")
    is_static = read_strict(path, _Kind).kind == "static"
    template: ModelTemplate | StaticTemplate = (
        read_strict(path, StaticTemplate) if is_static else read_strict(path, ModelTemplate)
    )
    found = list(problems(template, load_vocabulary(), reference))
    if found:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in found))
    return template


def template_path(reference: str, folder: Path = PROMPTS) -> Path:
    """Where `id@vN` lives.

    Raises:
        ConfigError: not of that form.
    """
    match = REFERENCE.fullmatch(reference)
    if match is None:
        raise ConfigError(f"{reference!r} names no template; expected id@vN, e.g. {', '.join(known_references(folder))}")
    return folder / match[1] / f"v{match[2]}.yaml"


def known_references(folder: Path = PROMPTS) -> list[str]:
    """Every template there is, as `id@vN`."""
    return sorted(f"{path.parent.name}@{path.stem}" for path in folder.glob("*/v*.yaml"))


def released(folder: Path = PROMPTS) -> dict[str, str]:
    """Reference → sha256 of every released template.

    Raises:
        ConfigError: the lock file is missing or wrong.
    """
    return read_strict(folder / "lock.yaml", Lock).released


def text_hash(reference: str, folder: Path = PROMPTS) -> str:
    """sha256 of a template's text, line endings aside."""
    return hashlib.sha256(template_path(reference, folder).read_text(encoding="utf-8").encode()).hexdigest()


def check_released(reference: str, folder: Path = PROMPTS) -> None:
    """Refuse a template that was never released or was changed since.

    Raises:
        ConfigError: as said.
    """
    locked = released(folder)
    if reference not in locked:
        raise ConfigError(
            f"{template_path(reference, folder)}: {reference} is not released. Released are: {', '.join(sorted(locked))}. "
            f"Once it is approved, run `python -m nurture.copywriting.release {reference}`."
        )
    check_unchanged(reference, folder)


def check_unchanged(reference: str, folder: Path = PROMPTS) -> None:
    """Refuse a template that was changed after its release; one that was never released may change.

    Raises:
        ConfigError: as said.
    """
    path, locked = template_path(reference, folder), released(folder)
    if reference in locked and path.is_file() and text_hash(reference, folder) != locked[reference]:
        raise ConfigError(f"{path}: changed after its release. Restore it and put the change into a new version.")
