-- The copy engine: facts as data, money in the warehouse, switches per campaign, batches, edits, evaluations.

-- Grain: one version of one approved claim, as include/facts said it. Synchronised before copy is written; never deleted.
CREATE TABLE ops.fact (
    fact_id      text NOT NULL,
    version      integer NOT NULL,
    text         text NOT NULL,
    source       text NOT NULL,
    approver     text NOT NULL,
    valid_from   date NOT NULL,
    valid_until  date,
    regions      text[] NOT NULL DEFAULT '{}',  -- markets of the vocabulary; none: everywhere
    topics       text[] NOT NULL DEFAULT '{}',  -- words of the vocabulary; none: everyone
    is_current   boolean NOT NULL,              -- false: withdrawn from the files, or another version took its place
    search       tsvector GENERATED ALWAYS AS (to_tsvector('english', text)) STORED,
    synced_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fact_id, version),
    -- One current version; held at the end of a statement, so that one statement can put a version in the place of another.
    CONSTRAINT fact_current EXCLUDE (fact_id WITH =) WHERE (is_current) DEFERRABLE
);
CREATE INDEX fact_search ON ops.fact USING gin (search);

-- Confidence of a piece (0 to 1, docs/guardrails.md) and, for a piece that a reviewer edited, what it was made of.
ALTER TABLE ops.copy ADD COLUMN confidence double precision;
ALTER TABLE ops.copy ADD COLUMN edited_from text REFERENCES ops.copy;
ALTER TABLE ops.copy ADD COLUMN edited_by text;
ALTER TABLE ops.copy DROP CONSTRAINT copy_origin_check;
ALTER TABLE ops.copy ADD CONSTRAINT copy_origin_check CHECK (origin IN ('model', 'static', 'edited'));

-- What a reviewer put in place of a flagged piece.
ALTER TABLE ops.approval ADD COLUMN edited_copy_id text REFERENCES ops.copy;
ALTER TABLE ops.approval DROP CONSTRAINT approval_decision_check;
ALTER TABLE ops.approval ADD CONSTRAINT approval_decision_check
    CHECK (decision IN ('approved', 'rejected', 'edited', 'timed_out'));
ALTER TABLE ops.approval ADD COLUMN reason text;  -- why it came out so, where that is not simply what the reviewer said

-- Why static copy stands in for the piece that was chosen, as found right before the push; NULL: the chosen piece went out.
ALTER TABLE ops.push_ledger ADD COLUMN fallback_reason text;

