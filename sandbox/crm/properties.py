"""Definitions of properties of contacts, notes and tasks: what a portal has from the start, and what is added."""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from sandbox.crm.database import Connection
from sandbox.crm.engagement_kinds import DEFAULTS, GROUP
from sandbox.crm.records import iso

NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
GROUPS = {"contactinformation": "Contact information", "emailinformation": "Email information"}
SUBSCRIPTIONS = {
    101: ("Marketing information", "Offers, product news and webinars"),
    102: ("One to one", "One to one e-mails"),
    103: ("Customer service communication", "Feedback requests and service information"),
}
# name, label, type, field type
STANDARD = [
    ("email", "Email", "string", "text"), ("firstname", "First name", "string", "text"),
    ("lastname", "Last name", "string", "text"), ("phone", "Phone number", "string", "phonenumber"),
    ("mobilephone", "Mobile phone number", "string", "phonenumber"), ("company", "Company name", "string", "text"),
    ("jobtitle", "Job title", "string", "text"), ("industry", "Industry", "string", "text"),
    ("website", "Website URL", "string", "text"), ("address", "Street address", "string", "text"),
    ("city", "City", "string", "text"), ("state", "State/Region", "string", "text"),
    ("zip", "Postal code", "string", "text"),
    ("country", "Country/Region", "string", "text"), ("hs_timezone", "Time zone", "string", "text"),
    ("hs_language", "Preferred language", "string", "text"), ("hs_persona", "Persona", "string", "text"),
    ("hubspot_owner_id", "Contact owner", "string", "text"), ("hubspotscore", "HubSpot score", "number", "number"),
    ("hs_latest_source", "Latest traffic source", "string", "text"), ("message", "Message", "string", "textarea"),
]  # fmt: skip
READ_ONLY = [
    ("hs_object_id", "Record ID", "number", "number"), ("createdate", "Create date", "datetime", "date"),
    ("lastmodifieddate", "Last modified date", "datetime", "date"),
    ("hs_merged_object_ids", "Merged record IDs", "enumeration", "checkbox"),
    ("hs_additional_emails", "Additional email addresses", "enumeration", "checkbox"),
    ("hs_email_optout", "Unsubscribed from all email", "enumeration", "booleancheckbox"),
    ("hs_email_hard_bounce_reason_enum", "Email hard bounce reason", "enumeration", "select"),
    *((f"hs_email_optout_{number}", f"Opted out of email: {name}", "enumeration", "booleancheckbox")
      for number, (name, _) in SUBSCRIPTIONS.items()),
]  # fmt: skip
CHOICES = [
    ("lifecyclestage", "Lifecycle stage", [
        "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist",
        "other",
    ]),
    ("hs_lead_status", "Lead status", [
        "NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT", "CONNECTED", "BAD_TIMING",
    ]),
]  # fmt: skip


class Option(BaseModel):
    label: str
    value: str
    displayOrder: int = -1
    hidden: bool = False
    description: str = ""


class PropertyCreate(BaseModel):
    """What a caller sends to define a property."""

    name: Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
    label: str
    type: Literal["string", "number", "date", "datetime", "enumeration", "bool", "phone_number"]
    fieldType: str
    groupName: str
    description: str = ""
    options: list[Option] = []
    displayOrder: int = -1
    hasUniqueValue: bool = False
    hidden: bool = False
    formField: bool = False


async def create_defaults(connection: Connection) -> None:
    """Give the portal its groups, properties and subscription types; what is there stays as it is."""
    for object_type, groups_of_type in {"contacts": GROUPS, **dict.fromkeys(DEFAULTS, GROUP)}.items():
        await connection.execute(
            "INSERT INTO crm.property_groups (name, label, display_order, object_type)"
            " SELECT key, value, -1, %s FROM jsonb_each_text(%s::jsonb) ON CONFLICT DO NOTHING",
            (object_type, json.dumps(groups_of_type)),
        )
    await add(connection, _default_definitions())
    for object_type, fields in DEFAULTS.items():
        await add(connection, [_built_in(**field) for field in fields], object_type)
    await connection.execute(
        "INSERT INTO crm.subscription_definitions SELECT key::bigint, value ->> 0, value ->> 1 FROM jsonb_each(%s::jsonb)"
        " ON CONFLICT DO NOTHING",
        (json.dumps(SUBSCRIPTIONS),),
    )


