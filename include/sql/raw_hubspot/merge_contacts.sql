-- Delivered contacts become the stored ones; the latest delivery of a contact wins, an older one never replaces a newer.
-- Grain: one contact id. Reads pg_temp.delivered_contact. Writes raw_hubspot.contacts and, for rows that are new or differ,
-- pg_temp.changed_contact. Parameters: none. A second run changes nothing: equal rows are left alone.
WITH latest AS (
    SELECT DISTINCT ON (crm_id) *
    FROM delivered_contact
    ORDER BY crm_id, modified_at DESC, is_archived DESC
), merged AS (
    INSERT INTO raw_hubspot.contacts AS stored (
        crm_id, email, additional_emails, first_name, last_name, company, industry, job_title, persona, pain_point,
        account_tier, lead_status, lifecycle_stage, last_touch_channel, lead_score, region, country, time_zone, site_user_id,
        consent_status, consent_timestamp, consent_source, email_opt_out, merged_ids, is_archived, created_at, modified_at,
        properties
    )
    SELECT
        crm_id, email, additional_emails, first_name, last_name, company, industry, job_title, persona, pain_point,
        account_tier, lead_status, lifecycle_stage, last_touch_channel, lead_score, region, country, time_zone, site_user_id,
        consent_status, consent_timestamp, consent_source, email_opt_out, merged_ids, is_archived, created_at, modified_at,
        properties
    FROM latest
    ORDER BY crm_id
    ON CONFLICT (crm_id) DO UPDATE SET
        email = excluded.email,
        additional_emails = excluded.additional_emails,
        first_name = excluded.first_name,
        last_name = excluded.last_name,
        company = excluded.company,
        industry = excluded.industry,
        job_title = excluded.job_title,
        persona = excluded.persona,
        pain_point = excluded.pain_point,
        account_tier = excluded.account_tier,
        lead_status = excluded.lead_status,
        lifecycle_stage = excluded.lifecycle_stage,
        last_touch_channel = excluded.last_touch_channel,
        lead_score = excluded.lead_score,
        region = excluded.region,
        country = excluded.country,
        time_zone = excluded.time_zone,
        site_user_id = excluded.site_user_id,
        consent_status = excluded.consent_status,
        consent_timestamp = excluded.consent_timestamp,
        consent_source = excluded.consent_source,
        email_opt_out = excluded.email_opt_out,
        merged_ids = excluded.merged_ids,
        is_archived = excluded.is_archived,
        created_at = excluded.created_at,
        modified_at = excluded.modified_at,
        properties = excluded.properties
    WHERE excluded.modified_at >= stored.modified_at
      -- Every typed column is derived from properties, so these say whether anything differs.
      AND (stored.properties, stored.email, stored.is_archived, stored.modified_at, stored.created_at)
          IS DISTINCT FROM (excluded.properties, excluded.email, excluded.is_archived, excluded.modified_at, excluded.created_at)
    RETURNING crm_id
)
INSERT INTO changed_contact (crm_id)
SELECT crm_id FROM merged
