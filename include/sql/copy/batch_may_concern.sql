-- Whether batches have to be looked after before a run asks for anything one by one: it has, or had, some of its own, or any are open.
-- Grain: one row. Reads ops.llm_batch. Writes nothing. Parameters: dag_id, run_id.
SELECT EXISTS (
    SELECT FROM ops.llm_batch
    WHERE state IN ('planned', 'submitted') OR (dag_id = %(dag_id)s AND run_id = %(run_id)s)
)
