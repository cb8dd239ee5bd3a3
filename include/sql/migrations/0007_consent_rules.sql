-- Consent: which rule was applied where, every decision with its basis, and the words under which consent was given.

ALTER TABLE marts.audience ADD COLUMN region text;        -- by which the rule was chosen; NULL: not known
ALTER TABLE marts.audience ADD COLUMN consent_rule text;  -- id in include/consent_regions.yaml, or strictest

ALTER TABLE staging.contacts ADD COLUMN consent_text text;  -- the words or the legal basis of a grant, where the CRM has them

-- Grain: one decision whether one person may be written to, as it was taken: for the audience of a night (a re-run adds a row only
-- where something about the decision changed), and right before a push (one row for each message that moved because of it).
-- Rows are added, never changed; erasure and retention delete them. No personal data but ids and the region.
CREATE TABLE ops.consent_decision (
    consent_decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign   text NOT NULL,
    person_id  text NOT NULL,
    slot       text NOT NULL,
    day        date NOT NULL,
    stage      text NOT NULL CHECK (stage IN ('audience', 'push')),
    is_allowed boolean NOT NULL,
    region     text,                       -- as known at that moment: the warehouse's, or the CRM's at the push
    rule       text,                       -- id of the rule; NULL: decided before it came to a rule
    basis      text NOT NULL,              -- in words: why it is allowed, or why not
    run_id     text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX consent_decision_person ON ops.consent_decision (person_id, campaign, slot);
CREATE INDEX consent_decision_night ON ops.consent_decision (campaign, day) WHERE stage = 'audience';

CREATE FUNCTION ops.refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is a history: rows are added, never changed', TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME;
END$$;
CREATE TRIGGER append_only BEFORE UPDATE ON ops.consent_decision
    FOR EACH ROW EXECUTE FUNCTION ops.refuse_update();

-- What each of `person_ids` did last, logged in, from which a law infers consent today: `events` within `event_days` days each.
-- An event from the future proves nothing; a day is left for clocks and time zones.
CREATE FUNCTION ops.implied_consent(person_ids text[], events text[], event_days int[])
RETURNS TABLE (person_id text, event_name text, event_at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (wanted.person_id) wanted.person_id, event.event_name, event.event_at
    FROM unnest(person_ids) AS wanted (person_id)
    JOIN marts.person_identity AS identity ON identity.person_id = wanted.person_id AND identity.kind = 'user_id'
    JOIN staging.events AS event ON event.user_id = identity.value
    JOIN unnest(events, event_days) AS inferred (event_name, days) ON inferred.event_name = event.event_name
    WHERE event.event_at > clock_timestamp() - make_interval(days => inferred.days)
      AND event.event_at <= clock_timestamp() + interval '1 day'
    ORDER BY wanted.person_id, event.event_at DESC, event.event_name
$$;
