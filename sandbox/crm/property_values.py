"""What the CRM accepts as the value of a property."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from sandbox.crm.errors import invalid_properties

MAX_CHARACTERS = 65_536
EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>.]{2,}")
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def as_text(value: JsonValue) -> str | None:
    """The string that the CRM keeps for a JSON value; None clears the property. Lists and objects are no values."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return value or None if isinstance(value, str | None) else str(value)


def _as_kept(name: str, value: JsonValue) -> str | None:
    text = as_text(value)
    return text.strip().lower() if name == "email" and text else text


def checked(batch: list[dict[str, JsonValue]], definitions: Mapping[str, dict[str, Any]]) -> list[dict[str, str | None]]:
    """The values of a batch as text.

    Raises:
        HubSpotError: 400 with every problem found in the first record that has any.
    """
    texts = [{name: _as_kept(name, value) for name, value in properties.items()} for properties in batch]
    for properties, given in zip(texts, batch, strict=True):
        problems = [
            {"name": name, "error": problem[0], "message": problem[1]}
            for name, value in properties.items()
            if (problem := _problem(name, value, given[name], definitions.get(name)))
        ]
        if problems:
            raise invalid_properties(problems)
    return texts


def _problem(name: str, value: str | None, given: JsonValue, definition: dict[str, Any] | None) -> tuple[str, str] | None:
    if definition is None:
        return "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'
    if definition.get("modificationMetadata", {}).get("readOnlyValue"):
        return "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.'
    if isinstance(given, list | dict):
        return "INVALID_VALUE", f'The value of "{name}" must be a string'
    if value is None:
        return None
    if len(value) > MAX_CHARACTERS:
        return "VALUE_TOO_LONG", f'The value of "{name}" has {len(value)} characters; the limit is {MAX_CHARACTERS}'
    if "\x00" in value:
        return "INVALID_VALUE", f'The value of "{name}" contains a NUL character'
    if name == "email" and not EMAIL.fullmatch(value):
        return "INVALID_EMAIL", f"Email address {value[:200]} is invalid"
    if definition["type"] == "number" and not NUMBER.fullmatch(value):
        return "INVALID_NUMBER", f"{value[:200]} was not a valid number."
    options = [option["value"] for option in definition.get("options", [])]
    if definition["type"] == "enumeration" and options and not set(value.split(";")) <= set(options):
        return "INVALID_OPTION", f"{value[:200]} was not one of the allowed options: {options}"
    return None