async def definitions(connection: Connection, object_type: str = "contacts") -> dict[str, dict[str, Any]]:
    """Every definition of a type of object by name, as stored."""
    found = await connection.execute("SELECT name, definition FROM crm.properties WHERE object_type = %s", (object_type,))
    rows = await found.fetchall()
    return {str(row["name"]): row["definition"] for row in rows}


async def groups(connection: Connection, object_type: str = "contacts") -> list[dict[str, Any]]:
    found = await connection.execute(
        "SELECT * FROM crm.property_groups WHERE object_type = %s ORDER BY name", (object_type,)
    )
    rows = await found.fetchall()
    return [
        {"name": row["name"], "label": row["label"], "displayOrder": row["display_order"], "archived": False} for row in rows
    ]


async def add(connection: Connection, wanted: list[dict[str, Any]], object_type: str = "contacts") -> set[str]:
    """Add definitions; answers the names that were new. A name that is there keeps its definition."""
    rows = await connection.execute(
        "INSERT INTO crm.properties (object_type, name, definition)"
        " SELECT %s, value ->> 'name', value FROM jsonb_array_elements(%s::jsonb)"
        " ON CONFLICT (object_type, name) DO NOTHING RETURNING name",
        (object_type, json.dumps(wanted)),
    )
    return {str(row["name"]) for row in await rows.fetchall()}


def as_delivered(definition: dict[str, Any]) -> dict[str, Any]:
    """A definition with every key that the properties API delivers."""
    moment = definition.get("createdAt", "2019-08-06T02:41:08.029Z")
    return {
        "description": "", "options": [], "displayOrder": -1, "hasUniqueValue": definition["name"] == "email",
        "hidden": False, "formField": False, "calculated": False, "externalOptions": False, "archived": False,
        "hubspotDefined": False, "createdAt": moment, "updatedAt": moment,
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False},
        **definition,
    }  # fmt: skip


def defined_now(wanted: PropertyCreate) -> dict[str, Any]:
    """The definition to store for a property that is created now."""
    return {**wanted.model_dump(), "createdAt": iso(datetime.now(UTC))}


def _default_definitions() -> list[dict[str, Any]]:
    common = {"groupName": "contactinformation", "hubspotDefined": True}
    writable = {"archivable": False, "readOnlyDefinition": True, "readOnlyValue": False}
    fields = ("name", "label", "type", "fieldType")
    return [
        *({**dict(zip(fields, p, strict=True)), **common, "modificationMetadata": writable} for p in STANDARD),
        *({**dict(zip(fields, p, strict=True)), **common, "modificationMetadata": {**writable, "readOnlyValue": True}}
          for p in READ_ONLY),
        *({"name": name, "label": label, "type": "enumeration", "fieldType": "radio", **common,
           "modificationMetadata": writable,
           "options": [{"label": value, "value": value, "displayOrder": n, "hidden": False} for n, value in
                       enumerate(values)]}
          for name, label, values in CHOICES),
    ]  # fmt: skip


def _built_in(
    name: str, label: str, kind: str, field: str, options: tuple[str, ...] = (), is_read_only: bool = False
) -> dict[str, Any]:
    """A definition that every portal has, of a note or a task."""
    return {
        "name": name, "label": label, "type": kind, "fieldType": field, "groupName": next(iter(GROUP)),
        "hubspotDefined": True,
        "modificationMetadata": {"archivable": False, "readOnlyDefinition": True, "readOnlyValue": is_read_only},
        "options": [{"label": value, "value": value, "displayOrder": n, "hidden": False} for n, value in enumerate(options)],
    }  # fmt: skip
