"""Releasing a template: its hash goes into the lock file, and from then on the file must not change.

`python -m nurture.copywriting.release lead_nurture@v2`
"""

import hashlib
import sys
from pathlib import Path

import yaml

from nurture.copywriting.templates import read_template, template_path
from nurture.errors import ConfigError
from nurture.paths import PROMPTS
from nurture.policy import Strict, read_strict


class Lock(Strict):
    """Reference → sha256 of the released file's text."""

    released: dict[str, str]


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
    path, locked = template_path(reference, folder), released(folder)
    if reference not in locked:
        raise ConfigError(
            f"{path}: {reference} is not released. Released are: {', '.join(sorted(locked))}. "
            f"Once it is approved, run `python -m nurture.copywriting.release {reference}`."
        )
    if text_hash(reference, folder) != locked[reference]:
        raise ConfigError(f"{path}: changed after its release. Restore it and put the change into a new version.")


def release(reference: str, folder: Path = PROMPTS) -> None:
    """Lock a template that has no mistakes.

    Raises:
        ConfigError: a mistake in it, or another text was released under this version.
    """
    read_template(reference, folder)
    locked = released(folder)
    if reference in locked:
        check_released(reference, folder)
        return
    lines = yaml.safe_dump({"released": locked | {reference: text_hash(reference, folder)}})
    header = "# sha256 of every released template: such a file never changes again (nurture.copywriting.release).\n"
    (folder / "lock.yaml").write_text(header + lines, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Which template? e.g. python -m nurture.copywriting.release lead_nurture@v2")
    try:
        release(sys.argv[1])
    except ConfigError as error:
        sys.exit(str(error))
    print(f"{sys.argv[1]} is released")
