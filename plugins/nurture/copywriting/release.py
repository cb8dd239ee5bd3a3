"""Releasing a template: its hash goes into the lock file, its passing evaluation beside it, and the file never changes.

`python -m nurture.copywriting.release lead_nurture@v4`, with the warehouse of NURTURE_WAREHOUSE_URL.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import yaml
from pydantic import ValidationError

from nurture.copywriting.evaluation_report import Report, failures
from nurture.copywriting.templates import (
    ModelTemplate,
    check_unchanged,
    read_template,
    released,
    template_path,
    text_hash,
)
from nurture.errors import ConfigError, NurtureError
from nurture.paths import PROMPTS
from nurture.policy import Evaluation, load_policy
from nurture.warehouse.connect import connected
from nurture.warehouse.statements import statement

HEADER = "# sha256 of every released template: such a file never changes again (nurture.copywriting.release).\n"


def release(reference: str, connection: psycopg.Connection, folder: Path = PROMPTS) -> None:
    """Release a prompt whose latest evaluation passed. Released again, its evaluation file is written anew.

    Raises:
        ConfigError: a mistake in it, another text was released under this version, or this text has no passing evaluation.
    """
    check_unchanged(reference, folder)
    report = _passing_report(reference, connection, folder)
    lock(reference, folder)
    text = json.dumps(report.model_dump(mode="json"), indent=1, ensure_ascii=False)
    evaluation_path(reference, folder).write_text(text + "\n", encoding="utf-8")


def lock(reference: str, folder: Path = PROMPTS) -> None:
    """Lock a template that has no mistakes. That alone releases static templates: people wrote them, and people judge them.

    Raises:
        ConfigError: a mistake in it, or another text was released under this version.
    """
    check_unchanged(reference, folder)
    read_template(reference, folder)
    locked = released(folder)
    if reference in locked:
        return
    lines = yaml.safe_dump({"released": locked | {reference: text_hash(reference, folder)}})
    (folder / "lock.yaml").write_text(HEADER + lines, encoding="utf-8")


def evaluation_path(reference: str, folder: Path = PROMPTS) -> Path:
    """Where the evaluation with which `reference` was released lies."""
    return template_path(reference, folder).with_suffix(".evaluation.json")


def read_evaluation(reference: str, folder: Path = PROMPTS) -> Report:
    """The evaluation with which `reference` was released.

    Raises:
        ConfigError: there is none, or it is no report.
    """
    path = evaluation_path(reference, folder)
    try:
        return Report.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found; {_how_to(reference)}") from None
    except ValidationError as error:
        raise ConfigError(
            f"{path}: no report of an evaluation ({error.error_count()} mistakes); {_how_to(reference)}"
        ) from None


def unproven(limits: Evaluation, folder: Path = PROMPTS) -> Iterator[str]:
    """Every released prompt without a passing evaluation of exactly its text, and why, in words."""
    for reference, digest in released(folder).items():
        if not isinstance(read_template(reference, folder), ModelTemplate):
            continue
        path = evaluation_path(reference, folder)
        try:
            report = read_evaluation(reference, folder)
        except ConfigError as error:
            yield str(error)
            continue
        if (report.template, report.template_sha256) != (reference, digest):
            yield f"{path}: it is of {report.template} with the hash {report.template_sha256[:9]}…, not of the released file"
        for failure in dict.fromkeys([*report.failures, *failures(report.figures, report.baseline_figures, limits)]):
            yield f"{path}: {failure}"


def _passing_report(reference: str, connection: psycopg.Connection, folder: Path) -> Report:
    template = read_template(reference, folder)
    values = {
        "template_id": template.id, "template_version": template.version, "template_hash": text_hash(reference, folder)
    }  # fmt: skip
    row = connection.execute(statement("copy/latest_evaluation.sql"), values).fetchone()
    path = template_path(reference, folder)
    if row is None:
        raise ConfigError(f"{path}: this text was never evaluated on this warehouse; {_how_to(reference)}")
    report = Report.model_validate(row[0])
    if not report.passed:
        raise ConfigError(
            f"{path}: its latest evaluation (model {report.model}) did not pass: {'; '.join(report.failures)}. "
            f"Mend the template, then {_how_to(reference)}"
        )
    return report


def _how_to(reference: str) -> str:
    return (
        f"run the DAG evaluate_prompt with template {reference}, or "
        f"`python -m nurture.copywriting.evaluation {reference} --model …`, "
        f"then `python -m nurture.copywriting.release {reference}`."
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m nurture.copywriting.release", description=__doc__)
    parser.add_argument("template", help="e.g. lead_nurture@v4")
    reference = parser.parse_args().template
    try:
        check_unchanged(reference)
        if not isinstance(read_template(reference), ModelTemplate):
            lock(reference)
        else:
            with connected() as connection:
                release(reference, connection)
        problems = list(unproven(load_policy().evaluation))
    except NurtureError as error:
        sys.exit(str(error))
    print(f"{reference} is released")
    sys.exit("\n".join(problems) or None)


if __name__ == "__main__":
    main()
