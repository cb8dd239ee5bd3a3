"""The approval step: what a reviewer is shown, and what becomes of the answer."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy
from airflow.sdk.exceptions import TaskAwaitingInput
from airflow.sdk.execution_time.comms import HITLDetailRequestResult
from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from nurture.copywriting.edits import with_markers
from nurture.copywriting.fact_store import sync_facts
from nurture.copywriting.facts import load_facts
from nurture.copywriting.pieces import Piece, read_piece, sha256
from nurture.copywriting.shapes import Limit, Shape
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


@pytest.fixture
def review(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Review:
    from airflow.sdk.execution_time import task_runner

    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    supervisor = Supervisor()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    return Review(supervisor)


@pytest.fixture
def forms(review: Review, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealForms]:
    """The step asks Airflow's own tables."""
    from airflow.sdk.execution_time import task_runner

    forms = RealForms(tmp_path)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", forms)
    review.supervisor = forms
    yield forms
    forms.session.close()


@pytest.fixture
def flag(warehouse: psycopg.Connection) -> Callable[..., str]:
    """Puts a flagged piece before the reviewer: `flag(people=3, headline="…")` gives back its id."""
    sync_facts(warehouse, load_facts().values())
    numbers = iter(range(1000))

    def add(*, people: int = 1, **texts: str) -> str:
        output = Piece.citing(TEXTS | texts, FACTS).stored()
        request = f"request {next(numbers)}"
        copy_id = sha256({"request_hash": request, "output": output})
        warehouse.execute(
            """
            INSERT INTO ops.copy (copy_id, request_hash, campaign, template_id, template_version, origin, model, parameters,
                                  context, fact_ids, output, verdict, reasons)
            VALUES (%s, %s, %s, 'lead_nurture', 1, 'model', 'writer-1', '{}', %s, %s, %s, 'flagged', %s)
            """,
            (copy_id, request, CAMPAIGN,
             Jsonb({"industry": "retail", "pain_point": "stock_errors", "recent_product": "LF-COUNT"}), Jsonb(FACTS),
             Jsonb(output), Jsonb([{"name": "discount", "found": "says 'deal'"}])),
        )  # fmt: skip
        for fact_id in FACTS:
            warehouse.execute("INSERT INTO ops.copy_source VALUES (%s, %s, 1, 'a handbook')", (copy_id, fact_id))
        warehouse.execute(
            "INSERT INTO ops.message SELECT %s, %s, 'p' || gen_random_uuid(), 'week-1', 'message of ' || %s, %s, %s,"
            " 'approval' FROM generate_series(1, %s)",
            (CAMPAIGN, DAY, copy_id, copy_id, copy_id, people),
        )
        warehouse.commit()
        return copy_id

    return add


def decisions(warehouse: psycopg.Connection) -> dict[str, tuple[str, str | None]]:
    rows = warehouse.execute("SELECT copy_id, decision, reason FROM ops.approval").fetchall()
    warehouse.commit()
    return {copy_id: (decision, reason) for copy_id, decision, reason in rows}


def key(copy_id: str, part: str = "") -> str:
    return f"piece_{copy_id[:12]}{part and '_'}{part}"


def test_the_reviewer_sees_copy_reasons_facts_and_people_and_a_form_for_each_piece(
    review: Review, flag: Callable[..., str]
) -> None:
    rare, common = flag(people=1, headline="A rare one"), flag(people=3)

    asked = review.ask()

    assert "2 flagged pieces" in asked.subject
    first = next(line for line in asked.body.splitlines() if line.startswith("| 1 |"))
    shown = ["| 3 |", "Your stock report every morning", "says 'deal'", "**insight\\-what**",
             "Larkfield Insight sends the stock report to your inbox every morning",
             f"/message?message_id=message of {common}"]  # fmt: skip
    assert [words for words in shown if words not in first] == []
    names = [(common, part) for part in ("", *TEXTS)] + [(rare, part) for part in ("", *TEXTS)]
    assert list(asked.params) == ["note", *(key(*name) for name in names)]
    assert asked.params[key(common)]["schema"]["enum"] == ["undecided", "approve", "reject", "edit"]
    assert asked.params[key(rare, "headline")]["value"] == "A rare one"
    assert asked.params[key(rare, "headline")]["schema"]["type"] == ["null", "string"]
    assert (asked.options, asked.defaults) == (["Approve all", "As decided below", "Use static copy"], ["Use static copy"])


