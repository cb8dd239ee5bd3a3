"""One approval step over a warehouse, run as Airflow runs it, and the flagged copy of a night."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from airflow.sdk.exceptions import TaskAwaitingInput
from airflow.sdk.execution_time.comms import HITLDetailRequestResult

from nurture.operators.approve_copy import ApproveCopyOperator

CAMPAIGN, DAY = "lead_nurture", "2026-11-20"
BODY = (
    "Hello {first_name},\n\nLarkfield Insight sends the stock report to your inbox every morning. In a study "
    "of 42 warehouses, weekly counts with Larkfield Count cut stock errors by 38%. Shall we show you how it works?"
)
TEXTS = {"headline": "Your stock report every morning, {first_name}", "body": BODY, "cta": "Show me how"}
FACTS = ["count-accuracy", "insight-what"]


class Supervisor:
    """The process above a task: keeps what the task asks it to store, and as Airflow does the first form for ever."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.form: Any = None

    def send(self, msg: Any) -> Any:
        self.sent.append(msg)
        self.form = self.form or HITLDetailRequestResult(**msg.model_dump(exclude={"type"}))
        return self.form


class TaskInstance:
    """What the step needs of its task instance: an id, and XComs that outlive the wait."""

    id, task_id = uuid4(), "approve_flagged"

    def __init__(self) -> None:
        self.xcoms: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value

    def xcom_pull(self, task_ids: str, key: str) -> Any:
        return self.xcoms.get(key)


class Review:
    """One approval step, run as Airflow does: until it waits, and again in another process once there is an answer."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor, self.ti = supervisor, TaskInstance()
        self.context: Any = {"ti": self.ti, "task_instance": self.ti, "run_id": "run-1"}

    def operator(self) -> ApproveCopyOperator:
        return ApproveCopyOperator(task_id="approve_flagged", campaign=CAMPAIGN, day=DAY)

    def ask(self) -> Any:
        """What Airflow shows."""
        with pytest.raises(TaskAwaitingInput):
            self.operator().execute(self.context)
        return self.supervisor.sent[-1]

    def answer(self, chosen: str, *, timedout: bool = False, **given: Any) -> dict[str, Any]:
        event = {
            "chosen_options": [chosen], "params_input": given, "responded_at": datetime(2026, 11, 21, 9, tzinfo=UTC),
            "responded_by_user": None if timedout else {"id": "1", "name": "robin"}, "timedout": timedout,
        }  # fmt: skip
        result: dict[str, Any] = self.operator().execute_complete(self.context, event)
        return result


def decisions(warehouse: psycopg.Connection) -> dict[str, tuple[str, str | None]]:
    rows = warehouse.execute("SELECT copy_id, decision, reason FROM ops.approval").fetchall()
    warehouse.commit()
    return {copy_id: (decision, reason) for copy_id, decision, reason in rows}


def key(copy_id: str, part: str = "") -> str:
    return f"piece_{copy_id[:12]}{part and '_'}{part}"
