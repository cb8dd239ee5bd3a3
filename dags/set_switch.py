"""# Set switch

Turns model copy off or on, or goes back to another version of a prompt or another model: trigger it with a form, and
nights that are running follow within seconds, without a deploy.

**ai_personalization** off: every new piece is static copy, and what was written or approved but not pushed yet goes out as
static copy too. Off for `*` is off for every campaign, whatever its own switch says.
**template** `lead_nurture@v1` pins one campaign to that released version; `own` lets go. **model** likewise, also for `*`.
What was written with another version or model and is not pushed yet goes out as static copy. A night that is being written
asks for nothing more within seconds: its rest is static copy too, unless the task generate_copy is cleared, which writes it
again with what is pinned. A batch that is out is not called back: it is paid for, and what it brings for another version or
model is thrown away.

**Reads** `include/prompts`. **Writes** `ops.switch`; each change stays in `ops.switch_event` with who, when and why.
**Owner** marketing-data.

**When it fails** Nothing was switched; the log names the valid choices.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from nurture.campaign import card
from nurture.operators.set_switch import SetSwitchOperator
from nurture.schedules import by_hand

CAMPAIGNS = ["lead_nurture"]

with DAG(
    dag_id="set_switch",
    doc_md=__doc__,
    tags=["operations"],
    params={
        "campaign": Param("*", type="string", enum=["*", *CAMPAIGNS], description="* is every campaign"),
        "ai_personalization": Param("unchanged", type="string", enum=["unchanged", "on", "off"]),
        "template": Param(
            "unchanged", type="string", description="a released prompt such as lead_nurture@v1, own, or unchanged"
        ),
        "model": Param("unchanged", type="string", description="a model's name, own, or unchanged"),
        "note": Param(None, type=["null", "string"], description="why; kept with the change"),
    },
    **by_hand(retry_delay=timedelta(seconds=5)),
):
    SetSwitchOperator(
        task_id="set_switch",
        campaigns=CAMPAIGNS,
        doc_md=card(
            "turn model copy off or on, or pin a template or a model, at once",
            "Params → ops.switch, ops.switch_event",
            "a wrong choice: nothing is switched, the log names the valid ones",
            measure="switches changed, with who and when",
        ),
    )
