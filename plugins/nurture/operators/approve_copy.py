"""A person decides over flagged copy, piece by piece; no answer means static copy."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context, Param
from airflow.sdk.definitions.param import ParamsDict

from nurture.copywriting.decisions import (
    APPROVE_ALL,
    AS_DECIDED,
    NOTE,
    STATIC,
    Decision,
    Field,
    Shown,
    fields,
    read_answer,
    read_note,
    stands_in,
)

REVIEW = "review"
"""XCom: which pieces the form showed, which it did not and why, and its other fields."""

ONE_LINE = 100  # characters; a longer text gets a larger field
HELP = (
    "Choose for each piece below **approve**, **reject** (static copy instead) or **edit** and change its texts, then "
    f"*{AS_DECIDED}*. What is left undecided becomes static copy. *{APPROVE_ALL}* sends every piece as it is. An edit is "
    "held against the same guardrails; in brackets after a sentence stand the facts that it rests on, which are not sent."
)
NO_ROOM = "the form had no room for it"
OLD_FORM = "the form shown was of an earlier attempt, without this piece"
WHAT_TO_DO = (
    "Airflow shows the form of a run's first attempt for ever. Where the copy has changed since, do not clear this run: "
    "start a new run of the DAG for this day, which has a form of its own and asks for whoever was not written to yet."
)


class ApproveCopyOperator(HITLOperator):
    """Shows the night's flagged pieces (distinct copy, not contacts) as a table and keeps each decision in `ops.approval`.

    The form has fields for each piece. An answer is bound to the content hashes that were shown; what is not clearly a yes
    is a no. With nothing flagged the task answers itself, so no branch leads around it. It never skips what follows.

    Args:
        campaign: the campaign whose copy it is.
        day: the night's last complete GA4 day, ISO, templated.
    """

    template_fields: Sequence[str] = ("campaign", "day")

    def __init__(self, *, campaign: str, day: str, warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        kwargs.pop("params", None)  # the DAG's own, which Airflow adds: they are no fields of this form
        super().__init__(
            subject="Flagged copy waits for a person",
            options=[APPROVE_ALL, AS_DECIDED, STATIC],
            defaults=[STATIC],
            params={NOTE: Param(None, type=["null", "string"], description="Why; kept with the decisions")},
            **kwargs,
        )
        self.campaign = campaign
        self.day = day
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> Any:
        from nurture.copywriting.edits import shown
        from nurture.copywriting.review import flagged_pieces, review_table
        from nurture.policy import load_policy

        policy = load_policy().approval
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            pieces = flagged_pieces(connection, campaign=self.campaign, day=self.day)
        if not pieces:
            self.log.info("Nothing was flagged: nobody needs to decide.")
            return {"flagged": 0}
        if (context.get("params") or {}).get("dry_run"):
            self.log.info("A dry run asks nobody: %d flagged pieces would wait for a person.", len(pieces))
            return {"flagged": len(pieces), "dry_run": True}
        asked, left_out = pieces[: policy.pieces_max], pieces[policy.pieces_max :]
        # Set here and not in a template: model text must not be rendered as Jinja.
        waiting = "1 flagged piece waits" if len(pieces) == 1 else f"{len(pieces)} flagged pieces wait"
        self.subject = f"{self.campaign} {self.day}: {waiting} for a person"
        table = review_table(asked, pages_url=_pages_url())
        self.body = "\n\n".join([table, *([_too_many(left_out)] if left_out else []), HELP])
        candidates = [shown(piece) for piece in asked]
        self.params = ParamsDict({NOTE: self.params.get_param(NOTE)} | _form(fields(candidates)))
        self.response_timeout = timedelta(hours=policy.timeout_hours)
        review = _bound(candidates, self._form_on_screen(context), [piece.copy_id for piece in left_out])
        if not review["shown"]:
            return self._give_up(context, review)
        context["ti"].xcom_push(key=REVIEW, value=review)
        return super().execute(context)

    def _form_on_screen(self, context: Context) -> dict[str, Any]:
        """What stands in each field of the form that Airflow shows.

        Airflow makes a form once: after a retry or a clear it goes on showing the first attempt's, and says so only
        in its answer here. That `HITLOperator` then asks once more changes nothing.
        """
        from airflow.sdk.execution_time import task_runner
        from airflow.sdk.execution_time.comms import CreateHITLDetailPayload, HITLDetailRequestResult

        detail = task_runner.SUPERVISOR_COMMS.send(
            msg=CreateHITLDetailPayload(
                ti_id=context["ti"].id, options=self.options, subject=self.subject, body=self.body,
                defaults=self.defaults, multiple=self.multiple, params=self.serialized_params, assigned_users=[],
            )
        )  # fmt: skip
        params = detail.params if isinstance(detail, HITLDetailRequestResult) else None
        return {key: param.get("value") for key, param in (params or {}).items()}

    def _give_up(self, context: Context, review: Mapping[str, Any]) -> dict[str, int]:
        """Static copy at once: an answer to the old form could only be about other pieces."""
        from nurture.copywriting.review import record_decisions

        decisions = _unshown(review)
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            record_decisions(
                connection, decisions, campaign=self.campaign, day=self.day, reviewer=None, note=None,
                decided_at=datetime.now(UTC), run_id=context["run_id"],
            )  # fmt: skip
        self.log.error(
            "None of the %d pieces that wait stands in the form on the screen, which decides nothing: static copy. %s",
            len(decisions), WHAT_TO_DO,
        )  # fmt: skip
        return _counts(decisions)

    def validate_params_input(self, params_input: Mapping[str, Any]) -> None:
        """Whatever came is read in `execute_complete`: a bad answer costs a piece its approval, not the task its life."""

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        from psycopg import OperationalError
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

        answer = super().execute_complete(context, event)
        ti = context["ti"]
        review = ti.xcom_pull(task_ids=ti.task_id, key=REVIEW)
        # Airflow drops the answer when this try fails, so a warehouse that is away for half a minute must not fail it.
        for attempt in Retrying(
            retry=retry_if_exception_type(OperationalError), wait=wait_exponential_jitter(initial=0.5, jitter=0.5),
            stop=stop_after_attempt(7), reraise=True,
        ):  # fmt: skip
            with attempt:
                decisions = self._keep(review, event, answer, run_id=context["run_id"])
        for decision in decisions:
            if decision.reason:
                self.log.warning("%s: %s: %s.", decision.copy_id[:12], decision.outcome, decision.reason)
        if any(decision.reason == OLD_FORM for decision in decisions):
            self.log.warning("Pieces that were not in the form on the screen become static copy. %s", WHAT_TO_DO)
        self.log.info("%d pieces: %s.", len(decisions), _counts(decisions))
        return _counts(decisions)

    def _keep(self, review: Mapping[str, Any], event: Mapping[str, Any], answer: Any, *, run_id: str) -> list[Decision]:
        """Read the answer and keep what was decided, in one transaction."""
        from nurture.copywriting.review import record_decisions

        reviewer = (answer["responded_by_user"] or {}).get("name")
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            decisions = self._decide(connection, review, event, answer, reviewer) + _unshown(review)
            record_decisions(
                connection, decisions, campaign=self.campaign, day=self.day, reviewer=reviewer,
                note=read_note(answer["params_input"]), decided_at=answer["responded_at"] or datetime.now(UTC),
                run_id=run_id,
            )  # fmt: skip
        return decisions

    def _decide(
        self, connection: Any, review: Mapping[str, Any], event: Mapping[str, Any], answer: Any, editor: str | None
    ) -> list[Decision]:
        """What becomes of the pieces that were shown."""
        from nurture.copywriting.edits import keep_edit, shown_again

        shown = review["shown"]
        if event.get("timedout"):
            return [Decision(copy_id, "timed_out") for copy_id in shown]
        pieces = {copy_id: shown_again(connection, copy_id, self.day) for copy_id in shown}
        if altered := [copy_id for copy_id, piece in pieces.items() if piece is None]:
            why = f"the bytes of {altered[0][:12]} were changed after they were shown"
            return [Decision(copy_id, "rejected", why) for copy_id in shown]
        decisions = read_answer(
            [piece for piece in pieces.values() if piece], answer["chosen_options"], answer["params_input"],
            other_fields=review["other_fields"],
        )  # fmt: skip
        return [
            keep_edit(connection, one, editor=editor, day=self.day) if one.outcome == "edited" else one for one in decisions
        ]


def _bound(asked: Sequence[Shown], form: Mapping[str, Any], left_out: Sequence[str]) -> dict[str, Any]:
    """Which pieces the form on the screen holds: only about those can it be answered."""
    shown = [piece for piece in asked if stands_in(piece, form)]
    absent = {piece.copy_id: OLD_FORM for piece in asked if piece not in shown}
    ours = {field.key for field in fields(shown)}
    return {
        "shown": [piece.copy_id for piece in shown],
        "unshown": absent | dict.fromkeys(left_out, NO_ROOM),
        "other_fields": [key for key in form if key not in ours],
    }


def _unshown(review: Mapping[str, Any]) -> list[Decision]:
    return [Decision(copy_id, "timed_out", why) for copy_id, why in review["unshown"].items()]


def _counts(decisions: Sequence[Decision]) -> dict[str, int]:
    return {"flagged": len(decisions), **Counter(decision.outcome for decision in decisions)}


def _form(form: Sequence[Field]) -> dict[str, Param]:
    """Airflow's form. A text may be left empty: without null in its type an empty one locks the buttons."""
    return {
        field.key: Param(field.default, type="string", enum=list(field.choices), title=field.title)
        if field.choices
        else Param(field.default, type=["null", "string"], title=field.title, **_shape(field.default))
        for field in form
    }


def _shape(text: str) -> dict[str, Any]:
    return {"format": "multiline"} if len(text) > ONE_LINE or "\n" in text else {}


def _too_many(left_out: Sequence[Any]) -> str:
    people = sum(piece.people for piece in left_out)
    return (
        f"{len(left_out)} more pieces for {people} people do not fit into one form: they become static copy. "
        "`approval.pieces_max` in `include/policy.yaml` says how many do."
    )


def _pages_url() -> str:
    from airflow.providers.common.compat.sdk import conf

    return f"{conf.get('api', 'base_url', fallback='/').rstrip('/')}/nurture"
