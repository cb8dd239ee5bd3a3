-- Ops: what was decided, what was done, what went wrong.

CREATE TABLE ops.watermark (
    source     text PRIMARY KEY,           -- e.g. hubspot.contacts
    value      timestamptz NOT NULL
);

-- Grain: one source table or page set loaded by one run.
CREATE TABLE ops.load_log (
    dag_id   text NOT NULL,
    run_id   text NOT NULL,
    source   text NOT NULL,                -- ga4.events_20261121, ga4.events_intraday_20261121, hubspot.contacts
    day      date,
    loaded_rows bigint NOT NULL,
    dead_rows   bigint NOT NULL DEFAULT 0,
    note     text,                         -- e.g. "no daily table: read the intraday one"
    loaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dag_id, run_id, source)
);

-- Grain: one bad row or record, however often it was met. Kept until someone resolves it.
CREATE TABLE ops.dead_letter (
    dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source     text NOT NULL,              -- ga4.events, ga4.file, hubspot.contacts, llm.copy, crm.push
    key        text NOT NULL,              -- file:line, table:row, crm id, request hash; never an address
    field      text,
    reason     text NOT NULL,              -- what was found, what was expected, what to do
    payload    jsonb,                      -- the row, cut to 16 kB
    attempts   integer NOT NULL DEFAULT 1,
    dag_id     text,                       -- with run_id: the run that met it last; run ids repeat between DAGs
    run_id     text,
    first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    resolved_at   timestamptz,
    UNIQUE NULLS NOT DISTINCT (source, key, field)
);

-- Grain: one check of one gate in one run (latest attempt).
CREATE TABLE ops.gate_result (
    dag_id      text NOT NULL,
    run_id      text NOT NULL,
    gate        text NOT NULL,             -- task id of the gate
    check_name  text NOT NULL,
    day         date NOT NULL,
    table_name  text NOT NULL,
    severity    text NOT NULL,             -- stop | warn
    status      text NOT NULL,             -- pass | fail | warn | error
    observed    double precision,
    threshold   double precision,
    unit        text,                      -- share, count, …
    detail      text NOT NULL,             -- one sentence a person can act on; no personal data
    sample_keys jsonb NOT NULL DEFAULT '[]', -- offending keys, at most 20; ids only
    checked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dag_id, run_id, gate, check_name)
);

-- Great Expectations' page of one gate in one run, kept in the warehouse because workers share no disk.
CREATE TABLE ops.data_docs (
    dag_id  text NOT NULL,
    run_id  text NOT NULL,
    gate    text NOT NULL,
    html    text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dag_id, run_id, gate)
);

