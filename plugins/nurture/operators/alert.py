"""Who is told when a gate stops a night."""

from collections.abc import Sequence

from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk import Context
from airflow.sdk.bases.notifier import BaseNotifier
from airflow.sdk.exceptions import AirflowNotFoundException


class GateAlert(BaseNotifier):
    """Writes one line to the task's log as an error and, where the HTTP connection `alerts` exists, posts it there.

    The body is `{"text": …}`, which Slack, Mattermost and Teams webhooks take. It holds figures and names of checks, no
    keys and no personal data.

    Args:
        alerts_conn_id: an HTTP connection whose host is the webhook's whole address.
    """

    template_fields: Sequence[str] = ()

    def __init__(self, *, alerts_conn_id: str = "alerts") -> None:
        super().__init__()
        self.alerts_conn_id = alerts_conn_id

    def notify(self, context: Context) -> None:
        """Tell; `context["verdict"]` is the gate's verdict."""
        verdict = context["verdict"]  # type: ignore[typeddict-item]
        reasons = " ".join(result.detail for result in verdict.failed)
        text = f"{context['dag'].dag_id} {context['run_id']} was stopped by {verdict.gate}: {reasons}"
        self.log.error(text)
        hook = HttpHook(method="POST", http_conn_id=self.alerts_conn_id)
        try:
            hook.get_connection(self.alerts_conn_id)
        except AirflowNotFoundException:
            return
        hook.run(json={"text": text}, extra_options={"timeout": 10})
