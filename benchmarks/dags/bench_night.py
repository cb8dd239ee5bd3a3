"""# Benchmark: generate and push for one audience

The two steps of an Airflow campaign that cost time, on an audience that `benchmarks.night` put into the warehouse.
"""

from airflow.sdk import DAG

from nurture.night import DAY, nightly
from nurture.operators.generate_copy import GenerateCopyOperator
from nurture.operators.push_to_crm import PushToCrmOperator

with DAG(dag_id="bench_night", **nightly()):
    night = {"campaign": "lead_nurture", "day": DAY}
    generate_copy = GenerateCopyOperator(
        task_id="generate_copy", template="lead_nurture@v1", fallback_template="static_template@v3", **night
    )
    generate_copy >> PushToCrmOperator(task_id="push_ready", lane="ready", **night)
