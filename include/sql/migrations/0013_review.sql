-- What a review of contact policy, erasure and backfills found: each statement says what it is for.

-- Before 0008 contacts had their time zone as HubSpot spells it. Zones that nobody knows count as none, as in every load since.
UPDATE staging.contacts AS contact
SET time_zone = (SELECT known.zone FROM staging.time_zone AS known WHERE known.slug = lower(btrim(contact.time_zone)))
WHERE time_zone IS NOT NULL AND time_zone NOT IN (SELECT zone FROM staging.time_zone);

-- Nights that wait for an approval keep the quiet hours of each person's own time zone too.
UPDATE marts.audience AS audience
SET time_zone = contact.time_zone
FROM staging.contacts AS contact
WHERE contact.crm_id = audience.crm_id AND contact.time_zone IS NOT NULL AND audience.time_zone IS NULL
  AND audience.consent_basis IS NOT NULL AND audience.selected_at > now() - interval '30 days';

-- Addresses on suppression lists were hashed as they are written, domains kept so, while look-ups take staging.address_key. A hash of
-- another spelling cannot be turned back: every complaint and bounce is read again and hashed anew, entries that people made by such a
-- hash stay as they are. What follows the @ of an address, as staging.address_key has it:
CREATE FUNCTION staging.domain_key(domain text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN substr(staging.address_key('@' || btrim(domain)), 2);
UPDATE ops.suppression AS entry SET removed_at = clock_timestamp()  -- a list that has both spellings of a domain keeps one
WHERE kind = 'domain' AND removed_at IS NULL AND position('xn--' IN value) > 0 AND EXISTS (
    SELECT FROM ops.suppression AS other
    WHERE other.kind = 'domain' AND other.list = entry.list AND other.removed_at IS NULL AND other.value = staging.domain_key(entry.value));
UPDATE ops.suppression SET value = staging.domain_key(value) WHERE kind = 'domain' AND removed_at IS NULL AND position('xn--' IN value) > 0;
DELETE FROM ops.watermark WHERE source = 'hubspot.email_events';

-- Selected by a dry run, which wants nobody for itself: no other campaign gives way to it.
ALTER TABLE marts.audience ADD COLUMN is_rehearsal boolean NOT NULL DEFAULT false;
-- Rows of a dry run go after the days of include/personal_data.yaml and by apply_retention alone; 0008 names a setting that is gone.
COMMENT ON TABLE ops.dry_run IS 'one message that a dry run would have written, or would not; holds personal data, kept by include/personal_data.yaml';

-- The messages of a night in the order of their keys, a page at a time, for what is written for each of them besides (output_claim.sql).
-- It serves whoever asks for a day as well as the index on the day alone did. The person comes after the day, not the campaign: see 0005.
DROP INDEX ops.push_ledger_day;
CREATE INDEX push_ledger_night ON ops.push_ledger (day, person_id, slot);

-- As 0005 did for the messages: with the campaign first, and no statistics yet, the planner read all outputs of a campaign for each one.
ALTER TABLE ops.push_output DROP CONSTRAINT push_output_pkey, ADD PRIMARY KEY (person_id, campaign, slot, output);
DROP INDEX ops.push_output_day;
CREATE INDEX push_output_day ON ops.push_output (day);