CREATE TABLE ops.trusted_day (
    day        date PRIMARY KEY,
    status     text NOT NULL CHECK (status IN ('trusted', 'stopped')),
    reason     text,
    run_id     text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Sticky arms: drawn once per person and experiment.
CREATE TABLE ops.assignment (
    experiment  text NOT NULL,
    person_id   text NOT NULL,
    arm         text NOT NULL CHECK (arm IN ('ai', 'static', 'none')),
    assigned_on date NOT NULL,
    PRIMARY KEY (experiment, person_id)
);

CREATE TABLE ops.consent_event (
    consent_event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id  text NOT NULL,
    status     text NOT NULL CHECK (status IN ('granted', 'denied', 'unknown')),
    happened_at timestamptz NOT NULL,
    source     text NOT NULL,              -- hubspot.contacts, unsubscribe page, …
    legal_text text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE NULLS NOT DISTINCT (person_id, status, happened_at, source)
);

-- Content-addressed copy. One row per distinct request; the same inputs give the same bytes for ever.
CREATE TABLE ops.copy (
    copy_id          text PRIMARY KEY,     -- sha256 over request_hash and output
    request_hash     text NOT NULL UNIQUE, -- sha256 over template@version, its text, context, facts, model, parameters
    campaign         text NOT NULL,
    template_id      text NOT NULL,
    template_version integer NOT NULL,
    origin           text NOT NULL CHECK (origin IN ('model', 'static')),
    model            text,                 -- NULL for static copy
    parameters       jsonb NOT NULL,       -- temperature, seed, max tokens
    context          jsonb NOT NULL,
    fact_ids         jsonb NOT NULL,       -- facts offered to the writer
    output           jsonb NOT NULL,       -- {headline, body, cta, cited_fact_ids}; placeholders not filled
    verdict          text NOT NULL CHECK (verdict IN ('clear', 'flagged', 'rejected')),
    reasons          jsonb NOT NULL DEFAULT '[]', -- guardrail names and words
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE ops.copy_source (
    copy_id text NOT NULL REFERENCES ops.copy,
    fact_id text NOT NULL,
    fact_version integer NOT NULL,
    source  text NOT NULL,
    PRIMARY KEY (copy_id, fact_id)
);

-- Which copy one person of the audience gets tonight.
CREATE TABLE ops.message (
    campaign   text NOT NULL,
    day        date NOT NULL,
    person_id  text NOT NULL,
    slot       text NOT NULL,
    message_id text NOT NULL,              -- sha256 over campaign, slot, copy_id
    copy_id    text NOT NULL REFERENCES ops.copy,
    fallback_copy_id text NOT NULL REFERENCES ops.copy, -- static copy, used when a reviewer says no or nothing
    lane       text NOT NULL CHECK (lane IN ('ready', 'approval')),
    PRIMARY KEY (campaign, day, person_id)
);

-- Grain: one request to a model endpoint, failed ones included. Money in US dollars.
CREATE TABLE ops.llm_call (
    llm_call_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dag_id        text NOT NULL,
    run_id        text NOT NULL,
    campaign      text NOT NULL,
    request_hash  text NOT NULL,
    template_id   text NOT NULL,
    template_version integer NOT NULL,
    model         text NOT NULL,
    attempt       integer NOT NULL,
    status        text NOT NULL,           -- in_flight (cost_usd is the worst case) | ok | rate_limited |
                                           -- server_error | timeout | bad_request | bad_answer
    error         text,
    prompt_tokens integer NOT NULL DEFAULT 0,
    completion_tokens integer NOT NULL DEFAULT 0,
    cost_usd      numeric NOT NULL DEFAULT 0,
    latency_ms    double precision NOT NULL,
    called_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX llm_call_run ON ops.llm_call (dag_id, run_id);

-- A person's decision over flagged copy, bound to the hash of what was shown.
CREATE TABLE ops.approval (
    campaign     text NOT NULL,
    day          date NOT NULL,
    copy_id      text NOT NULL REFERENCES ops.copy,
    decision     text NOT NULL CHECK (decision IN ('approved', 'rejected', 'timed_out')),
    reviewer     text,
    note         text,
    decided_at   timestamptz NOT NULL,
    run_id       text NOT NULL,
    PRIMARY KEY (campaign, day, copy_id)
);

-- One row guards one effect: the same message to the same person happens once.
CREATE TABLE ops.push_ledger (
    campaign     text NOT NULL,
    person_id    text NOT NULL,
    slot         text NOT NULL,
    state        text NOT NULL CHECK (state IN ('claimed', 'sent', 'confirmed', 'unknown', 'rejected', 'suppressed', 'superseded')),
    reason       text NOT NULL,            -- why it is where it is, in words
    crm_id       text NOT NULL,
    message_id   text NOT NULL,
    copy_id      text NOT NULL REFERENCES ops.copy,
    day          date NOT NULL,
    claim_token  uuid NOT NULL,            -- fences off an attempt that wakes up late
    attempts     integer NOT NULL DEFAULT 1,
    run_id       text NOT NULL,
    claimed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (campaign, person_id, slot)
);
CREATE INDEX push_ledger_day ON ops.push_ledger (campaign, day);
CREATE INDEX push_ledger_slot ON ops.push_ledger (campaign, slot);
CREATE INDEX push_ledger_open ON ops.push_ledger (state) WHERE state IN ('claimed', 'sent', 'unknown');

-- What a run did, stage by stage, as shown in the UI and printed by the demo.
CREATE TABLE ops.run_report (
    dag_id  text NOT NULL,
    run_id  text NOT NULL,
    day     date NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('completed', 'stopped', 'failed')),
    report  json NOT NULL,                 -- json, not jsonb: the order of its parts is that of the night
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dag_id, run_id)
);

CREATE TABLE ops.switch (
    name    text PRIMARY KEY,              -- ai_personalization
    is_on   boolean NOT NULL,
    note    text,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO ops.switch (name, is_on, note) VALUES ('ai_personalization', true, 'off: every new piece is static copy');
