-- Great Expectations' page of one gate in one run.
-- Grain: at most one row. Reads ops.data_docs. Writes nothing. Binds dag_id, run_id, gate.
SELECT html FROM ops.data_docs WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s AND gate = %(gate)s
