-- Contacts of others that the CRM had merged with the person's (a person told them apart) forget the person's ids; they stay merged.
-- Grain: one contact. Reads ops.privacy_subject. Writes raw_hubspot.contacts. Parameters: request_id. A second run changes nothing.
UPDATE raw_hubspot.contacts AS contact
SET merged_ids = ARRAY(
        SELECT merged FROM unnest(contact.merged_ids) AS merged
        WHERE merged NOT IN (SELECT value FROM ops.privacy_subject WHERE request_id = %(request_id)s AND kind = 'crm_id')),
    merged_into = coalesce(
        (SELECT replacement FROM ops.privacy_subject AS subject
         WHERE subject.request_id = %(request_id)s AND subject.kind = 'crm_id' AND subject.value = contact.merged_into),
        contact.merged_into),
    properties = contact.properties - 'hs_merged_object_ids'
WHERE contact.crm_id NOT IN (SELECT value FROM ops.privacy_subject WHERE request_id = %(request_id)s AND kind = 'crm_id')
  AND (contact.merged_ids && ARRAY(SELECT value FROM ops.privacy_subject WHERE request_id = %(request_id)s AND kind = 'crm_id')
       OR contact.merged_into IN (SELECT value FROM ops.privacy_subject WHERE request_id = %(request_id)s AND kind = 'crm_id'))
