"""Who may be written to, decided in SQL over the whole audience."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context

from nurture.operators.run_statements import RunStatements


class ApplyConsentOperator(RunStatements):
    """Decides by the rules of `include/consent_regions.yaml`, and keeps each decision with its basis.

    Args:
        campaign: the campaign whose audience it is.
        day: the night's last complete GA4 day, ISO, templated.
    """

    template_fields: Sequence[str] = (*RunStatements.template_fields, "campaign", "day")

    def __init__(self, *, campaign: str, day: str, **kwargs: Any) -> None:
        statements = ["audience/apply_consent.sql", "audience/analyze.sql", "consent/keep_audience_decisions.sql"]
        super().__init__(statements=statements, parameters={}, **kwargs)
        self.campaign = campaign
        self.day = day

    def execute(self, context: Context) -> None:
        from nurture.consent.rules import load_rules

        night = {"campaign": self.campaign, "day": self.day, "run_id": context["run_id"]}
        self.parameters = night | load_rules().parameters()
        super().execute(context)  # type: ignore[no-untyped-call]
