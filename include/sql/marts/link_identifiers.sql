-- user_id and e-mail lead to the person who carries them today, where exactly one does: a shared address is not one person, and
-- an address that moved to another contact moves with it. What a swallowed contact carried still leads to its survivor, as long
-- as no living contact carries it.
-- Grain: one identifier. Reads marts.person, marts.person_identity (crm_id), raw_hubspot.contacts. Writes marts.person_identity.
-- Parameters: none. The links follow from today's contacts alone, whatever nights ran before; a second run writes nothing.
WITH carried AS (
    SELECT identifier.kind, identifier.value, person.person_id, true AS is_living
    FROM marts.person AS person
    CROSS JOIN LATERAL (VALUES ('user_id', person.site_user_id), ('email', person.email)) AS identifier (kind, value)
    WHERE identifier.value IS NOT NULL AND person.merged_into IS NULL
    UNION ALL
    SELECT identifier.kind, identifier.value, survivor.person_id, false
    FROM raw_hubspot.contacts AS swallowed
    JOIN marts.person_identity AS identity ON identity.kind = 'crm_id' AND identity.value = swallowed.crm_id
    JOIN marts.person AS survivor ON survivor.person_id = identity.person_id AND survivor.crm_id <> swallowed.crm_id
    CROSS JOIN LATERAL (
        VALUES ('user_id', nullif(btrim(swallowed.site_user_id), '')), ('email', nullif(lower(btrim(swallowed.email)), ''))
    ) AS identifier (kind, value)
    WHERE identifier.value IS NOT NULL
), holder AS (
    SELECT kind, value, coalesce(min(person_id) FILTER (WHERE is_living), min(person_id)) AS person_id
    FROM carried
    GROUP BY kind, value
    HAVING coalesce(min(person_id) FILTER (WHERE is_living), min(person_id))
         = coalesce(max(person_id) FILTER (WHERE is_living), max(person_id))
), unlinked AS (
    DELETE FROM marts.person_identity AS link
    WHERE link.kind IN ('user_id', 'email')
      AND NOT EXISTS (SELECT FROM holder WHERE holder.kind = link.kind AND holder.value = link.value)
)
INSERT INTO marts.person_identity AS link (kind, value, person_id)
SELECT holder.kind, holder.value, holder.person_id
FROM holder
LEFT JOIN marts.person_identity AS known ON known.kind = holder.kind AND known.value = holder.value
WHERE known.person_id IS DISTINCT FROM holder.person_id
ON CONFLICT (kind, value) DO UPDATE SET person_id = excluded.person_id
