"""Notes and tasks: what HubSpot calls them, the properties that every portal has, and how they hang on a contact."""

from typing import Any, Literal

Kind = Literal["notes", "tasks"]

OBJECT_NAMES = {"contacts": "contacts?|0-1", "notes": "notes?|0-46", "tasks": "tasks?|0-27"}
"""The names of each type of object in a path, as a regular expression."""

GROUP = {"engagement": "Activity information"}
SYSTEM_PROPERTIES = ("hs_createdate", "hs_lastmodifieddate", "hs_object_id")
REQUIRED = "hs_timestamp"
SEARCHED = {"notes": ["hs_note_body"], "tasks": ["hs_task_body", "hs_task_subject"]}
"""Properties that a search with `query` looks into."""

TO_CONTACT = {"notes": 202, "tasks": 204}
FROM_CONTACT = {"notes": 201, "tasks": 203}
"""Association types that HubSpot defines, by direction."""

_COMMON: list[dict[str, Any]] = [
    {"name": REQUIRED, "label": "Activity date", "kind": "datetime", "field": "date"},
    {"name": "hubspot_owner_id", "label": "Activity assigned to", "kind": "string", "field": "text"},
    {"name": "hs_createdate", "label": "Create date", "kind": "datetime", "field": "date", "is_read_only": True},
    {
        "name": "hs_lastmodifieddate",
        "label": "Last modified date",
        "kind": "datetime",
        "field": "date",
        "is_read_only": True,
    },
    {"name": "hs_object_id", "label": "Record ID", "kind": "number", "field": "number", "is_read_only": True},
]
DEFAULTS: dict[str, list[dict[str, Any]]] = {
    "notes": [
        *_COMMON,
        {"name": "hs_note_body", "label": "Note body", "kind": "string", "field": "html"},
        {"name": "hs_attachment_ids", "label": "Attached file IDs", "kind": "string", "field": "text"},
    ],
    "tasks": [
        *_COMMON,
        {"name": "hs_task_subject", "label": "Task title", "kind": "string", "field": "text"},
        {"name": "hs_task_body", "label": "Task notes", "kind": "string", "field": "html"},
        {"name": "hs_task_reminders", "label": "Reminder", "kind": "string", "field": "text"},
        {"name": "hs_task_status", "label": "Task status", "kind": "enumeration", "field": "select",
         "options": ("NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED")},
        {"name": "hs_task_priority", "label": "Priority", "kind": "enumeration", "field": "select",
         "options": ("NONE", "LOW", "MEDIUM", "HIGH")},
        {"name": "hs_task_type", "label": "Task type", "kind": "enumeration", "field": "select",
         "options": ("TODO", "CALL", "EMAIL")},
    ],
}  # fmt: skip
