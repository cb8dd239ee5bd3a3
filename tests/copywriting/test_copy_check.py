"""The quick check of what marketers edit, as its command."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nurture.paths import INCLUDE, PROJECT


def check(include: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command over `include`, without a warehouse, a key or Airflow."""
    unset = ("NURTURE_WAREHOUSE_URL", "AIRFLOW_CONN_WAREHOUSE", "OPENAI_API_KEY")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"NURTURE_INCLUDE": str(include), "PYTHONPATH": str(PROJECT / "plugins")}
    command = [sys.executable, "-m", "nurture.copywriting.check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)


@pytest.fixture
def include(tmp_path: Path) -> Path:
    return Path(shutil.copytree(INCLUDE, tmp_path / "include"))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_nothing_is_said_of_files_without_a_mistake() -> None:
    found = check(INCLUDE)

    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


MISTAKES = [
    ("facts/prices.yaml", "topics: [LF-COUNT]", "topics: [LF-CUONT]", "count-price: unknown topic `LF-CUONT`"),
    ("prices.yaml", "input: 0.15", "inptu: 0.15", "prices.yaml: unknown key `sandbox-writer-1.0.inptu`"),
    (
        "prompts/sales_follow_up/v1.yaml",
        "risk:",
        "# risk:",
        "sales_follow_up/v1.yaml: changed after its release. Restore it",
    ),
    ("prompts/lead_nurture/golden.yaml", "LF-ROUTE", "LF-ROUT", "golden.yaml: `LF-ROUT` is not among the words"),
    ("prompts/lead_nurture/v2.evaluation.json", '"template"', '"tmplate"', "v2.evaluation.json: no report of an evaluation"),
]
MISTAKES_THAT_SPOIL_MUCH = [
    ("vocabulary.yaml", "company: Larkfield", "compny: Larkfield", "vocabulary.yaml: unknown key `compny`"),
    ("policy.yaml", "timeout_hours", "timeout_hour", "policy.yaml: unknown key `approval.timeout_hour`"),
    ("prompts/lock.yaml", "released:", "releasd:", "lock.yaml: unknown key `releasd`"),
    ("copy_rules.yaml", "competitors:", "competitor:", "copy_rules.yaml: unknown key `competitor`"),
    ("prompts/placeholders.yaml", "fallback: there", "falback: there", "placeholders.yaml: unknown key"),
]


@pytest.mark.parametrize("mistakes", [MISTAKES, MISTAKES_THAT_SPOIL_MUCH], ids=["some", "those that spoil much"])
def test_a_mistake_in_any_file_that_marketers_edit_is_said_in_words(
    include: Path, mistakes: list[tuple[str, str, str, str]]
) -> None:
    for file, old, new, _ in mistakes:
        change(include / file, old, new)

    found = check(include)

    assert [said for *_, said in mistakes if said not in found.stdout] == []
    assert (found.returncode, found.stderr) == (1, "")
    assert len(found.stdout.splitlines()) == len(set(found.stdout.splitlines()))


def test_what_is_right_by_itself_and_does_not_fit_the_rest_is_said(include: Path) -> None:
    change(include / "policy.yaml", "timeout_hours: 12", "timeout_hours: 13")
    change(include / "facts" / "products.yaml", "- id: count-what", "- id: count-whatever")

    found = check(include)

    assert "static_template/v3.yaml: cites the unknown fact count-what." in found.stdout
    assert "lead_nurture.md: stale; run `python -m nurture.copywriting.model_card`." in found.stdout


def test_a_new_version_is_checked_before_its_release(include: Path) -> None:
    folder = include / "prompts" / "lead_nurture"
    text = (folder / "v3.yaml").read_text().replace("version: 3\nkind", "version: 4\nkind")
    text = text.replace("\ntoken_budget", '  - version: 4\n    date: "2026-11-24"\n    change: Warmer.\n\ntoken_budget')
    (folder / "v4.yaml").write_text(
        text.replace("{industry: present}", "{industry: [retail]}").replace("pain_point: absent", "pain_point: high_return")
    )

    found = check(include)

    [problem] = found.stdout.splitlines()
    assert problem.startswith(
        f"{folder}/v4.yaml: a condition in `context` wants pain_point `high_return`. Valid are: present"
    )


def test_a_new_word_or_price_that_static_copy_does_not_know_is_said(include: Path) -> None:
    change(include / "vocabulary.yaml", "pain_points: [", "pain_points: [long_shifts, ")
    change(include / "vocabulary.yaml", "price_usd: 49", "price_usd: 59")
    change(include / "facts" / "prices.yaml", "costs $49", "costs $59")

    found = check(include).stdout.splitlines()

    said = [line.partition("static_template/v3.yaml: ")[2].partition(" contexts, the first: ") for line in found]
    assert sorted((problem.partition(" (in ")[0], first) for problem, _, first in said) == [
        ("figures: '$49' is in no fact cited for it", "other, other, LF-COUNT)."),
        ("static_template@v3 has no ['headline']", "other, long_shifts, none)."),
    ]


def test_help_says_what_it_is_for() -> None:
    found = check(INCLUDE, "--help")

    assert found.returncode == 0 and "prints what is wrong" in found.stdout
