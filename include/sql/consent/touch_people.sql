-- Whose consent may have changed: the people of contacts that this sync changed, and of those that a load changed whose night has not
-- come to the people yet (or was stopped by a gate: a withdrawal does not wait for that).
-- Grain: one person. Reads pg_temp.changed_contact, marts.contact_change, marts.person. Writes pg_temp.touched. Parameters: none.
INSERT INTO touched (kind, value)
SELECT 'person_id', person.person_id
FROM marts.person AS person
WHERE person.crm_id IN (SELECT crm_id FROM changed_contact UNION SELECT crm_id FROM marts.contact_change)
