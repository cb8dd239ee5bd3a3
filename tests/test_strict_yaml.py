"""Configuration files: a mistake is said in words that somebody who writes YAML, not Python, can act on."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from nurture.errors import ConfigError
from nurture.strict_yaml import Count, Strict, read_strict


class Entry(Strict):
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    approver: Annotated[str, Field(min_length=1)]
    valid_from: date
    topics: tuple[str, ...] = ()
    version: Count = 1
    lane: Literal["ready", "approval"] = "ready"
    notes: tuple["Note", ...] = ()


class Note(Strict):
    day: str


class Entries(Strict):
    owner: str = "nobody"
    facts: tuple[Entry, ...]


GOOD = "facts:\n  - id: scan-charger\n    approver: legal\n    valid_from: 2026-11-30\n"


def read(folder: Path, text: str) -> Entries:
    path = folder / "words.yaml"
    path.write_text(text)
    return read_strict(path, Entries)


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as failure:
        read(folder, text)
    return str(failure.value).removeprefix(f"{folder}/")


def test_a_file_without_a_mistake_is_read(tmp_path: Path) -> None:
    [entry] = read(tmp_path, GOOD + "    topics: [retail]\n").facts

    assert (entry.valid_from, entry.topics) == (date(2026, 11, 30), ("retail",))


@pytest.mark.parametrize("day", ["2026-31-11", "2026-02-30", "2026-11-30T25:00:00Z"])
def test_a_day_that_does_not_exist_is_named_with_its_line_and_its_key(tmp_path: Path, day: str) -> None:
    said = mistake(tmp_path, GOOD.replace("2026-11-30", day))

    assert said == (
        f"words.yaml: line 4, `valid_from: {day}`: there is no such day; expected year-month-day, e.g. 2026-11-30."
    )


@pytest.mark.parametrize(
    ("found", "wanted", "said"),
    [
        ("    approver: legal\n", "", "facts: scan-charger: key `approver` is missing; add it."),
        ("approver: legal", "aprover: legal", "facts: scan-charger: unknown key `aprover`. Valid keys are: approver, id"),
        ("approver: legal", "approver:", "facts: scan-charger: `approver` is empty; fill it in."),
        ("approver: legal", 'approver: ""', "facts: scan-charger: `approver` is empty; fill it in."),
        ("approver: legal", "approver: 2026-11-23",
         "facts: scan-charger: `approver`: expected text: put it in quotes; found '2026-11-23'."),
        ("approver: legal", "approver: yes", "scan-charger: `approver`: expected text: put it in quotes; found 'True'"),
        ("approver: legal", "approver: [legal]", "facts: scan-charger: `approver`: Input should be a valid string; found"),
        ("approver: legal", "approver: legal\n    topics: retail",
         "facts: scan-charger: `topics`: expected a list in square brackets, such as [a, b]; found 'retail'."),
        ("approver: legal", "approver: legal\n    topics: [12]",
         "facts: scan-charger: `topics.0`: expected text: put it in quotes; found '12'."),
        ("scan-charger", "Scan charger",
         "facts: Scan charger: `id`: expected small letters, digits and hyphens, a letter first; found 'Scan charger'."),
        ("2026-11-30", '"30.11.2026"',
         "facts: scan-charger: `valid_from`: expected a date as year-month-day, e.g. 2026-11-30; found '30.11.2026'."),
        ("approver: legal", "approver: legal\n    notes: [{day: 2026-11-23}]",
         "facts: scan-charger: `notes.0.day`: expected text: put it in quotes; found '2026-11-23'."),
        ("approver: legal", "approver: legal\n    lane: redy", "`lane`: Input should be 'ready' or 'approval'; found"),
        ("- id: scan-charger", "- version: 1", "words.yaml: key `facts.0.id` is missing; add it."),
        ("- id: scan-charger", "- id: 7", "words.yaml: `facts.0.id`: expected text: put it in quotes; found '7'."),
        ("facts:", "owner:\nfacts:", "words.yaml: `owner` is empty; fill it in."),
        ("facts:", "ownr: me\nfacts:", "words.yaml: unknown key `ownr`. Valid keys are: facts, owner."),
    ],
)  # fmt: skip
def test_a_mistake_names_the_entry_the_key_and_what_is_expected(tmp_path: Path, found: str, wanted: str, said: str) -> None:
    assert said in mistake(tmp_path, GOOD.replace(found, wanted))
