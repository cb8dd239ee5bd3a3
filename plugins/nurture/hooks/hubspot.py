"""HubSpot contacts over the Airflow connection of type HTTP."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook

from nurture.errors import TerminalError
from nurture.hooks.hubspot_answers import row_errors
from nurture.hooks.hubspot_portal import HubSpotPortal
from nurture.ledger.destination import BatchRefused, BatchResult
from nurture.ledger.quota import RequestQuota
from nurture.policy import Crm
from nurture.warehouse.crm_contact_rows import Contact

SEARCH_PAGE = 200  # vendor limit
HISTORY_PAGE = 50  # vendor limit of a batch read with history
MERGED_IDS = "hs_merged_object_ids"
ABOUT_RECORDS = {400, 404, 409, 413, 422}  # statuses of a batch write that a single record can cause


OPTIONS = {
    "booleancheckbox": [
        {"label": label, "value": value, "displayOrder": place, "hidden": False}
        for place, (label, value) in enumerate((("Yes", "true"), ("No", "false")))
    ]
}
"""What the vendor asks for with a check box."""


@dataclass(frozen=True)
class PropertyDefinition:
    """A contact property that the portal must have. `field_type` and `value_type` are the vendor's words."""

    name: str
    label: str
    field_type: str = "text"
    value_type: str = "string"


class HubSpotHook(HubSpotPortal):
    """Contacts of one HubSpot portal. Its connection, arguments and what is tried again: see `HubSpotPortal`."""

    def iter_contacts(self, *, archived: bool, properties: Iterable[str]) -> Iterator[Contact]:
        """All living or all archived contacts, by id."""
        asked = {"limit": self.policy.page_size, "archived": str(archived).lower(), "properties": ",".join(properties)}
        while True:
            answer = self._call("GET", self._path("objects", "contacts"), params=asked)
            yield from map(_contact, answer["results"])
            after = answer.get("paging", {}).get("next", {}).get("after")
            if not after:
                return
            asked["after"] = after

    def iter_changed_contacts(self, since: datetime, properties: Iterable[str]) -> Iterator[Contact]:
        """Living contacts modified at or after `since`.

        Walks record ids instead of pages: the search stops at 10,000 results, and paging by time never ends when more
        contacts than that share a timestamp.
        """
        properties = list(properties)
        last_id = 0
        while True:
            search = {
                "filterGroups": [{"filters": [
                    {"propertyName": "lastmodifieddate", "operator": "GTE", "value": str(int(since.timestamp() * 1000))},
                    {"propertyName": "hs_object_id", "operator": "GT", "value": str(last_id)},
                ]}],
                "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                "properties": properties,
                "limit": SEARCH_PAGE,
            }  # fmt: skip
            results = self._call("POST", self._path("objects", "contacts/search"), json=search)["results"]
            yield from map(_contact, results)
            if len(results) < SEARCH_PAGE:
                return
            last_id = max(int(result["id"]) for result in results)

    def batch_read(
        self,
        crm_ids: Sequence[str],
        properties: Sequence[str],
        *,
        history_of: Sequence[str] = (),
        follow_merges: bool = False,
    ) -> dict[str, Contact]:
        """Contacts by the id asked for, up to 100. See `Destination.batch_read`."""
        found: dict[str, Contact] = {}
        size = HISTORY_PAGE if history_of else len(crm_ids)
        for start in range(0, len(crm_ids), size or 1):
            asked = {
                "inputs": [{"id": crm_id} for crm_id in crm_ids[start : start + size]],
                "properties": [*properties, *([MERGED_IDS] if follow_merges else [])],
                "propertiesWithHistory": list(history_of),
            }
            answer = self._call("POST", self._path("objects", "contacts/batch/read"), json=asked)
            found |= {contact.crm_id: contact for contact in map(_contact, answer["results"])}
        if follow_merges:  # the CRM answers the id of a merged contact with its survivor, and does not say which id it was
            for survivor in list(found.values()):
                losing_ids = (survivor.properties.get(MERGED_IDS) or "").split(";")
                found = {crm_id.strip(): survivor for crm_id in losing_ids} | found
        return {crm_id: found[crm_id] for crm_id in crm_ids if crm_id in found}

    def batch_update(
        self, inputs: Mapping[str, Mapping[str, str]], *, before_try: Callable[[], None] = lambda: None
    ) -> BatchResult:
        """Write properties of up to 100 contacts. See `Destination.batch_update`, also for what it raises."""
        body = {"inputs": [{"id": crm_id, "properties": dict(values)} for crm_id, values in inputs.items()]}
        secrets = [value for values in inputs.values() for value in values.values()]
        answer = self._call(
            "POST", self._path("objects", "contacts/batch/update"), json=body, is_write=True, secrets=secrets,
            before_try=before_try,
            blame=lambda status: BatchRefused if status in ABOUT_RECORDS else TerminalError,
        )  # fmt: skip
        updated = frozenset(str(result["id"]) for result in answer.get("results") or [])
        return BatchResult(updated=updated & inputs.keys(), errors=row_errors(answer, secrets))

    def ensure_properties(
        self, definitions: Sequence[PropertyDefinition], *, group: str, object_type: str = "contacts"
    ) -> list[str]:
        """Create the properties of contacts (or of another type of object) that the portal lacks, and return their names."""
        path = self._path("properties", object_type)
        present = {item["name"] for item in self._call("GET", path)["results"]}
        missing = [item for item in definitions if item.name not in present]
        if missing:
            groups = {item["name"] for item in self._call("GET", f"{path}/groups")["results"]}
            if group not in groups:
                self._create(f"{path}/groups", {"name": group, "label": group.capitalize(), "displayOrder": -1})
        for item in missing:
            self._create(path, {"name": item.name, "label": item.label, "type": item.value_type, "groupName": group,
                                "fieldType": item.field_type, "options": OPTIONS.get(item.field_type, [])})  # fmt: skip
        return [item.name for item in missing]

    def _create(self, path: str, definition: dict[str, Any]) -> None:
        """Create a definition; one that somebody else created a moment ago is as good, so it may be repeated."""
        self._call("POST", path, json=definition, accept={409})


@contextmanager
def paced_hubspot(crm_conn_id: str, warehouse_conn_id: str, *, policy: Crm) -> Iterator[HubSpotHook]:
    """The portal as every task must use it: each request takes its turn in the quota that the warehouse keeps for all."""
    warehouse = PostgresHook(postgres_conn_id=warehouse_conn_id)
    with RequestQuota(lambda: cast(psycopg.Connection, warehouse.get_conn()), conn_id=crm_conn_id, policy=policy) as quota:
        yield HubSpotHook(crm_conn_id, policy=policy, quota=quota)


def _contact(record: dict[str, Any]) -> Contact:
    """A record of any endpoint as a `Contact`."""
    given = record.get("properties") or {}
    properties = {name: None if value is None else str(value) for name, value in given.items()}
    properties.setdefault("lastmodifieddate", record.get("updatedAt"))
    history = {
        name: frozenset(str(version["value"]) for version in versions if version.get("value"))
        for name, versions in (record.get("propertiesWithHistory") or {}).items()
    }
    return Contact(
        crm_id=str(record["id"]),
        properties=properties,
        is_archived=bool(record.get("archived")),
        created_at=record.get("createdAt"),
        history=history,
    )
