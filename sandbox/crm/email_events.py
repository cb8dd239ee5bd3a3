"""`GET /email/public/v1/events`: what happened to marketing e-mails. Rows come in through the admin route."""

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from sandbox.crm.database import statement
from sandbox.crm.errors import invalid_input

router = APIRouter()


@router.get("/email/public/v1/events")
async def list_email_events(
    request: Request,
    recipient: str | None = None,
    event_type: Annotated[str | None, Query(alias="eventType")] = None,
    campaign_id: Annotated[int | None, Query(alias="campaignId")] = None,
    start: Annotated[int | None, Query(alias="startTimestamp")] = None,
    end: Annotated[int | None, Query(alias="endTimestamp")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
    offset: str | None = None,
) -> Response:
    """Newest first; times are milliseconds since 1970, both bounds included."""
    before_ms, before_id = _position(offset) if offset else (None, None)
    bound = {
        "recipient": recipient, "type": event_type, "campaign_id": campaign_id, "from_ms": start, "to_ms": end,
        "before_ms": before_ms, "before_id": before_id, "rows": limit + 1,
    }  # fmt: skip
    async with request.app.state.database.transaction() as connection:
        rows = await (await connection.execute(statement("list_email_events"), bound)).fetchall()
    answer: dict[str, Any] = {"hasMore": len(rows) > limit, "events": [row["event"] for row in rows[:limit]]}
    if rows:
        answer["offset"] = _token(rows[:limit][-1])
    return JSONResponse(answer)


def _token(row: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(f"{row['created_ms']}:{row['id']}".encode()).decode()


def _position(token: str) -> tuple[int, str]:
    try:
        created, _, event_id = base64.urlsafe_b64decode(token).decode().partition(":")
        return int(created), event_id
    except (binascii.Error, ValueError):
        raise invalid_input("The offset is none that this endpoint gave.") from None
