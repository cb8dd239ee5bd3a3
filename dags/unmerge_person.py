"""# Un-merge person

Two contacts were merged in the CRM by mistake: trigger this with a form, and the person whom the merge swallowed lives on
their own. HubSpot cannot undo a merge: make a new contact there for the person, let a night load it, and name it here as
`new_crm_id`. Without one the person has no contact and is not written to until you run this again with it.

What happened stays with whom it happened to: messages sent before count for both, and nobody gets one twice. Both keep the
arms of their experiments. A denial given while they were one counts for both. Later nights do not merge them again, though
the CRM goes on listing the old contact.

**Reads and writes** `marts.person`, `marts.person_identity`; each separation stays in `ops.identity_event` with who, when
and why.
**Owner** marketing-data.

**When it fails** Nobody was separated; the log says what to name instead.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from nurture.campaign import card
from nurture.operators.unmerge_person import UnmergePersonOperator
from nurture.schedules import by_hand

with DAG(
    dag_id="unmerge_person",
    doc_md=__doc__,
    tags=["operations"],
    max_active_runs=1,
    params={
        "person_id": Param(None, type=["null", "string"], description="who was merged by mistake, p_…; or"),
        "crm_id": Param(None, type=["null", "string"], description="the contact that the CRM swallowed by mistake"),
        "new_crm_id": Param(
            None, type=["null", "string"], description="the contact that the CRM has for them now; none yet: leave it empty"
        ),
        "note": Param(None, type=["null", "string"], description="why; needed, and kept with the separation"),
    },
    **by_hand(retry_delay=timedelta(seconds=5)),
):
    UnmergePersonOperator(
        task_id="unmerge_person",
        doc_md=card(
            "tell two people apart whom the CRM merged by mistake",
            "Params → marts.person, marts.person_identity, ops.identity_event",
            "a wrong choice: nobody is separated, the log says what to name instead",
            measure="separations, with who, when and why",
        ),
    )
