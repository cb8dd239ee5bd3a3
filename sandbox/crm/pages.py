"""Two plain pages for a person who wants to look at what was pushed. Everything from the store is escaped."""

from html import escape
from typing import get_args

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from sandbox.crm import contacts, engagements, records
from sandbox.crm.database import Connection, statement
from sandbox.crm.engagement_kinds import Kind

SHOWN = 500

router = APIRouter(default_response_class=HTMLResponse)

LAYOUT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} · Sandbox CRM</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1d2733 }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid #dde3ea }}
td {{ white-space: pre-wrap; overflow-wrap: anywhere }}
th {{ font-weight: 600 }} a {{ color: #0b5cad }}
</style></head>
<body><h1>Sandbox CRM (synthetic people)</h1>
{content}
</body></html>"""


@router.get("/")
async def messages(request: Request) -> Response:
    """The contacts that carry a message, last written first."""
    async with request.app.state.database.transaction() as connection:
        rows = await (await connection.execute(statement("list_messages"), {"rows": SHOWN})).fetchall()
    lines = "".join(
        f'<tr><td><a href="/contacts/{row["id"]}">{row["id"]}</a></td>'
        + "".join(f"<td>{escape(row[column] or '')}</td>" for column in ("name", "subject", "campaign", "message_id"))
        + f"<td>{records.iso(row['modified_at'])}</td></tr>"
        for row in rows
    )
    total = rows[0]["total"] if rows else 0
    shown = f"{total} contacts carry a message" + (f"; the last {SHOWN} are shown." if total > SHOWN else ".")
    head = "<tr><th>Id<th>Name<th>Subject<th>Campaign<th>Message<th>Written (UTC)</tr>"
    table = f"<table>{head}{lines}</table>" if rows else ""
    return HTMLResponse(LAYOUT.format(title="Messages", content=f"<p>{shown}</p>{table}"))


@router.get("/contacts/{contact_id}")
async def one_contact(request: Request, contact_id: str) -> Response:
    """Every property of one contact; a merged id shows the survivor, an archived one says so."""
    async with request.app.state.database.transaction() as connection:
        for archived in (False, True):
            [row] = await contacts.read(connection, [contact_id], id_property=None, archived=archived)
            if row["id"] is not None:
                break
        timeline = await _timeline(connection, row["id"]) if row["id"] is not None else ""
    back = '<p><a href="/">All messages</a></p>'
    if row["id"] is None:
        return HTMLResponse(LAYOUT.format(title="Not found", content=f"{back}<p>There is no such contact.</p>"), 404)
    record = records.contact(row, row["properties"])
    lines = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in sorted(record["properties"].items())
    )
    archived_note = "<p><strong>This contact is archived.</strong></p>" if record["archived"] else ""
    content = f"{back}<h2>Contact {record['id']}</h2>{archived_note}<table>{lines}</table>{timeline}"
    return HTMLResponse(LAYOUT.format(title=f"Contact {record['id']}", content=content))


async def _timeline(connection: Connection, contact_id: int) -> str:
    """The notes and tasks of a contact, as their source: HubSpot shows their HTML, this page does not."""
    tables = ""
    for kind in get_args(Kind):
        ids = (await engagements.shown_on(connection, kind, [contact_id])).get(contact_id, [])
        rows = await engagements.read(connection, kind, [str(engagement_id) for engagement_id in ids])
        for engagement_id, row in rows.items():
            record = records.engagement(row, row["properties"])
            lines = "".join(
                f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
                for name, value in sorted(record["properties"].items())
            )
            tables += f"<h3>{kind[:-1].capitalize()} {engagement_id}</h3><table>{lines}</table>"
    return f"<h2>Timeline</h2>{tables}" if tables else ""
