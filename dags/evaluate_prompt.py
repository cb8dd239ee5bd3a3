"""# Evaluate prompt

Tries a prompt, released or not, before people get what it makes: trigger it with a form. It writes copy for the golden
contexts of the template, with the same engine, guardrails and budget as a night, and compares it with the released version.

**Reads** `include/prompts/<template>` (the version and `golden.yaml`), `include/facts`. **Writes** `ops.copy`,
`ops.llm_call` (campaign `evaluation`), `ops.evaluation`.
**Owner** marketing-data. **Measured** shares of clear, flagged, rejected and unanswered pieces; confidence, length, cost.

**When it is red** The prompt does not reach the limits of `evaluation` in `include/policy.yaml`, or a file is wrong: the log
has the report, with the words that the guardrails found. **When it is green** release it:
`PYTHONPATH=plugins .venv/bin/python -m nurture.copywriting.release lead_nurture@v4` (docs/marketers.md).
Running it again costs nothing: copy for the same text, facts and model is in the store.
"""

from airflow.sdk import DAG, Param

from nurture.campaign import card
from nurture.operators.evaluate_prompt import EvaluatePromptOperator
from nurture.schedules import by_hand

with DAG(
    dag_id="evaluate_prompt",
    doc_md=__doc__,
    tags=["operations"],
    params={
        "template": Param(
            "lead_nurture@v3",
            type="string",
            pattern=r"^[a-z][a-z0-9_]*@v[1-9][0-9]*$",
            description="released or not, e.g. lead_nurture@v4",
        ),
        "model": Param(None, type=["null", "string"], description="a model's name; empty: the one of the connection `llm`"),
        "baseline": Param(
            None, type=["null", "string"], description="version to compare with; empty: the newest other released one"
        ),
    },
    **by_hand(retries=1),
):
    EvaluatePromptOperator(
        task_id="evaluate_prompt",
        doc_md=card(
            "say whether a prompt may be released, with figures",
            "golden contexts, include/facts → ops.copy, ops.llm_call, ops.evaluation",
            "limits not reached: red, and the release command refuses",
            measure="share clear, flagged, rejected; cost and length of a piece",
        ),
    )
