"""# Consent sync

Every hour: what HubSpot says of consent on contacts that changed since the last sync or load, so that who withdrew today is
out of tonight's audiences, and the warehouse holds when and where it was said. A push does not wait for it: it asks the CRM
again right before each batch.

**Reads** HubSpot contacts (connection `crm`): opt-outs, `consent_*`, region. **Writes** `ops.consent_event`, and consent and
region in `raw_hubspot.contacts`, `staging.contacts`, `marts.person` (connection `warehouse`).
**Owner** marketing-data. **Measured** contacts that changed, those whose consent did, statements kept.

**When it fails** Nothing was written and nothing is lost: the next run begins at the same watermark (`ops.watermark`,
`hubspot.consent`). Before the first load of contacts it has nothing to do. How consent is decided: `docs/consent.md`.
"""

from airflow.sdk import DAG

from nurture.campaign import card
from nurture.operators.sync_consent import SyncConsentOperator
from nurture.schedules import by_clock

with DAG(dag_id="consent_sync", doc_md=__doc__, tags=["data"], **by_clock("30 * * * *")):
    SyncConsentOperator(
        task_id="sync_consent",
        doc_md=card(
            "know of withdrawals within the hour",
            "HubSpot → ops.consent_event, consent of staging.contacts and marts.person",
            "the CRM does not answer: the next hour reads the same changes again",
            measure="contacts changed, of these in consent, statements kept",
        ),
    )
