"""What is kept of a person, as a file: for those who may answer such a request, and each download is noted."""

from typing import Any

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends
from fastapi.responses import Response

from nurture.warehouse.statements import statement

DAG_ID = "privacy_request"
HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}

may_answer = Depends(requires_access_dag(method="POST", access_entity=DagAccessEntity.RUN, param_dag_id=DAG_ID))
"""Lets pass who may start the DAG `privacy_request`; a viewer may not."""


def download(connection: Any, request_id: int, user: GetUserDep) -> Response | None:
    """The export of one request, noted before it is handed out; None when there is none, or not any more."""
    bound = {"request_id": request_id, "downloaded_by": user.get_name()}
    row = connection.execute(statement("privacy/download.sql"), bound).fetchone()
    connection.commit()
    if row is None:
        return None
    disposition = f'attachment; filename="privacy-request-{request_id}.json"'
    return Response(row[0], headers=HEADERS | {"Content-Disposition": disposition})
