-- Everything about one message: its bytes, who wrote it from what, the facts with the sentences that cite them, verdicts, reviewers,
-- calls and cost, how many people have it. See the view for its columns.
-- Grain: at most one row. Reads ops.message_lineage. Writes nothing. Binds message_id.
SELECT * FROM ops.message_lineage WHERE message_id = %(message_id)s
