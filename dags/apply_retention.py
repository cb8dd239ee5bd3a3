"""# Apply retention

Every day: rows that are older than `include/personal_data.yaml` allows are deleted, or lose what is personal in them.
`docs/privacy.md` has the days by table. What gates, sticky arms and the ledger need is kept longer than they look back.

Trigger it with `dry_run` to see how many rows would go. After raising a number nothing comes back; after lowering one, the
next run lets go of the rest.

**Reads and writes** the tables with a `retention` entry. **Owner** marketing-data.

**When it fails** Run it again: each batch is committed, so it goes on where it was.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from nurture.campaign import card
from nurture.operators.apply_retention import ApplyRetentionOperator
from nurture.schedules import by_clock

with DAG(
    dag_id="apply_retention",
    doc_md=__doc__,
    tags=["privacy"],
    params={"dry_run": Param(False, type="boolean", description="only count what would go")},
    **by_clock("30 5 * * *", retry_delay=timedelta(minutes=5)),
):
    ApplyRetentionOperator(
        task_id="apply_retention",
        doc_md=card(
            "let go of what is too old",
            "include/personal_data.yaml → the tables that it names",
            "a batch that fails stays; the next run goes on",
            measure="rows by table",
        ),
    )
