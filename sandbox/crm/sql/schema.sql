-- The whole store of the sandbox CRM. Run at every start; changes nothing that is there.
CREATE SCHEMA IF NOT EXISTS crm;
CREATE SEQUENCE IF NOT EXISTS crm.contact_id START 1001;

-- Grain: one setting changed from its default (see settings.py).
CREATE TABLE IF NOT EXISTS crm.settings (name text PRIMARY KEY, value jsonb NOT NULL);

-- Grain: one contact, living or archived; the losing side of a merge is no row here but one in crm.merges.
CREATE TABLE IF NOT EXISTS crm.contacts (
    id                     bigint      PRIMARY KEY DEFAULT nextval('crm.contact_id'),
    properties             jsonb       NOT NULL,  -- strings only, without the three that columns hold; an empty value is absent
    created_at             timestamptz NOT NULL,
    modified_at            timestamptz NOT NULL,  -- what the CRM says (lastmodifieddate); a seed may backdate it
    written_at             timestamptz NOT NULL,  -- when it was really written here: the search index lags behind this
    archived_at            timestamptz,
    indexed_properties     jsonb,                 -- what the search index still holds while it lags; null: nothing yet
    indexed_modified_at    timestamptz,
    emails                 text[]      NOT NULL GENERATED ALWAYS AS (array_remove(string_to_array(lower(
        coalesce(properties ->> 'email', '') || ';' || coalesce(properties ->> 'hs_additional_emails', '')), ';'), '')) STORED
);
-- Not unique: a seed may hold two living contacts with one address, which the API itself never makes.
CREATE INDEX IF NOT EXISTS contacts_emails ON crm.contacts USING gin (emails) WITH (fastupdate = off);
CREATE INDEX IF NOT EXISTS contacts_email ON crm.contacts (lower(properties ->> 'email'));
CREATE INDEX IF NOT EXISTS contacts_modified_at ON crm.contacts (modified_at, id);

-- Grain: one id that was merged away.
CREATE TABLE IF NOT EXISTS crm.merges (losing_id bigint PRIMARY KEY, survivor_id bigint NOT NULL);
CREATE INDEX IF NOT EXISTS merges_survivor_id ON crm.merges (survivor_id);

