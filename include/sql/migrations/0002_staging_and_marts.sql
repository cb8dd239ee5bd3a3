-- Staging: cleaned, one row per thing. Marts: people and what is known of them.

-- Grain: one event. user_id is what the event itself carried; person resolution happens in marts.
CREATE TABLE staging.events (
    event_day       date        NOT NULL,
    row_number      bigint      NOT NULL,
    event_at        timestamptz NOT NULL,
    event_name      text        NOT NULL,
    user_id         text,
    user_pseudo_id  text,
    session_id      text,
    is_session_engaged boolean,            -- session_engaged arrives as "0"/"1", 0/1 or not at all
    page_location   text,
    page_title      text,
    form_id         text,
    source          text,
    medium          text,
    campaign        text,
    country         text,
    transaction_id  text,
    cart_value      numeric,
    currency        text,
    product_id      text,                  -- first item
    product_name    text,
    product_category text,
    product_price   numeric,
    PRIMARY KEY (event_day, row_number)
);
CREATE INDEX events_user_id ON staging.events (user_id, event_at) WHERE user_id IS NOT NULL;
CREATE INDEX events_user_pseudo_id ON staging.events (user_pseudo_id) WHERE user_pseudo_id IS NOT NULL;
CREATE INDEX events_name ON staging.events (event_name, event_day);

-- Grain: one living CRM contact (not archived, not merged away).
CREATE TABLE staging.contacts (
    crm_id             text PRIMARY KEY,
    email              text,               -- trimmed, lower case; NULL when missing or not an address
    first_name         text,
    last_name          text,
    company            text,
    industry           text,
    job_title          text,
    persona            text,
    pain_point         text,
    account_tier       text,
    lead_status        text,
    lifecycle_stage    text,
    last_touch_channel text,
    lead_score         integer,
    region             text,               -- upper case ISO 3166 country (or US-XX); NULL when unknown
    time_zone          text,
    site_user_id       text,
    consent_status     text,               -- granted | denied | unknown
    consent_at         timestamptz,
    consent_source     text,
    is_opted_out       boolean NOT NULL,
    modified_at        timestamptz NOT NULL
);
CREATE INDEX contacts_email ON staging.contacts (email);
CREATE INDEX contacts_site_user_id ON staging.contacts (site_user_id);

-- Grain: one person. person_id never changes once given.
CREATE TABLE marts.person (
    person_id      text PRIMARY KEY,       -- 'p_' + md5 of the CRM id under which the person was first seen
    crm_id         text UNIQUE,            -- the surviving contact
    email          text,
    site_user_id   text,
    region         text,
    consent_status text NOT NULL,
    consent_at     timestamptz,
    merged_into    text REFERENCES marts.person  -- set when the CRM merged this person into another
);

CREATE INDEX person_merged_into ON marts.person (merged_into) WHERE merged_into IS NOT NULL;

-- Everyone whose history a person carries: the person and whoever the CRM merged into them. merged_into names the last
-- survivor of a chain (marts/follow_survivor.sql sees to it), so one step is enough.
CREATE VIEW marts.person_member AS
SELECT person_id, person_id AS member_id FROM marts.person WHERE merged_into IS NULL
UNION ALL
SELECT merged_into, person_id FROM marts.person WHERE merged_into IS NOT NULL;

-- Grain: one identifier. kind: crm_id | user_id | email | user_pseudo_id.
CREATE TABLE marts.person_identity (
    kind      text NOT NULL,
    value     text NOT NULL,
    person_id text NOT NULL REFERENCES marts.person,
    PRIMARY KEY (kind, value)
);
CREATE INDEX person_identity_person ON marts.person_identity (person_id);

-- Grain: one person with behaviour or a CRM record as of one night (day = last complete GA4 day).
CREATE TABLE marts.person_features (
    day                  date NOT NULL,
    person_id            text NOT NULL,
    crm_id               text NOT NULL,
    persona              text,
    industry             text,
    pain_point           text,
    lifecycle_stage      text,
    lead_status          text,
    account_tier         text,
    lead_score           integer,
    last_touch_channel   text,
    events_7d            integer NOT NULL,
    sessions_7d          integer NOT NULL,
    last_event_at        timestamptz,
    recent_product_id    text,
    recent_product_name  text,
    recent_product_category text,
    recent_product_view_at timestamptz,
    cart_value           numeric,
    PRIMARY KEY (day, person_id)
);

-- Grain: one person of one campaign on one night. The reasons are decided in SQL over the whole audience.
CREATE TABLE marts.audience (
    campaign          text NOT NULL,
    day               date NOT NULL,
    person_id         text NOT NULL,
    slot              text NOT NULL,       -- what a person would call the same message, e.g. week-2026-W47
    crm_id            text NOT NULL,
    trigger_event     text NOT NULL,
    trigger_at        timestamptz NOT NULL,
    trigger_event_day date NOT NULL,       -- with trigger_row_number: the GA4 row behind the message
    trigger_row_number bigint NOT NULL,
    context           jsonb NOT NULL,      -- what copy may depend on; no personal data
    suppressed_reason text,                -- NULL: may be written to
    consent_basis     text,                -- why writing is allowed
    arm               text,                -- ai | static | none
    PRIMARY KEY (campaign, day, person_id)
);
