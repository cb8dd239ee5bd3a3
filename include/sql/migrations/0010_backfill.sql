-- Backfills: when a night selected its people, and what those who have its message already would get today.

-- When the night's people were selected: what the ledger holds from before that was sent by an earlier run of the night.
ALTER TABLE marts.audience ADD COLUMN selected_at timestamptz NOT NULL DEFAULT now();

-- Messages that wait for a person, by person: a late night asks whether a newer message of somebody waits there.
CREATE INDEX message_waiting ON ops.message (campaign, person_id) WHERE lane = 'approval';

-- Grain: one raw context and arm of the people who got this night's message from an earlier run of it. What the latest run would
-- have chosen for them, looked up and never asked for: the report compares it with what they got.
CREATE TABLE ops.counterfactual_copy (
    campaign         text NOT NULL,
    day              date NOT NULL,
    context          jsonb NOT NULL,            -- as in marts.audience
    arm              text NOT NULL,
    template         text NOT NULL,             -- id@version with which it would be written
    words            jsonb NOT NULL,            -- the context in vocabulary words, as the template sees it
    copy_id          text,                      -- of ops.copy; NULL: never written, a model would be asked
    fallback_copy_id text NOT NULL,
    lane             text NOT NULL CHECK (lane IN ('ready', 'approval'))
);
CREATE INDEX counterfactual_copy_night ON ops.counterfactual_copy (campaign, day);
