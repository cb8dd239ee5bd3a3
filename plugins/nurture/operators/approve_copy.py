"""A person decides over flagged copy, piece by piece; no answer means static copy."""

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
    fields,
    read_answer,
    read_note,
)

SHOWN = "shown_copy_ids"
LEFT_OUT = "left_out_copy_ids"
ONE_LINE = 100  # characters; a longer text gets a larger field
HELP = (
    "Choose for each piece below **approve**, **reject** (static copy instead) or **edit** and change its texts, then "
    f"*{AS_DECIDED}*. What is left undecided becomes static copy. *{APPROVE_ALL}* sends every piece as it is. An edit is "
    "held against the same guardrails; in brackets after a sentence stand the facts that it rests on, which are not sent."
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
        asked, left_out = pieces[: policy.pieces_max], pieces[policy.pieces_max :]
        # Set here and not in a template: model text must not be rendered as Jinja.
        self.subject = f"{self.campaign} {self.day}: {len(pieces)} flagged pieces wait for a person"
        table = review_table(asked, pages_url=_pages_url())
        self.body = "\n\n".join([table, *([_too_many(left_out)] if left_out else []), HELP])
        self.params = ParamsDict({NOTE: self.params.get_param(NOTE)} | _form(fields([shown(piece) for piece in asked])))
        self.response_timeout = timedelta(hours=policy.timeout_hours)
        context["ti"].xcom_push(key=SHOWN, value=[piece.copy_id for piece in asked])
        context["ti"].xcom_push(key=LEFT_OUT, value=[piece.copy_id for piece in left_out])
        return super().execute(context)

    def validate_params_input(self, params_input: Mapping[str, Any]) -> None:
        """Whatever came is read in `execute_complete`: a bad answer costs a piece its approval, not the task its life."""

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        from nurture.copywriting.review import record_decisions

        answer = super().execute_complete(context, event)
        ti = context["ti"]
        shown, left_out = (ti.xcom_pull(task_ids=ti.task_id, key=key) or [] for key in (SHOWN, LEFT_OUT))
        user = answer["responded_by_user"] or {}
        reviewer = user.get("name")
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            decisions = self._decide(connection, shown, left_out, event, answer, reviewer)
            record_decisions(
                connection, decisions, campaign=self.campaign, day=self.day, reviewer=reviewer,
                note=read_note(answer["params_input"]), decided_at=answer["responded_at"] or datetime.now(UTC),
                run_id=context["run_id"],
            )  # fmt: skip
        counts: dict[str, int] = {}
        for decision in decisions:
            counts[decision.outcome] = counts.get(decision.outcome, 0) + 1
            if decision.reason:
                self.log.warning("%s: %s: %s.", decision.copy_id[:12], decision.outcome, decision.reason)
        self.log.info("%d pieces: %s.", len(decisions), counts)
        return {"flagged": len(decisions), **counts}

    def _decide(
        self,
        connection: Any,
        shown: list[str],
        left_out: list[str],
        event: Mapping[str, Any],
        answer: Any,
        editor: str | None,
    ) -> list[Decision]:
        from nurture.copywriting.edits import keep_edit, shown_again

        rest = [Decision(copy_id, "timed_out", "the form had no room for it") for copy_id in left_out]
        if event.get("timedout"):
            return [Decision(copy_id, "timed_out") for copy_id in shown] + rest
        pieces = {copy_id: shown_again(connection, copy_id, self.day) for copy_id in shown}
        if altered := [copy_id for copy_id, piece in pieces.items() if piece is None]:
            why = f"the bytes of {altered[0][:12]} were changed after they were shown"
            return [Decision(copy_id, "rejected", why) for copy_id in shown] + rest
        decisions = read_answer(
            [piece for piece in pieces.values() if piece], answer["chosen_options"], answer["params_input"]
        )
        return [
            keep_edit(connection, one, editor=editor, day=self.day) if one.outcome == "edited" else one for one in decisions
        ] + rest


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
        f"{len(left_out)} more pieces for {people} people do not fit into one form: they become static copy, unless this "
        "step is cleared after you have answered, and asks for them."
    )


def _pages_url() -> str:
    from airflow.providers.common.compat.sdk import conf

    return f"{conf.get('api', 'base_url', fallback='/').rstrip('/')}/nurture"
