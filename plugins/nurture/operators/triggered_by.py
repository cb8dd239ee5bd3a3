"""Who triggered a run with its form; kept with what the run changes."""

from airflow.sdk import Context


def triggered_by(context: Context) -> str:
    return getattr(context["dag_run"], "triggering_user_name", None) or "nobody who is known"
