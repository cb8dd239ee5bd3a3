"""Whom policy withholds the message from although consent allows it, and when the others may be written to."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context

from nurture.operators.run_statements import RunStatements


class ApplyContactPolicyOperator(RunStatements):
    """Runs `audience/apply_contact_policy.sql` with the contact policy that `include/policy.yaml` holds at that moment.

    Args:
        campaign: the campaign whose audience it is.
        day: the night's last complete GA4 day, ISO, templated.
    """

    template_fields: Sequence[str] = (*RunStatements.template_fields, "campaign", "day")

    def __init__(self, *, campaign: str, day: str, **kwargs: Any) -> None:
        statements = ["audience/work_memory.sql", "audience/apply_contact_policy.sql", "audience/analyze.sql"]
        super().__init__(statements=statements, parameters={}, **kwargs)
        self.campaign = campaign
        self.day = day

    def execute(self, context: Context) -> None:
        from nurture.contact_policy.rules import timing, withholding
        from nurture.policy import load_policy

        policy = load_policy().contact
        self.parameters = {
            "campaign": self.campaign,
            "day": self.day,
            **withholding(policy, self.campaign),
            **timing(policy),
        }
        super().execute(context)  # type: ignore[no-untyped-call]
