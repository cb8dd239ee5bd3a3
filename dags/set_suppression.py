"""# Set suppression

Puts people on a suppression list, or takes them off: whoever is on one gets no message of any campaign. Trigger it with a
form; nights that are running follow within seconds, for every claim of a push asks.

**list** any name, e.g. `competitors`. The loads keep `hard_bounce` and `spam_complaint`, and never take anybody off.
**kind** `crm_id`, `person_id` (of `marts.person`), `domain` (`example.com`: what stands after the @) or `email_sha256`.
An entry counts for everyone merged into the person, and for every contact of the same address.

**Never type an e-mail address**: Airflow keeps what a run was given. Give the address's SHA-256, which the warehouse
makes so that every spelling of one address is the same:
`SELECT encode(sha256(convert_to(staging.address_key('ADDRESS'), 'UTF8')), 'hex')`.
An address is refused, and not repeated in the log.

**Reads** nothing. **Writes** `ops.suppression`; an entry that was removed stays, with who, when and why.
**Owner** marketing-data.

**When it fails** No list was changed; the log says which value is wrong and what was expected.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from nurture.campaign import card
from nurture.operators.set_suppression import SetSuppressionOperator
from nurture.schedules import by_hand

with DAG(
    dag_id="set_suppression",
    doc_md=__doc__,
    tags=["operations"],
    params={
        "list": Param("do_not_contact", type="string", pattern="^[a-z][a-z0-9_]{0,59}$", description="any name"),
        "action": Param("add", type="string", enum=["add", "remove"]),
        "kind": Param("crm_id", type="string", enum=["crm_id", "person_id", "email_sha256", "domain"]),
        "values": Param(
            [], type="array", items={"type": "string"}, description="one a line; never an e-mail address, only its SHA-256"
        ),
        "note": Param(None, type=["null", "string"], description="why; people see it as the reason"),
    },
    **by_hand(retry_delay=timedelta(seconds=5)),
):
    SetSuppressionOperator(
        task_id="set_suppression",
        doc_md=card(
            "add people to a suppression list or remove them, at once",
            "Params → ops.suppression",
            "a wrong value: no list is changed, the log says which",
            measure="entries changed and unchanged",
        ),
    )
