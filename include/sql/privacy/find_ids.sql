-- One step further from what is known of the person: contacts of the person, whom the CRM merged into them, and the reverse; never
-- over to somebody whom a person told apart. Run again until it finds nothing.
-- Grain: one identifier. Reads ops.privacy_subject, marts.person, marts.person_identity, marts.contact_split, raw_hubspot.contacts.
-- Writes ops.privacy_subject, returns what is new. Parameters: request_id. A second run inserts nothing.
WITH known AS (
    SELECT kind, value FROM ops.privacy_subject WHERE request_id = %(request_id)s AND kind IN ('person_id', 'crm_id')
), person AS (
    SELECT person_id, merged_into, crm_id FROM marts.person
    WHERE person_id IN (SELECT value FROM known WHERE kind = 'person_id')
       OR merged_into IN (SELECT value FROM known WHERE kind = 'person_id')
       OR crm_id IN (SELECT value FROM known WHERE kind = 'crm_id')
), identity AS (
    SELECT value AS crm_id, person_id FROM marts.person_identity
    WHERE kind = 'crm_id'
      AND (value IN (SELECT value FROM known WHERE kind = 'crm_id') OR person_id IN (SELECT value FROM known WHERE kind = 'person_id'))
), contact AS (
    SELECT crm_id, merged_into, merged_ids FROM raw_hubspot.contacts
    WHERE crm_id IN (SELECT value FROM known WHERE kind = 'crm_id')
       OR merged_into IN (SELECT value FROM known WHERE kind = 'crm_id')
       OR merged_ids && ARRAY(SELECT value FROM known WHERE kind = 'crm_id')
), found AS (
    SELECT 'person_id' AS kind, person_id AS value FROM person
    UNION SELECT 'person_id', merged_into FROM person
    UNION SELECT 'crm_id', crm_id FROM person
    UNION SELECT 'person_id', person_id FROM identity
    UNION SELECT 'crm_id', crm_id FROM identity
    UNION SELECT 'crm_id', crm_id FROM contact
    UNION SELECT 'crm_id', merged_into FROM contact
    UNION SELECT 'crm_id', unnest(merged_ids) FROM contact
)
INSERT INTO ops.privacy_subject (request_id, kind, value)
SELECT %(request_id)s, kind, value
FROM found
WHERE value IS NOT NULL
  AND NOT (kind = 'crm_id' AND EXISTS (
      SELECT FROM marts.contact_split AS split
      JOIN known ON known.kind = 'crm_id'
      WHERE (split.crm_id, split.from_crm_id) IN ((found.value, known.value), (known.value, found.value))))
ON CONFLICT DO NOTHING
