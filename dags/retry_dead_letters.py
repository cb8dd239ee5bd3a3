"""# Retry dead letters

Tries rows again that could not be used: messages that the CRM refused, contacts that could not be stored, copy that the
guardrails refused. The page **Nurture → Dead letters** lists them with the reason, what to do, and the Params to paste here.

A **message** (`crm.push`) is pushed now, for its own day and lane, however long its night is over: once, with consent,
contact policy and freshness decided anew. A **contact** (`hubspot.contacts`) is read again by its id. A refused piece of
**copy** (`llm.copy`) is put aside, so that the next night that needs it asks the model again. **Events** (`ga4.events`,
`ga4.file`) are not retried here and left out of `all`: the page names the command that loads their day
again, through the gates.

**give up** closes letters that will never be mended: name them in `ids`, say why in `note`.

**Reads** `ops.dead_letter`, the CRM. **Writes** `ops.push_ledger`, CRM contacts, `raw_hubspot.contacts`; the answer for each
letter stays in `ops.dead_letter_retry` with who and why, and in the task's log by the letter's id. **Owner** marketing-data.

**When it fails** A letter that is refused again does not turn the run red: its answer says why. Red is an error of the DAG
itself; clear the task, it goes on where it ended.
"""

from airflow.sdk import DAG, Param

from nurture.campaign import card
from nurture.dead_letters.sources import SOURCES
from nurture.operators.retry_dead_letters import RetryDeadLettersOperator
from nurture.schedules import by_hand

with DAG(
    dag_id="retry_dead_letters",
    doc_md=__doc__,
    tags=["operations"],
    max_active_runs=1,
    params={
        "action": Param("retry", type="string", enum=["retry", "give up"], description="give up needs ids and a note"),
        "source": Param("all", type="string", enum=["all", *SOURCES], description="all: every source that can be retried"),
        "ids": Param(
            None, type=["null", "array"], items={"type": "integer"}, description="only these letters, e.g. [12, 13]"
        ),
        "older_than_days": Param(
            None, type=["null", "integer"], minimum=0, maximum=36500, description="not met since so many days"
        ),
        "reason_contains": Param(
            None,
            type=["null", "string"],
            description="plain text of the reason, e.g. CONFLICT; capitals do not matter",
        ),
        "limit": Param(
            100, type="integer", minimum=1, maximum=10000, description="at most so many; those never tried go first"
        ),
        "note": Param(None, type=["null", "string"], description="why; kept with each letter"),
    },
    **by_hand(),
):
    RetryDeadLettersOperator(
        task_id="retry_dead_letters",
        doc_md=card(
            "try dead letters again that a person chose, or give them up",
            "ops.dead_letter, CRM → ops.push_ledger, raw_hubspot.contacts, ops.dead_letter_retry",
            "refused again: the letter stays open with the new reason",
            measure="letters by outcome: mended, settled, waiting, refused, not retried, given up",
        ),
    )
