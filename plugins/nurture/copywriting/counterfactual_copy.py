"""What people who got tonight's message from an earlier run of the night would get today: looked up, never asked for."""

import psycopg
from psycopg.types.json import Jsonb

from nurture.copywriting.copy_plan import CopyPlan, plan_for
from nurture.copywriting.messages import DistinctContext
from nurture.copywriting.static_copy import static_copy
from nurture.copywriting.store import Run
from nurture.warehouse.statements import statement

COLUMNS = "campaign, day, context, arm, template, words, copy_id, fallback_copy_id, lane"


def note_counterfactual_copy(
    connection: psycopg.Connection, run: Run, day: str, plan: CopyPlan, *, may_personalize: bool
) -> int:
    """Replace the night's rows of `ops.counterfactual_copy`; returns how many. Commits.

    Args:
        plan: the night's own, whose templates, facts and models are taken here too.
        may_personalize: whether the night's people of the AI arm get model copy at all.
    """
    night = {"campaign": run.campaign, "day": day}
    rows = connection.execute(statement("copy/contexts_sent_before.sql"), night).fetchall()
    connection.commit()
    groups = [DistinctContext(*row) for row in rows]
    chosen = (
        _chosen(connection, run, plan_for(connection, plan.book, plan.models, groups), may_personalize) if groups else []
    )
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM ops.counterfactual_copy WHERE campaign = %(campaign)s AND day = %(day)s::date", night)
        with cursor.copy(f"COPY ops.counterfactual_copy ({COLUMNS}) FROM STDIN") as copy:
            for row in chosen:
                copy.write_row((run.campaign, day, *row))
    return len(chosen)


def _chosen(connection: psycopg.Connection, run: Run, plan: CopyPlan, may_personalize: bool) -> list[tuple[object, ...]]:
    """What `campaign_copy` would choose, except that a piece which nobody ever wrote is none."""
    static = static_copy(connection, run, plan.book, plan.contexts)
    rows: list[tuple[object, ...]] = []
    copy_id: str | None
    for group in plan.groups:
        fallback = static[group.context].copy_id
        request, copy_id, lane = plan.book.static_request(plan.contexts[group.context]), fallback, "ready"
        if group.arm == "ai" and may_personalize:
            request = plan.wanted[group.context][0]
            stored = plan.stored.get(request.request_hash)
            if stored is None:
                copy_id = None
            elif stored.verdict != "rejected":
                copy_id, lane = stored.copy_id, "approval" if stored.verdict == "flagged" else "ready"
        words = Jsonb(request.context)
        rows.append((group.context, group.arm, request.template.reference, words, copy_id, fallback, lane))
    return rows
