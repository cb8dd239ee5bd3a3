-- Dead letters that somebody answers for: what exactly was refused, who had it tried again or gave it up, and what came of it.
ALTER TABLE ops.dead_letter ADD COLUMN payload_hash  text;        -- sha256 of the whole payload as it came; NULL: there was none
ALTER TABLE ops.dead_letter ADD COLUMN resolution    text;        -- why it needs nobody any more; NULL: it was not met again
ALTER TABLE ops.dead_letter ADD COLUMN given_up_at   timestamptz; -- still not used, and nobody waits for it; the same payload met
ALTER TABLE ops.dead_letter ADD COLUMN given_up_by   text;        -- again stays given up, another one opens it anew
ALTER TABLE ops.dead_letter ADD COLUMN given_up_note text;
CREATE INDEX dead_letter_open ON ops.dead_letter (source, dead_letter_id) WHERE resolved_at IS NULL;

-- Grain: one dead letter in one run of the DAG retry_dead_letters: who asked, why, and the answer. Kept as long as its letter.
CREATE TABLE ops.dead_letter_retry (
    dead_letter_id bigint NOT NULL REFERENCES ops.dead_letter ON DELETE CASCADE,
    dag_id   text NOT NULL,
    run_id   text NOT NULL,
    asked_by text NOT NULL,
    note     text,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    outcome  text CHECK (outcome IN ('mended', 'settled', 'waiting', 'refused', 'not_retried', 'given_up')),
                                           -- NULL: the run has not come to it. mended: it went through. settled: there is nothing to
                                           -- do any more. waiting: a coming night does it. refused: tried, and refused again.
    words    text,                         -- why, and what to do; no personal data
    ended_at timestamptz,
    PRIMARY KEY (dead_letter_id, dag_id, run_id),
    CHECK ((outcome IS NULL) = (ended_at IS NULL) AND (outcome IS NULL) = (words IS NULL))
);
CREATE INDEX dead_letter_retry_run ON ops.dead_letter_retry (dag_id, run_id);
