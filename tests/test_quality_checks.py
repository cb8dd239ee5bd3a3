"""Check files: a typo is an error that names the file, the entry and the valid choices."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from nurture.errors import ConfigError
from nurture.paths import CHECKS, PROJECT
from nurture.policy import load_policy
from nurture.quality.checks import read_checks
from quality_night import DAY

ENTRY = {
    "name": "duplicates", "expectation": "query", "arguments": {"sql": "duplicate_contacts"},
    "threshold": "duplicate_contact_share_max", "unit": "share", "severity": "stop", "why": "one person, one contact",
}  # fmt: skip
TABLES = sorted(path.stem for path in CHECKS.glob("*.yaml"))


def write(folder: Path, *entries: dict[str, Any], **top: Any) -> Path:
    data = {"table": "staging.contacts", "rows": "all", "key": ["crm_id"], "checks": list(entries)} | top
    (folder / "staging.contacts.yaml").write_text(yaml.safe_dump(data))
    return folder


def build(folder: Path) -> list[Any]:
    """The expectations of the file, as the gate builds them."""
    from nurture.quality.suite import expectations

    night = {"day": DAY, "dag_id": "d", "run_id": "r", "campaign": "c"}
    return expectations(read_checks("staging.contacts", folder), load_policy(), night)


def test_the_check_files_are_exactly_these() -> None:
    assert TABLES == [
        "marts.audience",
        "ops.message",
        "raw_ga4.events",
        "raw_hubspot.contacts",
        "staging.contacts",
        "staging.events",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_every_check_file_becomes_expectations(table: str) -> None:
    from nurture.quality.suite import expectations

    file = read_checks(table)
    built = expectations(file, load_policy(), {"day": DAY, "dag_id": "d", "run_id": "r", "campaign": "c"})

    assert [item.meta["check"] for item in built] == [entry.name for entry in file.checks]


def test_check_names_differ_across_files() -> None:
    names = [entry.name for table in TABLES for entry in read_checks(table).checks]

    assert len(names) == len(set(names))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"severty": "stop"}, ["entry `duplicates`", "unknown key `severty`", "Valid keys are", "severity"]),
        ({"severity": "halt"}, ["entry `duplicates`", "`severity`", "'stop' or 'warn'", "halt"]),
        ({"threshold": "duplicate_share"}, ["entry `duplicates`", "duplicate_contact_share_max", "duplicate_share"]),
        ({"threshold": -1}, ["entry `duplicates`", "`threshold", "greater than or equal to 0"]),
        ({"why": None}, ["entry `duplicates`", "`why`"]),
        ({"explained": [{"event": "x"}]}, ["entry `duplicates`", "unknown key `explained.0.event`", "event_name"]),
        ({"expectation": "ExpectMagic"}, ["entry `duplicates`", "`ExpectMagic`", "ExpectColumnValuesToNotBeNull", "query"]),
        ({"arguments": {"sql": "duplicates"}}, ["entry `duplicates`", "`duplicates`", "duplicate_contacts"]),
        ({"arguments": {"sql": "../checks/duplicate_contacts"}}, ["entry `duplicates`", "files in"]),
        (
            {"arguments": {"sql": "duplicate_contacts", "emial": 1}},
            ["entry `duplicates`", "unknown argument `emial`", "threshold"],
        ),
        ({"arguments": {"sql": "copy_clean"}}, ["entry `duplicates`", "allowed_placeholders", "no value"]),
        ({"expectation": "ExpectColumnValuesToNotBeNull", "arguments": {"colum": "x"}}, ["entry `duplicates`", "colum"]),
        ({"expectation": "column_types", "arguments": {"typos": {}}}, ["entry `duplicates`", "typos"]),
    ],
)
def test_a_wrong_entry_is_named_with_the_valid_choices(tmp_path: Path, change: dict[str, Any], words: list[str]) -> None:
    write(tmp_path, ENTRY | change)

    with pytest.raises(ConfigError) as error:
        build(tmp_path)

    for word in ["staging.contacts.yaml", *words]:
        assert word in str(error.value), f"{word!r} is not in: {error.value}"


@pytest.mark.parametrize(
    ("top", "words"),
    [
        ({"row": "all"}, "unknown key `row`. Valid keys are: checks, key, rows, table"),
        ({"rows": "some"}, "`rows`"),
        ({"table": "staging.contact"}, "expected `staging.contacts`"),
        ({"checks": []}, "`checks`"),
        ({"checks": [ENTRY, ENTRY]}, "found twice: duplicates"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, top: dict[str, Any], words: str) -> None:
    write(tmp_path, ENTRY, **top)

    with pytest.raises(ConfigError) as error:
        read_checks("staging.contacts", tmp_path)

    assert "staging.contacts.yaml" in str(error.value)
    assert words in str(error.value)


def test_a_table_without_a_check_file_names_those_that_there_are(tmp_path: Path) -> None:
    write(tmp_path, ENTRY)

    with pytest.raises(ConfigError, match=r"There are files for: staging\.contacts"):
        read_checks("staging.contact", tmp_path)


def test_reading_check_files_does_not_import_great_expectations() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from nurture.quality.checks import read_checks; import nurture.quality.gate; "
        "read_checks('ops.message'); "
        "sys.exit('great_expectations' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(PROJECT / "plugins")}).returncode == 0
