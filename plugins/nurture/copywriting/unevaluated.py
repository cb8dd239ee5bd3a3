"""Whether the models that a night asks are those with which its prompt was tried."""

from collections.abc import Sequence

import psycopg

from nurture.copywriting.release import read_evaluation
from nurture.errors import ConfigError
from nurture.warehouse.statements import statement


def unevaluated(connection: psycopg.Connection, reference: str, digest: str, models: Sequence[str]) -> str | None:
    """What a night's report says of `models` with which exactly this text has passed no evaluation; None: there are none.

    Args:
        digest: sha256 of the template's text.
    """
    rows = connection.execute(statement("copy/evaluated_models.sql"), {"template_hash": digest})
    evaluated = {row[0] for row in rows} | _released_with(reference, digest)
    missing = [model for model in dict.fromkeys(models) if model not in evaluated]
    if not missing:
        return None
    return (
        f"{reference} has passed no evaluation with {' or '.join(missing)}; run evaluate_prompt with this template and model"
    )


def _released_with(reference: str, digest: str) -> set[str]:
    """The model of the evaluation that lies beside a released template."""
    try:
        report = read_evaluation(reference)
    except ConfigError:
        return set()
    return {report.model} if report.passed and report.template_sha256 == digest else set()
