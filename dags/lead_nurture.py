"""# Lead nurture

Answers leads who filled a form, joined a webinar, asked for a demo or looked at a product: one nurture e-mail draft a
week, on the CRM contact, for a person in sales or a HubSpot workflow to send. An Airflow DAG built by `nurture.campaign`.

**Reads** `marts.*` of a trusted day, `include/prompts/lead_nurture`, `include/facts`.
**Writes** `ops.copy`, `ops.push_ledger`, and the contact properties `nurture_*` in HubSpot.
**Owner** marketing-data. **Primary metric** demo requests.

**When it stops** A red `report_run` says why; the tab *Nurture night* shows the figures. Mend, then clear the run: copy
that was written is taken from the store, people who have their message are left alone.
**When it waits** Flagged copy waits under *Browse → Required Actions*; after twelve hours those people get static copy.
"""

from nurture.campaign import Arms, Trigger, campaign

campaign(
    dag_id="lead_nurture",
    doc=__doc__,
    template="lead_nurture@v3",
    fallback_template="static_template@v3",
    triggers=[
        Trigger(event="form_submit", debounce_hours=24),
        Trigger(event="webinar_signup", debounce_hours=24),
        Trigger(event="demo_request", debounce_hours=24),
        Trigger(event="view_item", debounce_hours=24),
    ],
    lifecycle_stages=["subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity"],
    arms=Arms(ai=0.7, static=0.2),
    freshness_days=7,
)
