-- Whom this night must look at: kind is crm_id | person_id | email | user_id; the same may stand here twice. Lives as long as the
-- transaction. Grain: one thing that may have changed. Writes pg_temp.touched. Parameters: none.
CREATE TEMP TABLE IF NOT EXISTS touched (kind text NOT NULL, value text NOT NULL) ON COMMIT DROP
