"""Releasing: only what passed its evaluation, word for word, and the evaluation stays beside it."""

import json
from pathlib import Path

import psycopg
import pytest
from evaluations import library

from nurture.copywriting.evaluation_report import Evaluated, Report, figures
from nurture.copywriting.release import evaluation_path, lock, read_evaluation, release, unproven
from nurture.copywriting.templates import load_template, released, text_hash
from nurture.errors import ConfigError
from nurture.policy import load_policy
from nurture.warehouse.statements import statement

LIMITS = load_policy().evaluation
V2 = "lead_nurture@v2"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return library(tmp_path / "prompts")


def report_of(folder: Path, reference: str = V2, failures: tuple[str, ...] = ()) -> Report:
    pieces = [Evaluated(why=("x",), context={}, outcome="clear", confidence=0.9, words={"body": 9}, usd=0.001)]
    return Report(
        template=reference, template_sha256=text_hash(reference, folder), model="sandbox-writer-1", is_sandbox=True,
        day="2026-11-20", figures=figures(pieces), failures=failures, pieces=tuple(pieces),
    )  # fmt: skip


def evaluated(connection: psycopg.Connection, folder: Path, failures: tuple[str, ...] = ()) -> Report:
    """An evaluation of lead_nurture@v2 as it is now, in the warehouse."""
    report = report_of(folder, failures=failures)
    connection.execute(
        statement("copy/keep_evaluation.sql"),
        {
            "template_id": "lead_nurture", "template_version": 2, "template_hash": report.template_sha256,
            "model": report.model, "baseline": None, "passed": report.passed, "report": report.model_dump_json(),
            "dag_id": "x", "run_id": "x",
        },
    )  # fmt: skip
    return report


def test_every_released_prompt_of_the_library_has_a_passing_evaluation_of_exactly_its_text() -> None:
    assert list(unproven(LIMITS)) == []


def test_a_prompt_that_passed_is_released_with_its_evaluation_beside_it(warehouse: psycopg.Connection, folder: Path) -> None:
    report = evaluated(warehouse, folder)

    release(V2, warehouse, folder)

    assert load_template(V2, folder).version == 2
    assert read_evaluation(V2, folder) == report
    assert evaluation_path(V2, folder).name == "v2.evaluation.json"
    assert [problem for problem in unproven(LIMITS, folder) if "v2" in problem] == []


def test_a_prompt_that_was_never_evaluated_is_refused_and_the_message_says_what_to_run(
    warehouse: psycopg.Connection, folder: Path
) -> None:
    with pytest.raises(ConfigError) as failure:
        release(V2, warehouse, folder)

    assert "lead_nurture/v2.yaml: this text was never evaluated on this warehouse" in str(failure.value)
    assert "run the DAG evaluate_prompt with template lead_nurture@v2" in str(failure.value)
    assert V2 not in released(folder) and not evaluation_path(V2, folder).exists()


def test_the_latest_evaluation_counts_not_an_earlier_one_that_passed(warehouse: psycopg.Connection, folder: Path) -> None:
    evaluated(warehouse, folder)
    evaluated(warehouse, folder, failures=("80% is clear or flagged; at least 90% must be",))

    with pytest.raises(ConfigError, match="did not pass: 80% is clear or flagged"):
        release(V2, warehouse, folder)


def test_a_text_that_changed_after_its_evaluation_is_refused(warehouse: psycopg.Connection, folder: Path) -> None:
    evaluated(warehouse, folder)
    path = folder / "lead_nurture" / "v2.yaml"
    path.write_text(path.read_text().replace("warmly", "loudly"))

    with pytest.raises(ConfigError, match="this text was never evaluated"):
        release(V2, warehouse, folder)


@pytest.mark.parametrize("is_evaluated", [True, False])
def test_a_released_text_cannot_be_released_again_in_other_words(
    warehouse: psycopg.Connection, folder: Path, is_evaluated: bool
) -> None:
    evaluated(warehouse, folder)
    release(V2, warehouse, folder)
    path = folder / "lead_nurture" / "v2.yaml"
    path.write_text(path.read_text().replace("warmly", "loudly"))
    if is_evaluated:
        evaluated(warehouse, folder)

    with pytest.raises(ConfigError, match=r"v2.yaml: changed after its release. Restore it and put the change into a new"):
        release(V2, warehouse, folder)


def test_released_static_copy_that_was_changed_is_not_locked_again(folder: Path) -> None:
    path = folder / "static_template" / "v3.yaml"
    path.write_text(path.read_text().replace("kind: static", "kind: statik"))

    with pytest.raises(ConfigError, match="changed after its release"):
        lock("static_template@v3", folder)


def test_a_prompt_locked_by_hand_is_found_out(folder: Path) -> None:
    lock(V2, folder)

    assert any(
        "v2.evaluation.json: not found; run the DAG evaluate_prompt" in problem for problem in unproven(LIMITS, folder)
    )


def test_an_evaluation_of_another_text_or_one_below_the_limits_is_found_out(folder: Path) -> None:
    lock(V2, folder)
    report = report_of(folder, V2).model_dump(mode="json")
    poor = figures([Evaluated(why=("x",), context={}, outcome="rejected", confidence=0)]).model_dump(mode="json")

    def problems(**changes: object) -> str:
        evaluation_path(V2, folder).write_text(json.dumps(report | changes))
        return "\n".join(problem for problem in unproven(LIMITS, folder) if "v2" in problem)

    assert problems() == ""
    assert "with the hash aaaaaaaaa…, not of the released file" in problems(template_sha256="a" * 64)
    assert "it is of lead_nurture@v1" in problems(template="lead_nurture@v1")
    assert "100% is rejected; at most 10% may be" in problems(figures=poor), "also where somebody wrote that it passed"
    assert "no report of an evaluation" in problems(figures={})


def test_static_copy_is_released_by_people_alone(folder: Path) -> None:
    text = (folder / "static_template" / "v3.yaml").read_text().replace("version: 3\nkind", "version: 4\nkind")
    change = '\n  - version: 4\n    date: "2026-12-01"\n    change: Warmer.\n\nvariables'
    (folder / "static_template" / "v4.yaml").write_text(text.replace("\n\nvariables", change, 1))

    lock("static_template@v4", folder)

    assert load_template("static_template@v4", folder).version == 4
    assert not [problem for problem in unproven(LIMITS, folder) if "static_template@" in problem]
