"""Who may be written to, decided in SQL over the whole audience."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context

from nurture.operators.run_statements import RunStatements


class ApplyConsentOperator(RunStatements):
    """Runs `audience/apply_consent.sql` with the consent rules that `include/policy.yaml` holds at that moment.

    Args:
        campaign: the campaign whose audience it is.
        day: the night's last complete GA4 day, ISO, templated.
    """

    template_fields: Sequence[str] = (*RunStatements.template_fields, "campaign", "day")

    def __init__(self, *, campaign: str, day: str, **kwargs: Any) -> None:
        super().__init__(statements=["audience/apply_consent.sql"], parameters={}, **kwargs)
        self.campaign = campaign
        self.day = day

    def execute(self, context: Context) -> None:
        from nurture.policy import load_policy

        regions = list(load_policy().consent.opt_out_regions)
        self.parameters = {"campaign": self.campaign, "day": self.day, "opt_out_regions": regions}
        super().execute(context)  # type: ignore[no-untyped-call]