-- Switches: ai_personalization (is_on), template and model (value: what is used instead of the campaign's own).
ALTER TABLE ops.switch ADD COLUMN campaign text NOT NULL DEFAULT '*';  -- *: every campaign
ALTER TABLE ops.switch ADD COLUMN value text;
ALTER TABLE ops.switch ADD COLUMN changed_by text;
ALTER TABLE ops.switch DROP CONSTRAINT switch_pkey;
ALTER TABLE ops.switch ADD PRIMARY KEY (name, campaign);

-- Money and tokens of one run, one UTC day or one campaign's UTC month: reserved at a call's worst case, settled after it.
CREATE TABLE ops.budget (
    scope           text NOT NULL CHECK (scope IN ('run', 'day', 'campaign')),
    key             text NOT NULL,              -- dag_id/run_id | 2026-11-21 | campaign/2026-11
    reserved_usd    numeric NOT NULL DEFAULT 0 CHECK (reserved_usd >= 0),
    reserved_tokens bigint  NOT NULL DEFAULT 0 CHECK (reserved_tokens >= 0),
    spent_usd       numeric NOT NULL DEFAULT 0,
    spent_tokens    bigint  NOT NULL DEFAULT 0,
    changed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (scope, key)
);

-- Grain: one batch handed to a vendor. Planned before it is submitted, so that a killed worker finds it again and never pays twice.
CREATE TABLE ops.llm_batch (
    batch_key      text PRIMARY KEY,            -- our own key, in the vendor's metadata
    dag_id         text NOT NULL,
    run_id         text NOT NULL,
    campaign       text NOT NULL,
    vendor         text NOT NULL,
    model          text NOT NULL,
    state          text NOT NULL CHECK (state IN ('planned', 'submitted', 'harvested', 'expired', 'failed', 'cancelled')),
    vendor_id      text,
    template_id      text NOT NULL,
    template_version integer NOT NULL,
    request_hashes text[] NOT NULL,
    worst_case_usd numeric NOT NULL,
    worst_case_tokens bigint NOT NULL,
    cost_usd       numeric NOT NULL DEFAULT 0,
    deadline       timestamptz NOT NULL,
    error          text,
    planned_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempted_at   timestamptz,                 -- committed right before the request that makes the batch; NULL: never asked for
    submitted_at   timestamptz,                 -- its id at the vendor was noted
    cancel_asked_at timestamptz,                -- by us: the switch went off, or the deadline passed
    ended_at       timestamptz
);
CREATE INDEX llm_batch_run ON ops.llm_batch (dag_id, run_id);
CREATE INDEX llm_batch_open ON ops.llm_batch (vendor) WHERE state IN ('planned', 'submitted');
ALTER TABLE ops.llm_call ADD COLUMN batch_key text REFERENCES ops.llm_batch; -- set: a request of that batch, noted when it ended;
                                                -- status may also be expired | cancelled | missing | lost (its batch never ended); cost at batch price
ALTER TABLE ops.llm_call ADD COLUMN sent_at timestamptz;      -- committed right before it went out; NULL: not yet, or in a batch
ALTER TABLE ops.llm_call ADD COLUMN worst_case_tokens bigint; -- reserved with cost_usd while it is in_flight; NULL: in a batch
ALTER TABLE ops.llm_call ADD COLUMN budget_day date;          -- UTC day whose budget it counts against; NULL: in a batch
CREATE UNIQUE INDEX llm_call_batch ON ops.llm_call (batch_key, request_hash) WHERE batch_key IS NOT NULL;

-- Grain: one evaluation of one template version with one model over its golden contexts.
CREATE TABLE ops.evaluation (
    evaluation_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    template_id      text NOT NULL,
    template_version integer NOT NULL,
    template_hash    text NOT NULL,             -- sha256 of the file that was evaluated
    model            text NOT NULL,
    baseline         text,                      -- the version compared with
    passed           boolean NOT NULL,
    report           json NOT NULL,
    dag_id           text,
    run_id           text,
    made_at          timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Grain: one change of a switch, whoever made it and however: written by a trigger, never changed, never deleted.
CREATE TABLE ops.switch_event (
    switch_event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    campaign   text NOT NULL,
    is_on      boolean NOT NULL,
    value      text,
    is_removed boolean NOT NULL DEFAULT false,  -- the row of ops.switch was deleted
    note       text,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX switch_event_name ON ops.switch_event (name, campaign, changed_at);
INSERT INTO ops.switch_event (name, campaign, is_on, value, note, changed_by, changed_at)
SELECT name, campaign, is_on, value, note, coalesce(changed_by, session_user), changed_at FROM ops.switch;

CREATE FUNCTION ops.note_switch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO ops.switch_event (name, campaign, is_on, value, is_removed, changed_by)
        VALUES (OLD.name, OLD.campaign, OLD.is_on, OLD.value, true, session_user);
    ELSIF TG_OP = 'UPDATE' AND NEW.changed_at = OLD.changed_at THEN  -- by hand: what it says of who and why is of the change before
        INSERT INTO ops.switch_event (name, campaign, is_on, value, changed_by)
        VALUES (NEW.name, NEW.campaign, NEW.is_on, NEW.value, session_user);
    ELSE
        INSERT INTO ops.switch_event (name, campaign, is_on, value, note, changed_by)
        VALUES (NEW.name, NEW.campaign, NEW.is_on, NEW.value, NEW.note, coalesce(NEW.changed_by, session_user));
    END IF;
    RETURN NULL;
END$$;
CREATE TRIGGER note_switch AFTER INSERT OR UPDATE OR DELETE ON ops.switch
    FOR EACH ROW EXECUTE FUNCTION ops.note_switch();

CREATE FUNCTION ops.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is a history: rows are added, never changed or deleted', TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME;
END$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ops.switch_event
    FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

-- Any message can be explained: looked up by its id.
CREATE INDEX message_id ON ops.message (message_id);
CREATE INDEX push_ledger_message_id ON ops.push_ledger (message_id);
CREATE INDEX llm_call_request ON ops.llm_call (request_hash);

-- JSON text that is the same whenever the value is: keys in the order of their code points, no spaces, nothing but quotes,
-- backslashes and control characters escaped. The same bytes as nurture.copywriting.pieces.canonical.
CREATE FUNCTION ops.canonical(value jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF jsonb_typeof(value) = 'object' THEN
        RETURN (
            SELECT '{' || coalesce(string_agg(
                to_json(key)::text || ':' || CASE WHEN jsonb_typeof(item) IN ('object', 'array') THEN ops.canonical(item) ELSE item::text END,
                ',' ORDER BY key COLLATE "C"), '') || '}'
            FROM jsonb_each(value) AS pair (key, item));
    ELSIF jsonb_typeof(value) = 'array' THEN
        RETURN (
            SELECT '[' || coalesce(string_agg(
                CASE WHEN jsonb_typeof(item) IN ('object', 'array') THEN ops.canonical(item) ELSE item::text END,
                ',' ORDER BY place), '') || ']'
            FROM jsonb_array_elements(value) WITH ORDINALITY AS element (item, place));
    END IF;
    RETURN value::text;
END$$;

-- What ops.copy.copy_id must be: copy of other bytes, or for another request, has another id.
CREATE FUNCTION ops.content_id(request_hash text, output jsonb) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN encode(sha256(convert_to(
    '{"output":' || ops.canonical(output) || ',"request_hash":' || to_json(request_hash)::text || '}', 'UTF8')), 'hex');

-- Grain: one message as a person would call it: these bytes for this slot of this campaign, whoever gets them. One row explains it:
-- template and model, context, facts with their sentences, verdicts, reviewers, calls and their cost. Money in US dollars.
CREATE VIEW ops.message_lineage AS
SELECT
    message.message_id, message.campaign, message.slot, message.copy_id,
    copy.output ->> 'headline' AS headline, copy.output ->> 'body' AS body, copy.output ->> 'cta' AS cta, copy.output,
    ops.content_id(copy.request_hash, copy.output) = copy.copy_id AS is_intact,  -- the bytes still fit their hash
    copy.template_id || '@v' || copy.template_version AS template, copy.origin, copy.model, copy.parameters, copy.context,
    copy.request_hash, copy.created_at, copy.verdict, copy.reasons, copy.confidence,
    copy.edited_from, copy.edited_by, original.output AS edited_from_output,
    fact.facts, approval.decisions,
    call.calls, call.cost_usd, call.cost_usd / nullif(sent.people, 0) AS cost_usd_per_person,
    standing.people, standing.states
FROM (
    SELECT message_id, campaign, slot, copy_id FROM ops.message
    UNION
    SELECT message_id, campaign, slot, copy_id FROM ops.push_ledger
) AS message
JOIN ops.copy AS copy USING (copy_id)
LEFT JOIN ops.copy AS original ON original.copy_id = copy.edited_from
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
) AS standing;

-- Grain: one person for whom a message was chosen, or to whom it went, on one night: the GA4 event and the CRM fields behind it, and
-- where it stands. No personal data but ids.
CREATE VIEW ops.message_recipient AS
SELECT
    message.message_id, message.campaign, message.day, message.person_id, message.slot,
    audience.crm_id, audience.consent_basis, audience.arm,
    audience.trigger_event AS event_name, audience.trigger_at AS event_at,
    audience.trigger_event_day AS event_day, audience.trigger_row_number AS event_row_number,
    event.row_number IS NOT NULL AS is_event_in_raw,  -- false: the export was rewritten since, or the row has expired
    audience.context,
    jsonb_strip_nulls(jsonb_build_object(
        'persona', features.persona, 'industry', features.industry, 'pain_point', features.pain_point,
        'lifecycle_stage', features.lifecycle_stage, 'country', audience.context ->> 'country')) AS crm_fields,
    jsonb_strip_nulls(jsonb_build_object(
        'product_id', features.recent_product_id, 'product_name', features.recent_product_name,
        'viewed_at', features.recent_product_view_at)) AS recent_product,
    ledger.state, ledger.reason, ledger.fallback_reason, ledger.attempts, ledger.run_id, ledger.claimed_at, ledger.changed_at
FROM (
    SELECT message_id, campaign, day, person_id, slot FROM ops.message
    UNION
    SELECT message_id, campaign, day, person_id, slot FROM ops.push_ledger
) AS message
LEFT JOIN marts.audience AS audience USING (campaign, day, person_id)
LEFT JOIN raw_ga4.events AS event
    ON event.event_day = audience.trigger_event_day AND event.row_number = audience.trigger_row_number
    AND event.event_name = audience.trigger_event AND event.event_at = audience.trigger_at
LEFT JOIN marts.person_features AS features ON features.day = message.day AND features.person_id = message.person_id
LEFT JOIN ops.push_ledger AS ledger
    ON ledger.campaign = message.campaign AND ledger.person_id = message.person_id AND ledger.slot = message.slot
    AND ledger.message_id = message.message_id;

-- Whether a campaign may use model copy right now: neither the switch for every campaign (*) nor its own is off, and there is the former.
CREATE FUNCTION ops.may_personalize(of_campaign text) RETURNS boolean LANGUAGE sql STABLE STRICT
RETURN (SELECT coalesce(bool_and(is_on) AND bool_or(campaign = '*'), false)
        FROM ops.switch WHERE name = 'ai_personalization' AND campaign IN ('*', of_campaign));

-- Grain: one run's latest writing of copy. What generate_copy counted, so that the report can say why people got static copy.
CREATE TABLE ops.copy_run (
    dag_id  text NOT NULL,
    run_id  text NOT NULL,
    counts  jsonb NOT NULL,                     -- nurture.copywriting.campaign_copy.CopyCounts
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dag_id, run_id)
);