-- Grain: one property of one contact in one write through the API; only appended to (a GDPR deletion removes).
CREATE TABLE IF NOT EXISTS crm.property_history (
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    contact_id bigint      NOT NULL,
    property   text        NOT NULL,
    value      text        NOT NULL,  -- '' = cleared
    written_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS property_history_contact_id ON crm.property_history (contact_id);

-- Grain: one note or task.
CREATE SEQUENCE IF NOT EXISTS crm.engagement_id START 50001;
CREATE TABLE IF NOT EXISTS crm.engagements (
    id                     bigint      PRIMARY KEY DEFAULT nextval('crm.engagement_id'),
    kind                   text        NOT NULL CHECK (kind IN ('notes', 'tasks')),
    properties             jsonb       NOT NULL,  -- these columns are as those of crm.contacts
    created_at             timestamptz NOT NULL,
    modified_at            timestamptz NOT NULL,
    written_at             timestamptz NOT NULL,
    archived_at            timestamptz,
    indexed_properties     jsonb,
    indexed_modified_at    timestamptz
);
-- Grain: one contact whose timeline shows a note or task; the id of a contact that was merged since stands for its survivor.
CREATE TABLE IF NOT EXISTS crm.engagement_contacts (
    contact_id    bigint NOT NULL,
    engagement_id bigint NOT NULL REFERENCES crm.engagements ON DELETE CASCADE,
    PRIMARY KEY (contact_id, engagement_id)
);
CREATE INDEX IF NOT EXISTS engagement_contacts_engagement ON crm.engagement_contacts (engagement_id);

-- Grain: one property definition of one type of object, as the properties API delivers it.
CREATE TABLE IF NOT EXISTS crm.properties (
    name text NOT NULL, definition jsonb NOT NULL, object_type text NOT NULL DEFAULT 'contacts',
    PRIMARY KEY (object_type, name)
);
CREATE TABLE IF NOT EXISTS crm.property_groups (
    name text NOT NULL, label text NOT NULL, display_order integer NOT NULL, object_type text NOT NULL DEFAULT 'contacts',
    PRIMARY KEY (object_type, name)
);
-- A store made when there were only contacts.
DO $$
DECLARE
    old text;
BEGIN
    FOREACH old IN ARRAY ARRAY['properties', 'property_groups'] LOOP
        IF NOT EXISTS (SELECT FROM information_schema.columns
                       WHERE table_schema = 'crm' AND table_name = old AND column_name = 'object_type') THEN
            EXECUTE format('ALTER TABLE crm.%I DROP CONSTRAINT %I, ADD COLUMN object_type text NOT NULL DEFAULT ''contacts'','
                           ' ADD PRIMARY KEY (object_type, name)', old, old || '_pkey');
        END IF;
    END LOOP;
END $$;

-- Grain: one subscription type.
CREATE TABLE IF NOT EXISTS crm.subscription_definitions (id bigint PRIMARY KEY, name text NOT NULL, description text NOT NULL);

-- Grain: what one address last said about one subscription type; subscription 0 = "no e-mail at all".
CREATE TABLE IF NOT EXISTS crm.subscription_statuses (
    email                   text        NOT NULL,  -- lower case
    subscription_id         bigint      NOT NULL,
    status                  text        NOT NULL CHECK (status IN ('SUBSCRIBED', 'UNSUBSCRIBED')),
    legal_basis             text,
    legal_basis_explanation text,
    changed_at              timestamptz NOT NULL,
    PRIMARY KEY (email, subscription_id)
);

-- Grain: one marketing e-mail event.
CREATE TABLE IF NOT EXISTS crm.email_events (
    id          text   PRIMARY KEY,
    created_ms  bigint NOT NULL,  -- milliseconds since 1970, UTC
    type        text   NOT NULL,
    recipient   text   NOT NULL,
    campaign_id bigint,
    event       jsonb  NOT NULL
);
CREATE INDEX IF NOT EXISTS email_events_newest_first ON crm.email_events (created_ms DESC, id DESC);

-- What the search index shows: a contact as it was before its last write, until the lag has passed.
CREATE OR REPLACE FUNCTION crm.search_lag() RETURNS interval LANGUAGE sql STABLE AS $$
    SELECT make_interval(secs => coalesce((SELECT value::text::float FROM crm.settings WHERE name = 'search_lag_seconds'), 0))
$$;
CREATE OR REPLACE FUNCTION crm.keep_what_search_shows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lag CONSTANT interval := crm.search_lag();
BEGIN
    IF lag = '0' THEN
        NEW.indexed_properties := NULL;
        NEW.indexed_modified_at := NULL;
    ELSIF OLD.written_at <= clock_timestamp() - lag THEN
        NEW.indexed_properties := OLD.properties;
        NEW.indexed_modified_at := OLD.modified_at;
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER keep_what_search_shows BEFORE UPDATE ON crm.contacts
    FOR EACH ROW EXECUTE FUNCTION crm.keep_what_search_shows();
CREATE OR REPLACE TRIGGER keep_what_search_shows BEFORE UPDATE ON crm.engagements
    FOR EACH ROW EXECUTE FUNCTION crm.keep_what_search_shows();
-- The scalar subqueries are worked out once, not once a row; without a lag the second half costs nothing.
CREATE OR REPLACE VIEW crm.search_index AS
    SELECT id, properties, created_at, modified_at FROM crm.contacts
    WHERE archived_at IS NULL AND ((SELECT crm.search_lag()) = '0' OR written_at <= (SELECT now() - crm.search_lag()))
    UNION ALL
    SELECT id, indexed_properties, created_at, indexed_modified_at FROM crm.contacts
    WHERE (SELECT crm.search_lag()) > '0' AND written_at > (SELECT now() - crm.search_lag())
      AND archived_at IS NULL AND indexed_properties IS NOT NULL;
CREATE OR REPLACE VIEW crm.engagement_search_index AS
    SELECT id, kind, properties, created_at, modified_at FROM crm.engagements
    WHERE archived_at IS NULL AND ((SELECT crm.search_lag()) = '0' OR written_at <= (SELECT now() - crm.search_lag()))
    UNION ALL
    SELECT id, kind, indexed_properties, created_at, indexed_modified_at FROM crm.engagements
    WHERE (SELECT crm.search_lag()) > '0' AND written_at > (SELECT now() - crm.search_lag())
      AND archived_at IS NULL AND indexed_properties IS NOT NULL;

-- The contacts that keys name; a key that names none has no row. The id of a merged contact names its survivor.
CREATE OR REPLACE FUNCTION crm.find_contacts(keys text[], id_property text)
RETURNS TABLE (key text, id bigint) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    IF id_property IS NULL OR id_property = 'hs_object_id' THEN
        RETURN QUERY
            SELECT k.key, c.id
            FROM (SELECT DISTINCT u.key, u.key::bigint AS number FROM unnest(keys) AS u (key)
                  WHERE u.key ~ '^[0-9]{1,18}$') AS k
            LEFT JOIN crm.merges AS m ON m.losing_id = k.number
            JOIN crm.contacts AS c ON c.id = coalesce(m.survivor_id, k.number);
    ELSIF id_property = 'email' THEN
        RETURN QUERY
            SELECT DISTINCT ON (k.key) k.key, c.id
            FROM crm.contacts AS c
            CROSS JOIN unnest(c.emails) AS address
            JOIN unnest(keys) AS k (key) ON lower(k.key) = address
            WHERE c.archived_at IS NULL
              AND c.emails && ARRAY(SELECT lower(u.key) FROM unnest(keys) AS u (key))  -- answered by the GIN index
            ORDER BY k.key, (lower(c.properties ->> 'email') = address) DESC NULLS LAST, c.id;
    ELSE
        RETURN QUERY
            SELECT DISTINCT ON (c.properties ->> id_property) c.properties ->> id_property, c.id
            FROM crm.contacts AS c
            WHERE c.properties ->> id_property = ANY (keys) AND c.archived_at IS NULL
            ORDER BY c.properties ->> id_property, c.id;
    END IF;
END $$;

-- A moment as the CRM takes it: milliseconds since 1970 or ISO 8601 (UTC where no zone is given); null when it is neither.
CREATE OR REPLACE FUNCTION crm.moment(value text) RETURNS timestamptz LANGUAGE plpgsql STABLE SET timezone = 'UTC' AS $$
BEGIN
    RETURN CASE WHEN value ~ '^-?[0-9]{1,15}$' THEN to_timestamp(value::bigint / 1000.0) ELSE value::timestamptz END;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END $$;

-- A number as text, or null where it is none.
CREATE OR REPLACE FUNCTION crm.number(value text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN value ~ '^\s*-?[0-9]+(\.[0-9]+)?\s*$' THEN value::numeric END
$$;
