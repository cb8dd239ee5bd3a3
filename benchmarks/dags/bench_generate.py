"""# Benchmark: write the copy of one audience

The one step of a campaign that a plain `LLMOperator` or `LLMBatchOperator` would stand for (`benchmarks.copy_peers`).
"""

from airflow.sdk import DAG

from nurture.night import DAY, nightly
from nurture.operators.generate_copy import GenerateCopyOperator

for mode in ("calls", "batch"):
    with DAG(dag_id=f"bench_generate_{mode}", **nightly()):
        GenerateCopyOperator(
            task_id="generate_copy", campaign="lead_nurture", day=DAY, template="lead_nurture@v1",
            fallback_template="static_template@v3", mode=mode,
        )  # fmt: skip
