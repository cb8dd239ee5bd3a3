"""# Benchmark: the plain way

One mapped Airflow task for each contact: one call of the model, one update of the CRM.
"""

from airflow.sdk import DAG, task

from nurture.night import nightly


@task(retries=0)
def some_contacts() -> list[str]:
    """The contacts that this run is for."""
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    rows = PostgresHook(postgres_conn_id="warehouse").get_records("SELECT crm_id FROM ops.bench_mapped ORDER BY crm_id")
    return [row[0] for row in rows]


@task(retries=0)
def write_to_one(crm_id: str) -> None:
    """Ask the model for this contact, put the answer on the contact."""
    import json

    from airflow.providers.http.hooks.http import HttpHook
    from airflow.providers.openai.hooks.openai import OpenAIHook

    context = {"persona": "founder", "industry": "retail", "contact": crm_id}
    request = {"template": "bench", "context": context, "facts": [], "placeholders": [], "limits": {}}
    answer = OpenAIHook("llm").get_conn().chat.completions.create(
        model="sandbox-writer-1", messages=[{"role": "user", "content": f"<request>\n{json.dumps(request)}\n</request>"}]
    )  # fmt: skip
    crm = HttpHook("PATCH", "crm")
    token = crm.get_connection("crm").password
    crm.run(
        f"/crm/v3/objects/contacts/{crm_id}",
        json={"properties": {"message": answer.choices[0].message.content[:500]}},
        headers={"Authorization": f"Bearer {token}"},
    )


with DAG(dag_id="bench_mapped", **nightly()):
    write_to_one.expand(crm_id=some_contacts())
