"""Notes and tasks on the timelines of HubSpot contacts. Both show HTML, so every word of ours is escaped here."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from html import escape
from typing import Any

from nurture.errors import TerminalError
from nurture.hooks.hubspot import ABOUT_RECORDS, HubSpotHook, PropertyDefinition
from nurture.hooks.hubspot_answers import redact
from nurture.ledger.destination import BatchRefused
from nurture.ledger.timeline import Created, Draft

KEY = "nurture_key"
OBJECTS = {"note": "notes", "task": "tasks"}
TO_CONTACT = {"note": 202, "task": 204}  # association types that HubSpot defines
BATCH_READ = 100  # vendor limit


class HubSpotEngagements(HubSpotHook):
    """A portal whose contacts get notes and tasks; see `nurture.ledger.timeline.Timeline`."""

    owner_property = "hubspot_owner_id"

    def ensure_keys(self, outputs: Sequence[str], *, group: str) -> None:
        """Give notes and tasks the property that carries our key, where the portal lacks it."""
        for output in outputs:
            self.ensure_properties([PropertyDefinition(KEY, "Nurture: key")], group=group, object_type=OBJECTS[output])

    def find(self, output: str, crm_ids: Sequence[str]) -> dict[str, str]:
        """See `Timeline.find`. Associations and records are read by id, so a write that was answered is seen at once."""
        record_ids = list(self._on_timelines(output, crm_ids))
        found: dict[str, str] = {}
        for start in range(0, len(record_ids), BATCH_READ):
            asked = {
                "inputs": [{"id": record_id} for record_id in record_ids[start : start + BATCH_READ]],
                "properties": [KEY],
                "propertiesWithHistory": [],
            }
            answer = self._call("POST", self._path("objects", f"{OBJECTS[output]}/batch/read"), json=asked)
            found |= {key: str(record["id"]) for record in answer["results"] if (key := record["properties"].get(KEY))}
        return found

    def create(self, output: str, drafts: Sequence[Draft], *, before_try: Callable[[], None] = lambda: None) -> Created:
        """See `Timeline.create`, also for what it raises."""
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": TO_CONTACT[output]}
        make = _note if output == "note" else _task
        values = [make(draft) for draft in drafts]
        inputs: list[dict[str, Any]] = [
            {
                "objectWriteTraceId": draft.key,  # with it a bad input is refused alone, and named
                "properties": {**properties, KEY: draft.key},
                "associations": [{"to": {"id": draft.crm_id}, "types": [kind]}],
            }
            for draft, properties in zip(drafts, values, strict=True)
        ]
        secrets = [words for draft in drafts for words in (draft.headline, draft.body, draft.cta)]
        secrets += [value for properties in values for value in properties.values()]
        answer = self._call(
            "POST", self._path("objects", f"{OBJECTS[output]}/batch/create"), json={"inputs": inputs}, is_write=True,
            secrets=secrets, before_try=before_try,
            blame=lambda status: BatchRefused if status in ABOUT_RECORDS else TerminalError,
        )  # fmt: skip
        records = ((_key_of(record), str(record["id"])) for record in answer.get("results") or [])
        return Created(
            record_ids={key: record_id for key, record_id in records if key}, errors=_errors_by_key(answer, secrets)
        )

    def _on_timelines(self, output: str, crm_ids: Sequence[str]) -> Iterator[str]:
        """Ids of the notes or tasks of contacts, page by page."""
        path = f"contacts/{OBJECTS[output]}/batch/read"
        path = f"/crm/v4/associations/{path}" if self._version.startswith("v") else self._path("associations", path)
        wanted: list[dict[str, Any]] = [{"id": crm_id} for crm_id in crm_ids]
        while wanted:
            answer = self._call("POST", path, json={"inputs": wanted})
            wanted = []
            for linked in answer["results"]:  # contacts without any are not in it, but among the errors of a 207
                yield from (str(to["toObjectId"]) for to in linked["to"])
                if after := linked.get("paging", {}).get("next", {}).get("after"):
                    wanted.append({"id": str(linked["from"]["id"]), "after": after})


def as_html(draft: Draft) -> str:
    """What a note or task shows: the draft, and where it is from. Nothing of it can be markup."""
    paragraphs = [f"<strong>{escape(draft.headline)}</strong>", *map(escape, re.split(r"\n\s*\n", draft.body.strip()))]
    paragraphs.append(escape(draft.cta))
    paragraphs.append(f"<em>{escape(f'Draft of Nurture: campaign {draft.campaign}, template {draft.template}')}</em>")
    return "".join(f"<p>{paragraph.replace(chr(10), '<br>')}</p>" for paragraph in paragraphs)


def _note(draft: Draft) -> dict[str, str]:
    return {"hs_timestamp": _moment(draft.confirmed_at), "hs_note_body": as_html(draft)} | _owner(draft)


def _task(draft: Draft) -> dict[str, str]:
    return {
        "hs_timestamp": _moment(draft.due_at),
        "hs_task_subject": "Follow up: " + " ".join(draft.headline.split()),  # shown as text, not as HTML
        "hs_task_body": as_html(draft),
        "hs_task_status": "NOT_STARTED",
        "hs_task_priority": draft.priority,
        "hs_task_type": "TODO",
    } | _owner(draft)


def _owner(draft: Draft) -> dict[str, str]:
    return {"hubspot_owner_id": draft.owner_id} if draft.owner_id else {}


def _moment(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))


def _key_of(record: dict[str, Any]) -> str | None:
    """Our key of a record just made, by whichever way the vendor gives it back."""
    key = (record.get("properties") or {}).get(KEY) or record.get("objectWriteTraceId")
    return str(key) if key else None


def _errors_by_key(answer: dict[str, Any], secrets: Sequence[str]) -> dict[str, str]:
    """The `errors` of a 207 by our key. An error that names no input is left out: nobody can say whose it is."""
    found: dict[str, str] = {}
    for error in answer.get("errors") or []:
        words = f"{error.get('category') or 'no category'}: {redact(str(error.get('message') or 'no message'), secrets)}"
        found |= {str(key): words for key in (error.get("context") or {}).get("objectWriteTraceId") or []}
    return found
