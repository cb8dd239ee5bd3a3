"""A campaign, written once: every campaign file in `dags/` is a docstring and its arguments to `campaign()`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, Param, TriggerRule

from nurture.contact_policy.seed_list import AUDIENCES, EVERYONE, macros
from nurture.ledger.output_kinds import PROPERTIES, Output, further_outputs
from nurture.night import DAY, nightly
from nurture.operators.apply_consent import ApplyConsentOperator
from nurture.operators.apply_contact_policy import ApplyContactPolicyOperator
from nurture.operators.approve_copy import ApproveCopyOperator
from nurture.operators.generate_copy import GenerateCopyOperator, Mode
from nurture.operators.push_to_crm import LONGEST_FRESHNESS_DAYS, PushToCrmOperator
from nurture.operators.quality_gate import QualityGateOperator
from nurture.operators.report_run import ReportRunOperator
from nurture.operators.require_trusted_day import RequireTrustedDay
from nurture.operators.run_statements import RunStatements


@dataclass(frozen=True)
class Trigger:
    """What a person did that a campaign answers.

    Attributes:
        event: exact GA4 event name.
        debounce_hours: repeats within this time of a burst's first event are the same trigger.
    """

    event: str
    debounce_hours: int


@dataclass(frozen=True)
class Arms:
    """Shares of the audience: AI copy, static copy; what is left gets no message (the holdout)."""

    ai: float
    static: float


def campaign(
    *,
    dag_id: str,
    doc: str | None,
    template: str,
    fallback_template: str,
    triggers: Sequence[Trigger],
    lifecycle_stages: Sequence[str],
    arms: Arms,
    tags: Sequence[str] = (),
    mode: Mode = "calls",
    freshness_days: int = 7,
    outputs: Sequence[Output] = (PROPERTIES,),
) -> DAG:
    """Build the DAG of one campaign.

    Args:
        dag_id: the campaign's name; also the name of its file and of its statement in `include/sql/audience`.
        doc: the DAG file's docstring, shown in the UI.
        template: prompt as `id@version`.
        fallback_template: static copy as `id@version`.
        triggers: what people did that the campaign answers.
        lifecycle_stages: CRM stages of people whom the campaign addresses.
        arms: how the audience is split; a drawn arm sticks to the person.
        tags: shown in the UI.
        mode: `calls` writes copy at once; `batch` through the vendor's batch API: hours later, at half the price.
        freshness_days: a message whose trigger is older at the push is superseded; a run may be given another number.
        outputs: what a message leaves in the CRM: `properties` (always), a `note` on the timeline, a `task` for sales.

    Raises:
        ConfigError: `outputs` holds something else, or not `properties`.
    """
    further_outputs(outputs)
    night: dict[str, Any] = {"campaign": "{{ night_name(params) }}", "day": DAY}
    audience_parameters = {
        **night,
        "trigger_events": [trigger.event for trigger in triggers],
        "debounce_hours": [trigger.debounce_hours for trigger in triggers],
        "lifecycle_stages": list(lifecycle_stages),
        "run_id": "{{ run_id }}",
        "is_rehearsal": "{{ is_rehearsal(params) }}",
    }
    arm_parameters = {
        **night,
        "experiment": night["campaign"],
        "ai_share": "{{ ai_share(params) }}",
        "static_share": "{{ static_share(params) }}",
    }
    with DAG(
        dag_id=dag_id, doc_md=doc, tags=["campaign", *tags], params=run_params(freshness_days),
        user_defined_macros=macros(dag_id, ai_share=arms.ai, static_share=arms.static), **nightly(),
    ) as dag:  # fmt: skip
        require_trusted_day = RequireTrustedDay(
            task_id="require_trusted_day", day=DAY, mode="reschedule", poke_interval=30, timeout=6 * 3600,
            doc_md=card("begin only on data that passed its gates", "ops.trusted_day", "fails when a gate stopped the day",
                        measure="minutes waited"),
        )  # fmt: skip
        select_audience = RunStatements(
            task_id="select_audience",
            statements=[
                "audience/delete.sql",
                f"audience/{dag_id}.sql",
                "audience/empty_for_test_send.sql",
                "audience/seed_list.sql",
                "audience/mark_rehearsal.sql",
                "audience/analyze.sql",
            ],
            parameters=audience_parameters,
            doc_md=card(
                "find the people who did something that asks for an answer",
                "staging.events, marts.person_features → marts.audience",
                "nobody qualifies: the night ends without a message",
                measure="people who qualify",
            ),
        )
        apply_consent = ApplyConsentOperator(
            task_id="apply_consent",
            **night,
            doc_md=card(
                "keep only people who may be written to, with the basis",
                "staging.contacts, ops.consent_event, ops.push_ledger → marts.audience.suppressed_reason",
                "unknown consent where the region needs an opt-in: suppressed",
                measure="people suppressed, by reason",
            ),
        )
        apply_contact_policy = ApplyContactPolicyOperator(
            task_id="apply_contact_policy",
            **night,
            doc_md=card(
                "leave out who is on a suppression list, had enough messages or belongs to a campaign that goes first; say "
                "when the others may be written to",
                "ops.suppression, ops.push_ledger, marts.audience → marts.audience.suppressed_reason, send_after",
                "unknown time zone: the country's, else policy's default",
                measure="people suppressed, by reason",
            ),
        )
        assign_arms = RunStatements(
            task_id="assign_arms",
            statements=["audience/draw_arms.sql", "audience/set_arms.sql", "audience/analyze.sql"],
            parameters=arm_parameters,
            doc_md=card(
                f"draw AI copy ({arms.ai:.0%}), static copy ({arms.static:.0%}) or no message",
                "ops.assignment → marts.audience.arm",
                "a drawn arm stays with the person",
                measure="people by arm",
            ),
        )
        gate_audience = QualityGateOperator(
            task_id="gate_audience", tables=["marts.audience"], keep=["report_run"], **night,
            doc_md=card("stop when the audience is wrong", "marts.audience → ops.gate_result", "skips all that follows",
                        measure="figure and limit of each check"),
        )  # fmt: skip
        generate_copy = GenerateCopyOperator(
            task_id="generate_copy", template=template, fallback_template=fallback_template, mode=mode, **night,
            execution_timeout=timedelta(hours=2) if mode == "calls" else None,
            doc_md=card(
                "write the distinct pieces from approved facts, within budget",
                "marts.audience, include/facts → ops.copy, ops.message, ops.llm_call",
                f"whatever fails or is refused becomes {fallback_template}",
                measure="clear, flagged, rejected, unanswered; calls, tokens, cost",
                template=template,
            ),
        )  # fmt: skip
        gate_copy = QualityGateOperator(
            task_id="gate_copy", tables=["ops.message"], keep=["report_run"], **night,
            doc_md=card("stop when copy is missing or malformed", "ops.message, ops.copy → ops.gate_result",
                        "skips all that follows", measure="figure and limit of each check"),
        )  # fmt: skip
        push_ready = PushToCrmOperator(
            task_id="push_ready", lane="ready", freshness_days=freshness_days, outputs=outputs,
            outlets=[Asset(f"crm.{dag_id}")], **night,
            doc_md=card("write clear and static copy to the CRM, once, consent read again",
                        "ops.message → ops.push_ledger, CRM contact properties", "rejected rows go to ops.dead_letter",
                        template=f"{template} or {fallback_template}", measure="messages by state of the ledger"),
        )  # fmt: skip
        approve_flagged = ApproveCopyOperator(
            task_id="approve_flagged", **night,
            doc_md=card("let a person decide over flagged copy (Browse → Required Actions)", "ops.copy → ops.approval",
                        "no answer in time: static copy", measure="pieces approved, rejected, edited, unanswered"),
        )  # fmt: skip
        push_approved = PushToCrmOperator(
            task_id="push_approved", lane="approval", freshness_days=freshness_days, outputs=outputs, **night,
            doc_md=card("write what was approved, static copy for the rest",
                        "ops.message, ops.approval → ops.push_ledger, CRM", "rejected rows go to ops.dead_letter",
                        template=f"{template} or {fallback_template}", measure="messages by state of the ledger"),
        )  # fmt: skip
        report_run = ReportRunOperator(
            task_id="report_run", trigger_rule=TriggerRule.ALL_DONE, retries=0, **night,
            doc_md=card("say what happened; red when a gate stopped the night or a step failed", "ops.* → ops.run_report",
                        "the tab “Nurture night” of the run shows the same", measure="messages not delivered"),
        )  # fmt: skip
        (
            require_trusted_day >> select_audience >> apply_consent >> apply_contact_policy >> assign_arms >> gate_audience
            >> generate_copy >> gate_copy >> [push_ready, approve_flagged]
        )  # fmt: skip
        approve_flagged >> push_approved
        [push_ready, push_approved] >> report_run
    return dag


def run_params(freshness_days: int) -> dict[str, Param]:
    """What whoever starts a run, or a backfill, of a campaign by hand may ask for."""
    return {
        "freshness_days": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=LONGEST_FRESHNESS_DAYS,
            description=f"Push messages whose trigger is up to this many days old; empty: the campaign's {freshness_days}.",
        ),
        "audience": Param(
            EVERYONE,
            type="string",
            enum=list(AUDIENCES),
            description="seed_list: a test send to the contacts with nurture_seed = true in the CRM, and to nobody else; "
            "it uses up no slot, and everybody on the list gets model copy.",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            description="Do everything but the push: nothing is claimed, nothing is written to the CRM. The run's page "
            "shows what would have been written.",
        ),
    }


def card(goal: str, data: str, fallback: str, *, measure: str, template: str | None = None) -> str:
    """The card of one step as shown in the UI: goal, template, data, measurement, fallback."""
    parts = {"Goal": goal, "Template": template, "Data": data, "Measurement": measure, "Fallback": fallback}
    return "\n\n".join(f"**{name}** {text}" for name, text in parts.items() if text)
