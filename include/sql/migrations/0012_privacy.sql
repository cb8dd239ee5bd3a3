-- Privacy: requests to erase a person or to hand out what is kept of them, tombstones of the erased, exports.

-- Grain: one request. Kept for good: it says who asked, when and what was done, and nothing of the person.
CREATE TABLE ops.privacy_request (
    request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action     text NOT NULL CHECK (action IN ('erase', 'export')),
    state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
    asked_by   text NOT NULL,
    ticket     text,                       -- number of the request in a system of the company's own; no names
    run_id     text NOT NULL,              -- the run that began it; a later one may have completed it
    asked_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at    timestamptz,
    report     jsonb NOT NULL DEFAULT '{}' -- identifiers by kind, rows by table, what the CRM said: counts only
);

-- Grain: one identifier of the person of a request. Here while the request is open, so that a run that was killed can be run
-- again; deleted in the transaction that finds nothing left.
CREATE TABLE ops.privacy_subject (
    request_id  bigint NOT NULL REFERENCES ops.privacy_request,
    kind        text NOT NULL CHECK (kind IN ('person_id', 'crm_id', 'user_id', 'user_pseudo_id', 'email')),
    value       text NOT NULL,
    replacement text NOT NULL DEFAULT 'erased_' || replace(gen_random_uuid()::text, '-', ''), -- random: nothing leads back
    PRIMARY KEY (request_id, kind, value)
);
CREATE INDEX privacy_subject_value ON ops.privacy_subject (kind, value);

-- Grain: one identifier of an erased person, as a salted hash: what a load must not bring back.
CREATE TABLE ops.tombstone (
    kind       text NOT NULL,
    value_hash bytea NOT NULL,
    erasure_id uuid NOT NULL,              -- the same for all identifiers that one request erased; leads to no request
    erased_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    lifted_at  timestamptz,                -- the person came back by a new contact with a new consent: their events count from then on
    PRIMARY KEY (kind, value_hash)
);
CREATE INDEX tombstone_erasure ON ops.tombstone (erasure_id);

-- One random salt for a warehouse: one hash for each value of a load, whatever the number of tombstones. Who reads this table too
-- can test whether an identifier that they know already was erased (docs/decisions/0021).
CREATE TABLE ops.tombstone_salt (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    salt    bytea NOT NULL
);
INSERT INTO ops.tombstone_salt (salt) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

CREATE FUNCTION ops.tombstone_hash(salt bytea, kind text, value text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN sha256(salt || convert_to(kind || ':' || CASE WHEN kind = 'email' THEN staging.address_key(value) ELSE btrim(value) END, 'UTF8'));

-- Grain: one export. Deleted by the retention.
CREATE TABLE ops.privacy_export (
    request_id bigint PRIMARY KEY REFERENCES ops.privacy_request,
    person_id  text,
    crm_id     text,
    document   json NOT NULL,              -- by table, in the order of include/personal_data.yaml
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Grain: one download of an export; a history.
CREATE TABLE ops.privacy_download (
    download_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id    bigint NOT NULL REFERENCES ops.privacy_request,
    downloaded_by text NOT NULL,
    downloaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ops.privacy_download
    FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();

-- Histories are never changed, but an erasure goes through them too: within its transaction, and only there.
CREATE OR REPLACE FUNCTION ops.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('nurture.privacy', true) = 'on' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    RAISE EXCEPTION '% is a history: rows are added, never changed or deleted', TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME;
END$$;
CREATE OR REPLACE FUNCTION ops.refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('nurture.privacy', true) = 'on' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is a history: rows are added, never changed', TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME;
END$$;

-- What is left of an event when nobody may know any more whose it was. Used by the erasure and by every later load alike.
CREATE FUNCTION ops.without_query(url text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN split_part(split_part(url, '#', 1), '?', 1);

CREATE FUNCTION ops.only_keys(value jsonb, keys text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (SELECT coalesce(jsonb_object_agg(key, item), '{}') FROM jsonb_each(value) AS pair (key, item) WHERE key = ANY (keys));

CREATE FUNCTION ops.scrub_event_params(params jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT coalesce(jsonb_agg(
        CASE WHEN entry ->> 'key' = 'page_location' AND entry #>> '{value,string_value}' IS NOT NULL
             THEN jsonb_set(entry, '{value,string_value}', to_jsonb(ops.without_query(entry #>> '{value,string_value}')))
             ELSE entry END ORDER BY place), '[]')
    FROM jsonb_array_elements(params) WITH ORDINALITY AS listed (entry, place)
    WHERE entry ->> 'key' IN ('ga_session_id', 'session_engaged', 'engagement_time_msec', 'page_location', 'form_id', 'source', 'medium',
                              'campaign', 'value', 'currency'));

CREATE FUNCTION ops.scrub_event_rest(rest jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN jsonb_typeof(rest -> 'collected_traffic_source') = 'object'
    THEN jsonb_build_object('collected_traffic_source', ops.only_keys(
        rest -> 'collected_traffic_source', ARRAY['manual_source', 'manual_medium', 'manual_campaign_name']))
    ELSE '{}' END;
