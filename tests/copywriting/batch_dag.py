"""An Airflow DAG of one step: a night's copy in batches."""

from airflow.sdk import DAG
from copy_night import CAMPAIGN, DAY, FALLBACK, TEMPLATE

from nurture.operators.generate_copy import GenerateCopyOperator

with DAG(dag_id="copy_in_batches", schedule=None) as dag:
    GenerateCopyOperator(
        task_id="generate_copy",
        campaign=CAMPAIGN,
        template=TEMPLATE,
        fallback_template=FALLBACK,
        day=DAY,
        mode="batch",
        retries=0,
    )
