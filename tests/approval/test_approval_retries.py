"""The approval step run again while its form is open, on Airflow's own tables."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy
from airflow.sdk.execution_time.comms import HITLDetailRequestResult
from approval_step import Review, Supervisor, TaskInstance, decisions, key
from sqlalchemy.orm import Session


class RealForms(Supervisor):
    """Airflow's own tables and its own code for making a form, without the servers between."""

    def __init__(self, folder: Path) -> None:
        from airflow.models.base import Base
        from airflow.models.dagrun import DagRun
        from airflow.models.taskinstance import TaskInstance as StoredTask
        from airflow.utils.db import import_all_models

        super().__init__()
        import_all_models()
        engine = sqlalchemy.create_engine(f"sqlite:///{folder}/airflow.db")
        sqlalchemy.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = ON"))
        Base.metadata.create_all(engine)
        self.session = Session(engine)
        self.session.execute(sqlalchemy.text("PRAGMA foreign_keys = OFF"))  # of the run only what the form hangs on
        now = datetime.now(UTC)
        _insert(self.session, DagRun, dag_id="night", run_id="run-1", run_type="manual", run_after=now, created_at=now)
        _insert(self.session, StoredTask, id=TaskInstance.id, dag_id="night", run_id="run-1", task_id="approve_flagged",
                state="awaiting_input", max_tries=2)  # fmt: skip
        self.session.commit()
        self.session.execute(sqlalchemy.text("PRAGMA foreign_keys = ON"))
        self.task = self.session.scalars(sqlalchemy.select(StoredTask)).one()

    def send(self, msg: Any) -> Any:
        from airflow.api_fastapi.execution_api.datamodels.hitl import HITLDetailRequest
        from airflow.api_fastapi.execution_api.routes.hitl import upsert_hitl_detail

        self.sent.append(msg)
        request = HITLDetailRequest.model_validate(msg.model_dump(exclude={"type"}))
        stored = upsert_hitl_detail(self.task.id, request, self.session)
        self.session.flush()
        return HITLDetailRequestResult(**stored.model_dump(exclude_defaults=True))

    def try_again(self) -> UUID:
        """What Airflow does on a retry and on a clear: the id of the next try."""
        self.task.prepare_db_for_next_try(self.session)
        self.session.flush()
        self.session.expire_all()
        return self.task.id


def _insert(session: Session, model: Any, **values: Any) -> None:
    """A row with what it must have, and nothing of what does not matter here."""
    for column in model.__table__.columns:
        if not (column.nullable or column.default or column.server_default or column.primary_key):
            values.setdefault(column.name, 1 if isinstance(column.type, sqlalchemy.Integer | sqlalchemy.Float) else "x")
    session.execute(model.__table__.insert().values(**values))


@pytest.fixture
def forms(review: Review, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealForms]:
    """The step asks Airflow's own tables."""
    from airflow.sdk.execution_time import task_runner

    forms = RealForms(tmp_path)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", forms)
    review.supervisor = forms
    yield forms
    forms.session.close()


@pytest.mark.parametrize("through", ["the API", "the UI"])
def test_after_a_retry_only_what_the_first_form_showed_is_decided(
    review: Review, forms: RealForms, flag: Callable[..., str], warehouse: psycopg.Connection, through: str
) -> None:
    """Airflow keeps the form of the first attempt; meanwhile one of its pieces was written again, for most of the people."""
    gone, stays = flag(people=2), flag(cta="Show me")
    first = review.ask().params
    warehouse.execute("DELETE FROM ops.message WHERE copy_id = %s", (gone,))
    new = flag(people=3, cta="Show us")
    review.ti.id = forms.try_again()
    review.ask()
    fields = {name: param["value"] for name, param in first.items()} if through == "the UI" else {}

    review.answer("Approve all", **fields)

    assert decisions(warehouse) == {
        stays: ("approved", None), new: ("timed_out", "the form shown was of an earlier attempt, without this piece"),
    }  # fmt: skip


def test_after_a_retry_with_none_of_the_pieces_in_the_form_nobody_waits_for_an_answer(
    review: Review, forms: RealForms, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    flag()
    review.ask()
    warehouse.execute("DELETE FROM ops.message")
    new = flag(cta="Show us")
    review.ti.id = forms.try_again()

    result = review.operator().execute(review.context)

    assert result == {"flagged": 1, "timed_out": 1}
    assert decisions(warehouse) == {new: ("timed_out", "the form shown was of an earlier attempt, without this piece")}


def test_after_a_retry_with_the_same_copy_the_old_form_decides_as_before(
    review: Review, forms: RealForms, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    first, second = flag(people=2), flag(cta="Show me")
    review.ask()
    review.ti.id = forms.try_again()
    review.ask()

    review.answer("As decided below", **{key(first): "approve", key(second): "reject"})

    assert decisions(warehouse) == {first: ("approved", None), second: ("rejected", None)}
