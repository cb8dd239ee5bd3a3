-- What the CRM says of consent by now, on the raw contacts that the last load stored; nothing else of them changes, so the next load
-- still finds what else is new. Contacts that no load has stored are left to it.
-- Grain: one living stored contact. Reads pg_temp.delivered_contact. Writes raw_hubspot.contacts and, for rows whose consent differs,
-- pg_temp.changed_contact. Parameters: consent_properties (text[]). A second run changes nothing.
WITH latest AS (
    SELECT DISTINCT ON (crm_id) * FROM delivered_contact ORDER BY crm_id, modified_at DESC
), merged AS (
    UPDATE raw_hubspot.contacts AS stored
    SET region = latest.region, country = latest.country, consent_status = latest.consent_status,
        consent_timestamp = latest.consent_timestamp, consent_source = latest.consent_source, email_opt_out = latest.email_opt_out,
        properties = stored.properties || latest.properties, modified_at = latest.modified_at
    FROM latest
    WHERE stored.crm_id = latest.crm_id AND stored.merged_into IS NULL AND NOT stored.is_archived
      AND latest.modified_at >= stored.modified_at
      AND EXISTS (
          SELECT FROM jsonb_each_text(latest.properties) AS said (property, value)
          WHERE said.property = ANY (%(consent_properties)s::text[])
            AND said.value IS DISTINCT FROM stored.properties ->> said.property
      )
    RETURNING stored.crm_id
)
INSERT INTO changed_contact (crm_id)
SELECT crm_id FROM merged
