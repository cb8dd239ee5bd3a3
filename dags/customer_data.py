"""# Customer data

Every night: GA4 export days D-4…D-1 and changed CRM contacts into the warehouse, through the quality gates,
into people and what is known of them. Campaigns begin only on a day that this DAG has marked as trusted.

**Reads** the GA4 export (Airflow connection `ga4`) and HubSpot contacts (connection `crm`).
**Writes** `raw_ga4`, `raw_hubspot`, `staging`, `marts.person*`, `ops.trusted_day` (connection `warehouse`).
**Owner** marketing-data.

**When it stops** The tab *Nurture night* of the run names the gate, the figure and the limit. Mend the data at its
source, then run the night again: `airflow backfill create --dag-id customer_data --from-date D
--to-date DT23:59 --reprocess-behavior failed`. Nothing was generated or pushed for that day, and nothing will be
until it is trusted.
"""

from airflow.sdk import DAG, Asset, TriggerRule

from nurture.campaign import card
from nurture.identity.resolve import RESOLVE_PEOPLE
from nurture.night import DAY, nightly
from nurture.operators.load_crm_contacts import LoadCrmContactsOperator
from nurture.operators.load_ga4_events import LoadGa4EventsOperator
from nurture.operators.load_suppressions import LoadSuppressionsOperator
from nurture.operators.quality_gate import QualityGateOperator
from nurture.operators.report_run import ReportRunOperator
from nurture.operators.run_statements import RunStatements

with DAG(dag_id="customer_data", doc_md=__doc__, tags=["data"], **nightly()):
    withdraw_trust = RunStatements(
        task_id="withdraw_trust",
        statements=["marts/withdraw_trust.sql"],
        parameters={"day": DAY},
        doc_md=card(
            "close the day to campaigns while its data is replaced",
            "ops.trusted_day",
            "campaigns of the day wait for the new verdict",
            measure="nights without a verdict",
        ),
    )
    load_ga4_events = LoadGa4EventsOperator(
        task_id="load_ga4_events",
        day=DAY,
        doc_md=card(
            "read the last four export days again, as GA4 rewrites them",
            "BigQuery export → raw_ga4.events, staging.events",
            "no daily table: the intraday one; unfit rows go to ops.dead_letter",
            measure="rows loaded and unfit, by day",
        ),
    )
    load_crm_contacts = LoadCrmContactsOperator(
        task_id="load_crm_contacts",
        day=DAY,
        doc_md=card(
            "read contacts that changed since the last night",
            "HubSpot → raw_hubspot.contacts, staging.contacts",
            "unfit fields go to ops.dead_letter",
            measure="contacts loaded and unfit",
        ),
    )
    load_suppressions = LoadSuppressionsOperator(
        task_id="load_suppressions",
        doc_md=card(
            "write no more to addresses that bounced for good, and to whoever reported spam",
            "HubSpot e-mail events, raw_hubspot.contacts → ops.suppression",
            "events that may not be read: a warning; HubSpot opts these people out itself",
            measure="hard bounces and complaints added",
        ),
    )
    gate_customer_data = QualityGateOperator(
        task_id="gate_customer_data",
        tables=["raw_ga4.events", "raw_hubspot.contacts", "staging.events", "staging.contacts"],
        day=DAY,
        keep=["report_run"],
        doc_md=card(
            "stop the night when ids are missing, contacts are doubled or events jump",
            "staging.*, raw_* → ops.gate_result",
            "skips all that follows; the run ends red",
            measure="figure and limit of each check",
        ),
    )
    resolve_identity = RunStatements(
        task_id="resolve_identity",
        statements=[*RESOLVE_PEOPLE, "marts/analyze.sql"],
        parameters={"day": DAY, "first_day": "{{ macros.ds_add(data_interval_start | ds, -3) }}"},
        doc_md=card(
            "one person for each living contact, merges followed, devices linked",
            "staging.* → marts.person, marts.person_identity, ops.consent_event",
            "an identifier that two people carry links to nobody",
            measure="people, identifiers, merges",
        ),
    )
    build_features = RunStatements(
        task_id="build_features",
        statements=["marts/delete_features.sql", "marts/person_features.sql"],
        parameters={"day": DAY},
        doc_md=card(
            "what each person did lately", "staging.events → marts.person_features", "none", measure="people with features"
        ),
    )
    trust_day = RunStatements(
        task_id="trust_day",
        statements=["marts/trust_day.sql"],
        parameters={"day": DAY, "run_id": "{{ run_id }}"},
        outlets=[Asset("marts.person_features")],
        doc_md=card("open the day to campaigns", "ops.trusted_day", "none", measure="trusted days"),
    )
    report_run = ReportRunOperator(
        task_id="report_run",
        day=DAY,
        trigger_rule=TriggerRule.ALL_DONE,
        retries=0,
        doc_md=card(
            "say what happened; red when a gate stopped the night or a step failed",
            "ops.* → ops.run_report",
            "the tab “Nurture night” of the run shows the same",
            measure="checks that did not pass",
        ),
    )
    (
        withdraw_trust >> [load_ga4_events, load_crm_contacts] >> gate_customer_data
        >> resolve_identity >> build_features >> trust_day >> report_run
    )  # fmt: skip
    load_crm_contacts >> load_suppressions >> trust_day
