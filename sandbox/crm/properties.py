"""Definitions of contact properties: what a portal has from the start, and what is added."""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from sandbox.crm.database import Connection
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
    await connection.execute(
        "INSERT INTO crm.property_groups SELECT key, value, -1 FROM jsonb_each_text(%s::jsonb) ON CONFLICT DO NOTHING",
        (json.dumps(GROUPS),),
    )
    await add(connection, _default_definitions())
    await connection.execute(
        "INSERT INTO crm.subscription_definitions SELECT key::bigint, value ->> 0, value ->> 1 FROM jsonb_each(%s::jsonb)"
        " ON CONFLICT DO NOTHING",
        (json.dumps(SUBSCRIPTIONS),),
    )


async def definitions(connection: Connection) -> dict[str, dict[str, Any]]:
    """Every definition by name, as stored."""
    rows = await (await connection.execute("SELECT name, definition FROM crm.properties")).fetchall()
    return {str(row["name"]): row["definition"] for row in rows}


async def groups(connection: Connection) -> list[dict[str, Any]]:
    rows = await (await connection.execute("SELECT * FROM crm.property_groups ORDER BY name")).fetchall()
    return [
        {"name": row["name"], "label": row["label"], "displayOrder": row["display_order"], "archived": False} for row in rows
    ]


async def add(connection: Connection, wanted: list[dict[str, Any]]) -> set[str]:
    """Add definitions; answers the names that were new. A name that is there keeps its definition."""
    rows = await connection.execute(
        "INSERT INTO crm.properties (name, definition) SELECT value ->> 'name', value FROM jsonb_array_elements(%s::jsonb)"
        " ON CONFLICT (name) DO NOTHING RETURNING name",
        (json.dumps(wanted),),
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
