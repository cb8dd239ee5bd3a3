"""The pages under `/nurture`: nights, flagged copy, messages, a gate's Data Docs. Reads the warehouse only.

Airflow does not authenticate the apps of plugins: the dependency on `get_user` does, for every route.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import GetUserDep, get_user
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse, Response

from nurture.scorecard import queries
from nurture.scorecard.dead_letters import State, dead_letters_page
from nurture.scorecard.pages import render
from nurture.scorecard.privacy_export import download, may_answer

# No scripts, nothing from elsewhere, and no access to Airflow's cookie from a page that holds text of others.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
SANDBOXED = {**HEADERS, "Content-Security-Policy": f"sandbox; {HEADERS['Content-Security-Policy']}"}


def warehouse() -> Iterator[Any]:
    """A connection to the warehouse for the time of one request."""
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    with PostgresHook(postgres_conn_id="warehouse").get_conn() as connection:
        yield connection


def may_see_people(user: Any, dag_id: str) -> bool:
    """Whether `user` may see personal data of the campaign: who may trigger its DAG could make it write to these people."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails

    may: bool = get_auth_manager().is_authorized_dag(
        method="POST", access_entity=DagAccessEntity.RUN, details=DagDetails(id=dag_id), user=user
    )
    return may


Warehouse = Annotated[Any, Depends(warehouse)]

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(get_user)])


@app.get("/")
def nights(connection: Warehouse) -> HTMLResponse:
    """The latest nights."""
    return HTMLResponse(render("nights", nights=queries.nights(connection)), headers=HEADERS)


@app.get("/run")
def run(connection: Warehouse, dag_id: str, run_id: str) -> HTMLResponse:
    """One night on one page."""
    night = queries.run(connection, dag_id, run_id)
    if night is None:
        return _missing("No report of this run yet.", f"{dag_id} · {run_id}: the page fills when its first gate has looked.")
    gates = queries.gate_results(connection, dag_id, run_id)
    messages = queries.messages(connection, dag_id, str(night["day"]))
    page = render("run", dag_id=dag_id, run_id=run_id, night=night, gates=gates, messages=messages)
    return HTMLResponse(page, headers=HEADERS)


@app.get("/message")
def message(connection: Warehouse, message_id: str, person_id: str | None = None) -> HTMLResponse:
    """Where one message comes from, down to the fact, the call and the event."""
    lineage = queries.message(connection, message_id)
    if lineage is None:
        return _missing(
            "There is no such message.", f"{message_id}: ids of messages are in ops.message and ops.push_ledger."
        )
    recipients = queries.recipients(connection, message_id, person_id or None)
    page = render("message", message=lineage, recipients=recipients, person_id=person_id)
    return HTMLResponse(page, headers=HEADERS)


@app.get("/dry-run")
def dry_run(connection: Warehouse, user: Annotated[Any, Depends(get_user)], dag_id: str, run_id: str) -> HTMLResponse:
    """What a dry run would have written: counts for everybody, people for who may trigger the DAG."""
    counts = queries.dry_run_counts(connection, dag_id, run_id)
    if not counts:
        return _missing("No dry run.", f"{dag_id} · {run_id}: no dry run, nobody to write to, or expired.")
    rows = queries.dry_run_rows(connection, dag_id, run_id) if may_see_people(user, dag_id) else None
    page = render("dry_run", dag_id=dag_id, run_id=run_id, counts=counts, rows=rows)
    return HTMLResponse(page, headers={**HEADERS, "Cache-Control": "no-store"})


@app.get("/review")
def review(connection: Warehouse, campaign: str, day: date) -> HTMLResponse:
    """Flagged copy of one night and what was decided on it."""
    pieces = queries.review(connection, campaign, day.isoformat())
    if not pieces:
        return _missing("Nothing was flagged.", f"{campaign} · {day}: no piece of this night needed a person.")
    return HTMLResponse(render("review", campaign=campaign, day=day, pieces=pieces), headers=HEADERS)


@app.get("/dead-letters")
def dead_letters(
    connection: Warehouse,
    source: str | None = None,
    state: State = "open",
    dag_id: str | None = None,
    run_id: str | None = None,
) -> HTMLResponse:
    """What could not be used, and what to do about it."""
    page = dead_letters_page(connection, source=source or None, state=state, dag_id=dag_id, run_id=run_id)
    return HTMLResponse(page, headers=HEADERS)


@app.get("/privacy-export", dependencies=[may_answer])
def privacy_export(connection: Warehouse, request_id: int, user: GetUserDep) -> Response:
    """What is kept of a person, as a file; not for viewers."""
    return download(connection, request_id, user) or _missing(
        "There is no such export.",
        f"Request {request_id}: an export is deleted after some days; run the DAG privacy_request again.",
    )


@app.get("/data-docs")
def data_docs(connection: Warehouse, dag_id: str, run_id: str, gate: str) -> HTMLResponse:
    """What Great Expectations rendered for one gate, in a sandbox."""
    html = queries.data_docs(connection, dag_id, run_id, gate)
    if html is None:
        return _missing(
            "No Data Docs of this gate yet.", f"{dag_id} · {run_id} · {gate}: they are written when the gate has looked."
        )
    return HTMLResponse(html, headers=SANDBOXED)


def _missing(title: str, detail: str) -> HTMLResponse:
    return HTMLResponse(render("missing", title=title, detail=detail), status_code=404, headers=HEADERS)
