"""# Privacy request

A person asked to be erased, or for a copy of what is kept of them: trigger it with a form.

**Whom** By the CRM's record id (HubSpot shows it as *Record ID*, and at the end of the contact's address in the browser)
or by `marts.person.person_id`. Never by name or e-mail address: Airflow keeps what is typed into a form. Who has only the
address looks the contact up in HubSpot.

**erase** sets tombstones first, so that no load brings the person back and no push reaches them; deletes the contact in
HubSpot for good; deletes or pseudonymises every row of the warehouse, as `include/personal_data.yaml` says; searches all
tables for what is left. Counts stay right. `confirm` is the same id once more. It cannot be undone.
**export** puts everything into one JSON document: within 7 days, download it under `/nurture/privacy-export?request_id=…`;
the last step names the number.

**Reads** all tables. **Writes** `ops.privacy_request` (who asked, when, rows by table: kept), `ops.tombstone`,
`ops.privacy_export`. **Owner** marketing-data.

**When it fails** Run it again with the same id, or clear the step that failed: it goes on where it was, and a second
erasure finds nothing. Not erased from here: GA4 itself (use its user deletion), Airflow's logs (ids only), backups.
`docs/privacy.md` has more.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param, TriggerRule

from nurture.campaign import card
from nurture.operators.privacy_request import (
    EraseInCrmOperator,
    EraseInWarehouseOperator,
    ExportPersonOperator,
    FindPersonOperator,
    ReportRequestOperator,
    VerifyErasureOperator,
)
from nurture.schedules import by_hand

FOUND = {
    "request_id": "{{ ti.xcom_pull(task_ids='find_person')['request_id'] }}",
    "action": "{{ ti.xcom_pull(task_ids='find_person')['action'] }}",
}

with DAG(
    dag_id="privacy_request",
    doc_md=__doc__,
    tags=["privacy"],
    max_active_runs=1,
    params={
        "action": Param("export", type="string", enum=["export", "erase"], description="erase cannot be undone"),
        "crm_id": Param(None, type=["null", "string"], pattern=r"^\d{1,20}$",
                        description="the contact's record id in HubSpot, digits only; or else person_id. Never an address"),
        "person_id": Param(None, type=["null", "string"], pattern=r"^\w{1,64}$",
                           description="as in marts.person; or else crm_id"),
        "confirm": Param(None, type=["null", "string"], pattern=r"^\w{1,64}$",
                         description="to erase: the same id once more"),
        "ticket": Param(None, type=["null", "string"], maxLength=80,
                        description="number of the request in your own system; kept, so no names"),
    },
    **by_hand(retries=4, retry_exponential_backoff=True, max_retry_delay=timedelta(minutes=10)),
):  # fmt: skip
    find_person = FindPersonOperator(
        task_id="find_person",
        doc_md=card("gather every identifier of the person; for an erasure, set the tombstones",
                    "Params → ops.privacy_request, ops.privacy_subject, ops.tombstone",
                    "a wrong id or no confirmation: nothing is done",
                    measure="identifiers by kind"),
    )  # fmt: skip
    erase_in_crm = EraseInCrmOperator(
        task_id="erase_in_crm", wanted="erase", **FOUND,
        doc_md=card("delete the contacts in HubSpot for good, and read them back", "POST …/contacts/gdpr-delete",
                    "no answer: asked again; still there: the step fails", measure="contacts"),
    )  # fmt: skip
    erase_in_warehouse = EraseInWarehouseOperator(
        task_id="erase_in_warehouse", wanted="erase", **FOUND,
        doc_md=card("delete or pseudonymise the person's rows, all or none", "include/personal_data.yaml → every table",
                    "a step that runs holds a table: tried again", measure="rows by table"),
    )  # fmt: skip
    verify_erasure = VerifyErasureOperator(
        task_id="verify_erasure", wanted="erase", **FOUND,
        doc_md=card("search every table for what is left, then forget the identifiers", "all text of all tables",
                    "something is left: red, with the tables", measure="rows left, by table"),
    )  # fmt: skip
    export_person = ExportPersonOperator(
        task_id="export_person", wanted="export", **FOUND,
        doc_md=card("put everything that is kept into one document", "every table, HubSpot → ops.privacy_export",
                    "none", measure="rows by table"),
    )  # fmt: skip
    report_request = ReportRequestOperator(
        task_id="report_request", trigger_rule=TriggerRule.NONE_FAILED, **FOUND,
        doc_md=card("say what was done", "ops.privacy_request", "none", measure="rows by table, who asked, when"),
    )  # fmt: skip
    find_person >> erase_in_crm >> erase_in_warehouse >> verify_erasure >> report_request
    find_person >> export_person >> report_request
