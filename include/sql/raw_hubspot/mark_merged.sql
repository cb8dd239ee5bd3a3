-- A contact that another one swallowed points to the survivor. In a chain (A into B, B into C) both point to C.
-- Grain: one losing contact id. Reads raw_hubspot.contacts. Writes raw_hubspot.contacts.merged_into and, for what changed,
-- pg_temp.changed_contact. A losing id that was never delivered needs no row. Parameters: none. A second run changes nothing.
WITH swallowed AS (
    SELECT survivor.crm_id AS survivor_id, losing.crm_id AS losing_id
    FROM raw_hubspot.contacts AS survivor
    CROSS JOIN LATERAL unnest(survivor.merged_ids) AS losing (crm_id)
    WHERE survivor.merged_ids <> '{}' AND losing.crm_id <> survivor.crm_id
), final AS (
    SELECT losing_id, min(survivor_id) AS survivor_id
    FROM swallowed
    WHERE survivor_id NOT IN (SELECT losing_id FROM swallowed)
    GROUP BY losing_id
), marked AS (
    UPDATE raw_hubspot.contacts AS loser
    SET merged_into = final.survivor_id
    FROM final
    WHERE loser.crm_id = final.losing_id AND loser.merged_into IS DISTINCT FROM final.survivor_id
    RETURNING loser.crm_id
)
INSERT INTO changed_contact (crm_id)
SELECT crm_id FROM marked
ON CONFLICT (crm_id) DO NOTHING
