-- When the next request to a CRM may go out: one row for all runs and workers that share the vendor's limit.
-- Grain: one limit of one portal.
CREATE TABLE ops.request_quota (
    conn_id  text NOT NULL,                -- Airflow connection: stands for the portal
    bucket   text NOT NULL,                -- requests (rolling 10 s) | searches (rolling second)
    next_at  timestamptz NOT NULL,         -- up to here the limit is given away; a burst may run ahead of it (take_token.sql)
    taken    bigint NOT NULL DEFAULT 0,    -- requests let through, ever
    refused  bigint NOT NULL DEFAULT 0,    -- of these, answered 429 all the same
    PRIMARY KEY (conn_id, bucket)
) WITH (fillfactor = 50);                  -- written for every request: leave room beside the row

-- Every look at a person's message names the person, so the person leads. With the campaign first the planner, while the ledger's
-- statistics were young, read all rows of a campaign instead of one, a hundred times for each batch.
ALTER TABLE ops.push_ledger DROP CONSTRAINT push_ledger_pkey, ADD PRIMARY KEY (person_id, campaign, slot);
DROP INDEX ops.push_ledger_slot;
DROP INDEX ops.push_ledger_day;
CREATE INDEX push_ledger_day ON ops.push_ledger (day);  -- a day has few campaigns
