-- Raw layer: rows as delivered. Typed columns that the package uses, the rest as jsonb.
CREATE SCHEMA raw_ga4;
CREATE SCHEMA raw_hubspot;
CREATE SCHEMA staging;
CREATE SCHEMA marts;
CREATE SCHEMA ops;

-- Grain: one exported GA4 event. A re-load of an event_day replaces that day, so there is no surrogate key.
CREATE TABLE raw_ga4.events (
    event_day       date        NOT NULL,  -- the export table's date suffix
    row_number      bigint      NOT NULL,  -- position within the day as delivered by the export
    event_at        timestamptz NOT NULL,  -- event_timestamp, microseconds UTC
    event_name      text        NOT NULL,
    user_id         text,
    user_pseudo_id  text,
    stream_id       text,                  -- INT or STRING in the export, text here
    event_params    jsonb       NOT NULL,  -- [{key, value: {string_value, int_value, float_value, double_value}}]
    user_properties jsonb       NOT NULL,
    items           jsonb       NOT NULL,
    ecommerce       jsonb,
    geo             jsonb,
    device          jsonb,
    traffic_source  jsonb,
    rest            jsonb       NOT NULL,  -- every other column of the export, known or new
    PRIMARY KEY (event_day, row_number)
);

-- Grain: one HubSpot contact id ever seen (archived and merged ones included).
CREATE TABLE raw_hubspot.contacts (
    crm_id            text        PRIMARY KEY,
    email             text,
    additional_emails text[]      NOT NULL DEFAULT '{}',
    first_name        text,
    last_name         text,
    company           text,
    industry          text,
    job_title         text,
    persona           text,
    pain_point        text,
    account_tier      text,
    lead_status       text,
    lifecycle_stage   text,
    last_touch_channel text,
    lead_score        text,
    region            text,
    country           text,
    time_zone         text,
    site_user_id      text,                -- the site's user_id, the join key to GA4
    consent_status    text,
    consent_timestamp text,
    consent_source    text,
    email_opt_out     text,                -- hs_email_optout
    merged_ids        text[]      NOT NULL DEFAULT '{}',  -- hs_merged_object_ids: ids that now live in this one
    merged_into       text,                -- set on a losing id when its survivor was seen
    is_archived       boolean     NOT NULL DEFAULT false,
    created_at        timestamptz,
    modified_at       timestamptz NOT NULL,
    properties        jsonb       NOT NULL  -- every property as delivered (strings)
);
CREATE INDEX contacts_modified_at ON raw_hubspot.contacts (modified_at);