def test_what_a_model_wrote_is_neither_markup_nor_a_template(review: Review, flag: Callable[..., str]) -> None:
    flag(headline="<script>x</script> [a](javascript:b) | {{ 7*7 }} www.evil.example https://evil.example **b** a@b.example")

    row = next(line for line in review.ask().body.splitlines() if line.startswith("| 1 |"))

    for markup in ("<script", "[a](", " **b**"):
        assert markup not in row
    for address in ("www.evil.example", "https://evil.example", "a@b.example"):
        assert f"`` {address} ``" in row
    assert "7\\*7" in row
    assert row.count(" | ") == 5


def test_each_piece_is_decided_on_its_own_and_who_when_and_why_are_kept(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    first, second, third = flag(people=3), flag(people=2, cta="Show me"), flag(people=1, cta="Show us")
    review.ask()

    result = review.answer("As decided below", note="agreed with legal",
                           **{key(first): "approve", key(second): "reject"})  # fmt: skip

    assert result == {"flagged": 3, "approved": 1, "rejected": 2}
    assert decisions(warehouse) == {
        first: ("approved", None), second: ("rejected", None), third: ("rejected", "it was left undecided"),
    }  # fmt: skip
    assert warehouse.execute("SELECT DISTINCT reviewer, note, decided_at, run_id FROM ops.approval").fetchall() == [
        ("robin", "agreed with legal", datetime(2026, 11, 21, 9, tzinfo=UTC), "run-1")
    ]


def test_an_edit_is_a_piece_of_its_own_judged_by_the_same_guardrails(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    copy_id = flag()
    review.ask()

    review.answer("As decided below", **{key(copy_id): "edit", key(copy_id, "cta"): "Show us how"})

    assert decisions(warehouse) == {copy_id: ("edited", None)}
    [row] = warehouse.execute(
        """
        SELECT edited.origin, edited.edited_from, edited.edited_by, edited.output ->> 'cta', edited.output ->> 'body',
               edited.model, edited.template_id, edited.verdict <> 'rejected',
               edited.copy_id = ops.content_id(edited.request_hash, edited.output),
               (SELECT array_agg(fact_id ORDER BY fact_id) FROM ops.copy_source WHERE copy_source.copy_id = edited.copy_id)
        FROM ops.approval JOIN ops.copy AS edited ON edited.copy_id = edited_copy_id
        """
    ).fetchall()
    assert row == ("edited", copy_id, "robin", "Show us how", BODY, "writer-1", "lead_nurture", True, True, FACTS)


@pytest.mark.parametrize(
    ("part", "text", "reason"),
    [
        ("body", BODY + " Only $1 today.", "the guardrails reject the edit: figures: "),
        ("cta", "Show me how, and " * 20, "the guardrails reject the edit: length: "),
        ("body", BODY.replace("38%", "83%"), "the guardrails reject the edit: figures: "),
    ],
)
def test_an_edit_that_the_guardrails_reject_is_kept_and_not_sent(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection, part: str, text: str, reason: str
) -> None:
    copy_id = flag()
    review.ask()

    review.answer("As decided below", **{key(copy_id): "edit", key(copy_id, part): text})

    decision, why = decisions(warehouse)[copy_id]
    assert (decision, (why or "")[: len(reason)]) == ("rejected", reason)
    assert warehouse.execute("SELECT origin, verdict FROM ops.copy WHERE edited_from = %s", (copy_id,)).fetchall() == [
        ("edited", "rejected")
    ]


def test_an_edit_may_only_rest_on_facts_that_hold_today(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    copy_id = flag()
    review.ask()
    warehouse.execute("UPDATE ops.fact SET is_current = false WHERE fact_id = 'count-accuracy'")
    warehouse.commit()

    review.answer("As decided below", **{key(copy_id): "edit", key(copy_id, "cta"): "Show us how"})

    decision, why = decisions(warehouse)[copy_id]
    assert decision == "rejected"
    assert "count-accuracy" in (why or "")


def test_approve_all_through_the_api_needs_no_fields(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    first, second = flag(people=2), flag(cta="Show me")
    review.ask()

    review.answer("Approve all", note="fine")

    assert decisions(warehouse) == {first: ("approved", None), second: ("approved", None)}


def test_no_answer_is_no_approval_and_is_asked_again_when_the_step_runs_again(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    copy_id = flag()
    review.ask()

    review.answer("Use static copy", timedout=True)

    assert decisions(warehouse) == {copy_id: ("timed_out", None)}
    assert "1 flagged pieces" in review.ask().subject


def test_an_answer_approves_only_what_was_shown(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    """While the form was open the night's copy was written again: the people have other pieces by now."""
    shown = flag()
    review.ask()
    warehouse.execute("DELETE FROM ops.message")
    flag(cta="Show me")

    review.answer("Approve all")

    assert decisions(warehouse) == {shown: ("approved", None)}


def test_bytes_that_changed_after_they_were_shown_are_not_approved(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    copy_id = flag()
    review.ask()
    warehouse.execute('UPDATE ops.copy SET output = output || \'{"cta": "Pay now"}\'')
    warehouse.commit()

    review.answer("Approve all")

    assert decisions(warehouse) == {copy_id: ("rejected", f"the bytes of {copy_id[:12]} were changed after they were shown")}


def test_what_does_not_fit_into_the_form_is_static_and_the_reviewer_is_told(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    pieces = [flag(people=30 - n, cta=f"Show {n}") for n in range(21)]
    asked = review.ask()

    review.answer("Approve all")

    assert len(asked.params) == 1 + 20 * 4
    assert "1 more pieces for 10 people do not fit into one form" in asked.body
    kept = decisions(warehouse)
    assert {kept.pop(piece) for piece in pieces[:20]} == {("approved", None)}
    assert kept == {pieces[20]: ("timed_out", "the form had no room for it")}
    review.supervisor.form = None  # another run of the night
    assert "1 flagged pieces" in review.ask().subject


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


def test_an_answer_outlives_a_warehouse_that_hiccups_while_it_is_kept(
    review: Review, flag: Callable[..., str], warehouse: psycopg.Connection
) -> None:
    """The server ends the connection in the middle of the first attempt; a sequence is not rolled back, so only then."""
    copy_id = flag()
    review.ask()
    warehouse.execute("CREATE SEQUENCE attempt")
    warehouse.execute(
        """
        CREATE FUNCTION hiccup() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('attempt') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
            RETURN NEW;
        END $$
        """
    )
    warehouse.execute("CREATE TRIGGER hiccup BEFORE INSERT ON ops.approval FOR EACH ROW EXECUTE FUNCTION hiccup()")
    warehouse.commit()

    review.answer("As decided below", **{key(copy_id): "edit", key(copy_id, "cta"): "Show us how"})

    assert decisions(warehouse) == {copy_id: ("edited", None)}
    assert warehouse.execute("SELECT last_value FROM attempt").fetchone() == (2,)


def test_with_nothing_flagged_nobody_is_asked(review: Review) -> None:
    assert review.operator().execute(review.context) == {"flagged": 0}


def test_where_each_sentence_has_its_facts_the_form_shows_them_and_reads_them_back() -> None:
    shape = Shape(limits={"body": Limit(max_words=99, max_characters=999)}, citations="sentence")
    text = "Hello {first_name},\n\nCount counts. [count-what, count-price] It costs $49. [count-price] Shall we talk?"
    piece = read_piece(json.dumps({"body": text}), shape)

    shown = with_markers(piece, "body", piece.texts["body"])

    assert (shown, piece.texts["body"]) == (text, "Hello {first_name},\n\nCount counts. It costs $49. Shall we talk?")
