-- Further outputs of a message that the CRM confirmed: a note on the contact's timeline, a task for sales.

-- Grain: one output of one message. The row is the right to write it; it follows its message when a person's id changes.
CREATE TABLE ops.push_output (
    campaign    text NOT NULL,
    person_id   text NOT NULL,
    slot        text NOT NULL,
    output      text NOT NULL CHECK (output IN ('note', 'task')),
    state       text NOT NULL CHECK (state IN ('claimed', 'sent', 'confirmed', 'unknown', 'rejected', 'suppressed')),
    reason      text NOT NULL,             -- why it is where it is, in words
    output_key  text NOT NULL UNIQUE,      -- sha256 over campaign, person, slot, output; in the CRM as nurture_key, to find it again
    record_id   text,                      -- of the note or task in the CRM, once it was confirmed
    day         date NOT NULL,             -- night of the message
    claim_token uuid NOT NULL,             -- fences off an attempt that wakes up late
    attempts    integer NOT NULL DEFAULT 1,
    run_id      text NOT NULL,
    claimed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (campaign, person_id, slot, output),
    FOREIGN KEY (campaign, person_id, slot) REFERENCES ops.push_ledger (campaign, person_id, slot)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX push_output_day ON ops.push_output (campaign, day);
CREATE INDEX push_output_open ON ops.push_output (campaign, claim_token) WHERE state IN ('claimed', 'sent', 'unknown');
