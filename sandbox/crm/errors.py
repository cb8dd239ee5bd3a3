"""Errors in HubSpot's shape: `{status, message, correlationId, category, subCategory?, context?, errors?}`."""

import json
from collections.abc import Callable, Collection
from typing import Any
from uuid import uuid4


class HubSpotError(Exception):
    """A request that the CRM refuses; the server answers with `status` and `body`.

    Attributes:
        more: further keys of the body: `subCategory`, `context`, `errors`, `policyName`, …
    """

    def __init__(
        self, status: int, message: str, category: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body = {
            "status": "error", "message": message, "correlationId": str(uuid4()), "category": category, **more,
        }  # fmt: skip


def invalid_input(message: str, **more: Any) -> HubSpotError:
    """400: the request itself is wrong."""
    return HubSpotError(400, message, "VALIDATION_ERROR", **more)


def invalid_properties(problems: list[dict[str, str]]) -> HubSpotError:
    """400: property values are wrong; `problems` holds `{name, error, message}` of each."""
    details = [{"isValid": False, "message": p["message"], "error": p["error"], "name": p["name"]} for p in problems]
    return invalid_input(
        f"Property values were not valid: {json.dumps(details)}",
        errors=[{"message": p["message"], "code": p["error"], "context": {"propertyName": [p["name"]]}} for p in problems],
    )


def conflict(message: str) -> HubSpotError:
    """409: something of that name or address is there already."""
    return HubSpotError(409, message, "CONFLICT")


def not_found() -> HubSpotError:
    """404: no such object."""
    return HubSpotError(404, "resource not found", "OBJECT_NOT_FOUND")


def known_in(names: Collection[str]) -> Callable[[str], str]:
    """Lets the names of objects that the sandbox keeps pass; another is 404."""

    def check(name: str) -> str:
        if name not in names:
            raise not_found()
        return name

    return check


def missing_objects(verb: str, ids: list[str], kind: str = "CONTACT") -> dict[str, Any]:
    """The entry in `errors` of a 207 answer that names the ids for which nothing was found."""
    return {
        "status": "error", "category": "OBJECT_NOT_FOUND", "context": {"ids": ids},
        "message": f"Could not {verb} some {kind} objects, they may be deleted or not exist. Check that ids are valid.",
    }  # fmt: skip
