-- Cleaned contacts follow the raw ones that changed: archived and merged-away contacts leave, living ones are rewritten.
-- Grain: one living contact. Reads raw_hubspot.contacts, staging.time_zone, pg_temp.changed_contact (crm_id: what to follow).
-- Writes staging.contacts. Parameters: granted_words, unknown_words, denied_words (text[]: lower-case words of consent_status; an
-- empty one is unknown, any other counts as denied), opt_outs (text[]: properties of which one says that the contact opted out),
-- not_opted_out (text[]: their lower-case values that say it did not), text_property (text: property with the words or the legal
-- basis of a grant; NULL: none). A second run writes the same rows.
WITH gone AS (
    DELETE FROM staging.contacts AS staged
    USING changed_contact AS changed
    JOIN raw_hubspot.contacts AS delivered USING (crm_id)
    WHERE staged.crm_id = changed.crm_id AND (delivered.is_archived OR delivered.merged_into IS NOT NULL)
), living AS (
    SELECT delivered.*,
           staging.address_key(delivered.email) AS address,
           lower(btrim(delivered.consent_status)) AS consent_word,
           btrim(delivered.consent_timestamp) AS consent_moment,
           upper(btrim(delivered.region)) AS region_code,
           upper(btrim(delivered.country)) AS country_code
    FROM changed_contact AS changed
    JOIN raw_hubspot.contacts AS delivered USING (crm_id)
    WHERE NOT delivered.is_archived AND delivered.merged_into IS NULL
), cleaned AS (
    SELECT crm_id,
           CASE WHEN length(address) <= 254 AND address ~ '^[^@[:space:],;<>"]+@[^@[:space:],;<>"]+\.[^@[:space:],;<>".]+$'
                THEN address END AS email,
           nullif(btrim(first_name), '') AS first_name,
           nullif(btrim(last_name), '') AS last_name,
           nullif(btrim(company), '') AS company,
           nullif(btrim(industry), '') AS industry,
           nullif(btrim(job_title), '') AS job_title,
           nullif(btrim(persona), '') AS persona,
           nullif(btrim(pain_point), '') AS pain_point,
           nullif(btrim(account_tier), '') AS account_tier,
           nullif(btrim(lead_status), '') AS lead_status,
           nullif(btrim(lifecycle_stage), '') AS lifecycle_stage,
           nullif(btrim(last_touch_channel), '') AS last_touch_channel,
           CASE WHEN btrim(lead_score) ~ '^-?[0-9]{1,9}(\.[0-9]{1,9})?$' THEN round(btrim(lead_score)::numeric)::integer
                END AS lead_score,
           CASE WHEN region_code ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$' THEN region_code
                WHEN country_code ~ '^[A-Z]{2}$' THEN country_code END AS region,
           -- america_slash_new_york and America/New_York alike; what is no zone is unknown.
           (SELECT known.zone FROM staging.time_zone AS known WHERE known.slug = lower(btrim(living.time_zone))) AS time_zone,
           nullif(btrim(site_user_id), '') AS site_user_id,
           CASE WHEN consent_word = ANY (%(denied_words)s::text[]) THEN 'denied'
                WHEN consent_word = ANY (%(granted_words)s::text[]) THEN 'granted'
                WHEN coalesce(consent_word, '') = ANY (ARRAY[''] || %(unknown_words)s::text[]) THEN 'unknown'
                ELSE 'denied' END AS consent_status,
           -- ISO 8601 only; without a zone it is UTC, whatever the session's zone is.
           CASE WHEN consent_moment ~ '^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$'
                     AND pg_input_is_valid(consent_moment, 'timestamptz')
                THEN CASE WHEN consent_moment ~ '(Z|[T ].*[+-]\d{2}:?\d{2})$' THEN consent_moment::timestamptz
                          ELSE consent_moment::timestamp AT TIME ZONE 'UTC' END
                END AS consent_at,
           nullif(btrim(consent_source), '') AS consent_source,
           nullif(btrim(properties ->> %(text_property)s::text), '') AS consent_text,
           EXISTS (
               SELECT FROM unnest(%(opt_outs)s::text[]) AS opt_out (property)
               WHERE lower(btrim(properties ->> property)) <> ALL (%(not_opted_out)s::text[])
           ) AS is_opted_out,
           modified_at
    FROM living
)
INSERT INTO staging.contacts (
    crm_id, email, first_name, last_name, company, industry, job_title, persona, pain_point, account_tier, lead_status,
    lifecycle_stage, last_touch_channel, lead_score, region, time_zone, site_user_id, consent_status, consent_at,
    consent_source, consent_text, is_opted_out, modified_at
)
SELECT
    crm_id, email, first_name, last_name, company, industry, job_title, persona, pain_point, account_tier, lead_status,
    lifecycle_stage, last_touch_channel, lead_score, region, time_zone, site_user_id, consent_status, consent_at,
    consent_source, consent_text, is_opted_out, modified_at
FROM cleaned
ON CONFLICT (crm_id) DO UPDATE SET
    email = excluded.email,
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
    time_zone = excluded.time_zone,
    site_user_id = excluded.site_user_id,
    consent_status = excluded.consent_status,
    consent_at = excluded.consent_at,
    consent_source = excluded.consent_source,
    consent_text = excluded.consent_text,
    is_opted_out = excluded.is_opted_out,
    modified_at = excluded.modified_at
