-- What guardrails said of a piece is history too: a message is explained by the verdict under which it went out.

-- Grain: one verdict on one piece of copy, noted when it is first judged and whenever outcome or reasons have changed: written by
-- triggers, never changed, never deleted. ops.copy has the newest. No reference to ops.copy: refused answers are put aside there.
CREATE TABLE ops.copy_verdict (
    copy_verdict_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    copy_id    text NOT NULL,
    verdict    text NOT NULL,
    reasons    jsonb NOT NULL,
    confidence double precision,
    judged_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX copy_verdict_copy ON ops.copy_verdict (copy_id, judged_at);
-- Earlier verdicts on what is here by now were overwritten: the newest counts as the first.
INSERT INTO ops.copy_verdict (copy_id, verdict, reasons, confidence, judged_at)
SELECT copy_id, verdict, reasons, confidence, created_at FROM ops.copy;

CREATE FUNCTION ops.note_verdict() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ops.copy_verdict (copy_id, verdict, reasons, confidence)
    VALUES (NEW.copy_id, NEW.verdict, NEW.reasons, NEW.confidence);
    RETURN NULL;
END$$;
CREATE TRIGGER note_verdict AFTER INSERT ON ops.copy FOR EACH ROW EXECUTE FUNCTION ops.note_verdict();
CREATE TRIGGER note_new_verdict AFTER UPDATE ON ops.copy FOR EACH ROW
    WHEN (OLD.verdict <> NEW.verdict OR OLD.reasons <> NEW.reasons) EXECUTE FUNCTION ops.note_verdict();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ops.copy_verdict FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

-- The verdict on a piece that held at a moment (NULL: now); of a moment before the first one, the first.
CREATE FUNCTION ops.verdict_at(of_copy text, moment timestamptz) RETURNS SETOF ops.copy_verdict LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT * FROM ops.copy_verdict
    WHERE copy_id = of_copy
    ORDER BY judged_at <= coalesce(moment, 'infinity') DESC,
             CASE WHEN judged_at <= coalesce(moment, 'infinity') THEN judged_at END DESC, judged_at
    LIMIT 1;
END;

-- Grain: one message as a person would call it: these bytes for this slot of this campaign, whoever gets them. One row explains it:
-- template and model, context, facts with their sentences, the verdict that held when it was last pushed (before that: the newest)
-- and all of them, reviewers, calls and their cost, and of at most 20 people who have it the GA4 event and the CRM fields behind it;
-- ops.message_recipient has everyone. Money in US dollars. No personal data but ids.
DROP VIEW ops.message_lineage;
CREATE VIEW ops.message_lineage AS
SELECT
    message.message_id, message.campaign, message.slot, message.copy_id,
    copy.output ->> 'headline' AS headline, copy.output ->> 'body' AS body, copy.output ->> 'cta' AS cta, copy.output,
    ops.content_id(copy.request_hash, copy.output) = copy.copy_id AS is_intact,  -- the bytes still fit their hash
    copy.template_id || '@v' || copy.template_version AS template, copy.origin, copy.model, copy.parameters, copy.context,
    copy.request_hash, copy.created_at,
    pushed.pushed_at, held.verdict, held.reasons, held.confidence, judged.verdicts,
    copy.edited_from, copy.edited_by, original.output AS edited_from_output,
    fact.facts, approval.decisions,
    call.calls, call.cost_usd, call.cost_usd / nullif(sent.people, 0) AS cost_usd_per_person,
    standing.people, standing.states,
    recipient.recipients
FROM (
    SELECT message_id, campaign, slot, copy_id FROM ops.message
    UNION
    SELECT message_id, campaign, slot, copy_id FROM ops.push_ledger
) AS message
JOIN ops.copy AS copy USING (copy_id)
LEFT JOIN ops.copy AS original ON original.copy_id = copy.edited_from
CROSS JOIN LATERAL (
    SELECT max(claimed_at) AS pushed_at
    FROM ops.push_ledger
    WHERE push_ledger.message_id = message.message_id AND state IN ('sent', 'confirmed', 'unknown')
) AS pushed
CROSS JOIN LATERAL ops.verdict_at(copy.copy_id, pushed.pushed_at) AS held
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'verdict', verdict, 'reasons', reasons, 'confidence', confidence,
        'judged_at', to_char(judged_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) ORDER BY judged_at), '[]') AS verdicts
    FROM ops.copy_verdict WHERE copy_verdict.copy_id = copy.copy_id
) AS judged
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', source.fact_id, 'version', source.fact_version, 'text', fact.text, 'source', source.source,
        'approver', fact.approver, 'valid_from', fact.valid_from, 'valid_until', fact.valid_until, 'is_current', fact.is_current,
        'sentences', (
            SELECT coalesce(jsonb_agg(citation - 'fact_ids' ORDER BY place), '[]')
            FROM jsonb_array_elements(copy.output -> 'citations') WITH ORDINALITY AS cited (citation, place)
            WHERE citation -> 'fact_ids' ? source.fact_id)
        ) ORDER BY source.fact_id), '[]') AS facts
    FROM ops.copy_source AS source
    LEFT JOIN ops.fact AS fact ON fact.fact_id = source.fact_id AND fact.version = source.fact_version
    WHERE source.copy_id = copy.copy_id
) AS fact
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'day', day, 'decision', decision, 'reviewer', reviewer, 'note', note, 'reason', reason,
        'decided_at', to_char(decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'run_id', run_id, 'edited_copy_id', edited_copy_id) ORDER BY decided_at), '[]') AS decisions
    FROM ops.approval
    WHERE approval.campaign = message.campaign AND message.copy_id IN (approval.copy_id, approval.edited_copy_id)
) AS approval
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'model', model, 'attempt', attempt, 'status', status, 'error', error, 'prompt_tokens', prompt_tokens,
        'completion_tokens', completion_tokens, 'cost_usd', cost_usd, 'latency_ms', latency_ms,
        'called_at', to_char(called_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'dag_id', dag_id, 'run_id', run_id, 'batch_key', batch_key) ORDER BY llm_call_id), '[]') AS calls,
        coalesce(sum(cost_usd), 0) AS cost_usd
    FROM ops.llm_call WHERE llm_call.request_hash = coalesce(original.request_hash, copy.request_hash)
) AS call
CROSS JOIN LATERAL (  -- a piece is paid once and shared by everyone who gets it, in any slot
    SELECT count(*) AS people FROM ops.push_ledger WHERE push_ledger.copy_id = copy.copy_id AND state = 'confirmed'
) AS sent
CROSS JOIN LATERAL (  -- states of the ledger, and of those for whom it was chosen only
    SELECT coalesce(sum(people), 0)::bigint AS people, coalesce(jsonb_object_agg(state, people), '{}') AS states
    FROM (
        SELECT state, count(*) AS people
        FROM (
            SELECT person_id, state FROM ops.push_ledger WHERE push_ledger.message_id = message.message_id
            UNION
            SELECT night.person_id, CASE WHEN ledger.state IS NULL THEN 'not claimed yet' ELSE 'another message took its place' END
            FROM ops.message AS night
            LEFT JOIN ops.push_ledger AS ledger USING (campaign, person_id, slot)
            WHERE night.message_id = message.message_id AND ledger.message_id IS DISTINCT FROM night.message_id
        ) AS person
        GROUP BY state
    ) AS state
) AS standing
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'person_id', person_id, 'crm_id', crm_id, 'day', day, 'state', state, 'consent_basis', consent_basis,
        'event', jsonb_build_object(
            'name', event_name, 'at', to_char(event_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'day', event_day, 'row_number', event_row_number, 'is_in_raw', is_event_in_raw),
        'crm_fields', crm_fields, 'recent_product', recent_product) ORDER BY day DESC, person_id), '[]') AS recipients
    FROM (
        SELECT * FROM ops.message_recipient
        WHERE message_recipient.message_id = message.message_id
        ORDER BY day DESC, person_id
        LIMIT 20
    ) AS latest
) AS recipient;
