"""HubSpot contacts over the Airflow connection of type HTTP."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from airflow.providers.http.hooks.http import HttpHook
from requests import PreparedRequest, Session
from requests.exceptions import InvalidJSONError, RequestException

from nurture.errors import OutcomeUnknown, TerminalError, TransientError
from nurture.hooks.hubspot_answers import REFUSED_FOR_NOW, Refusal, never_sent, read_refusal, row_errors
from nurture.ledger.destination import BatchRefused, BatchResult
from nurture.policy import Crm
from nurture.warehouse.crm_contact_rows import Contact

SEARCH_PAGE = 200  # vendor limit
HISTORY_PAGE = 50  # vendor limit of a batch read with history
MERGED_IDS = "hs_merged_object_ids"
MAX_PAUSE_SECONDS = 60.0  # a longer wait is better spent between two attempts of the task
ABOUT_RECORDS = {400, 404, 409, 413, 422}  # statuses of a batch write that a single record can cause


@dataclass(frozen=True)
class PropertyDefinition:
    """A contact property that the portal must have. `field_type`: text or textarea."""

    name: str
    label: str
    field_type: str = "text"


class HubSpotHook(HttpHook):
    """Contacts of one HubSpot portal.

    The connection is of type HTTP: host = base URL, password = private-app token, extra = `{"api_version": "v3"}` or a
    dated version such as `2026-03`. Reads are repeated on rate limits, 5xx and lost connections; a write is repeated only
    when the CRM said that it did nothing, or was never reached.

    Args:
        crm_conn_id: the connection.
        policy: page size, time-out and number of attempts.
    """

    hook_name = "HubSpot"
    default_conn_name = "crm"

    def __init__(self, crm_conn_id: str = default_conn_name, *, policy: Crm, backoff_seconds: float = 1.0) -> None:
        super().__init__(http_conn_id=crm_conn_id)
        self.policy = policy
        self.backoff_seconds = backoff_seconds

    @cached_property
    def session(self) -> Session:
        """One HTTP session for the life of the hook, so that connections are reused."""
        session: Session = self.get_conn()
        session.headers.pop("api_version", None)  # the provider takes every extra for a header
        token = self.get_connection(self.http_conn_id).password or ""

        def sign(request: PreparedRequest) -> PreparedRequest:
            request.headers["Authorization"] = f"Bearer {token}"
            return request

        session.auth = sign
        return session

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

    def ensure_properties(self, definitions: Sequence[PropertyDefinition], *, group: str) -> list[str]:
        """Create the contact properties that the portal lacks, and return their names."""
        path = self._path("properties", "contacts")
        present = {item["name"] for item in self._call("GET", path)["results"]}
        missing = [item for item in definitions if item.name not in present]
        if missing:
            groups = {item["name"] for item in self._call("GET", f"{path}/groups")["results"]}
            if group not in groups:
                self._create(f"{path}/groups", {"name": group, "label": group.capitalize(), "displayOrder": -1})
        for item in missing:
            self._create(path, {"name": item.name, "label": item.label, "type": "string",
                                "fieldType": item.field_type, "groupName": group})  # fmt: skip
        return [item.name for item in missing]

    def _create(self, path: str, definition: dict[str, Any]) -> None:
        """Create a definition; one that somebody else created a moment ago is as good, so it may be repeated."""
        self._call("POST", path, json=definition, accept={409})

    def _path(self, family: str, rest: str) -> str:
        """`/crm/v3/<family>/<rest>`, or `/crm/<family>/<date>/<rest>` for dated versions."""
        if self._version.startswith("v"):
            return f"/crm/{self._version}/{family}/{rest}"
        return f"/crm/{family}/{self._version}/{rest}"

    @cached_property
    def _version(self) -> str:
        return str(self.get_connection(self.http_conn_id).extra_dejson.get("api_version", "v3"))

    def _call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        is_write: bool = False,
        secrets: Sequence[str] = (),
        accept: Iterable[int] = (),
        before_try: Callable[[], None] = lambda: None,
        blame: Callable[[int], type[TerminalError]] = lambda _status: TerminalError,
    ) -> dict[str, Any]:
        """One request, repeated where that is safe.

        Raises:
            TransientError, TerminalError, OutcomeUnknown: see the class.
        """
        what = f"HubSpot {method} {path}"
        session = self.session  # also sets the base URL
        for attempt in range(1, self.policy.max_attempts + 1):
            pause = random.uniform(0.5, 1.0) * self.backoff_seconds * 2 ** (attempt - 1)  # noqa: S311
            before_try()
            try:
                response = session.request(
                    method, self.base_url.rstrip("/") + path, json=json, params=params,
                    timeout=self.policy.timeout_seconds, allow_redirects=False,
                )  # fmt: skip
                if response.status_code < 300:
                    return _body(response.json())
            except RequestException as error:
                problem = f"{type(error).__name__}, no usable answer"
                if is_write and not never_sent(error):
                    raise OutcomeUnknown(
                        f"{what}: {problem} to a write; read the records back before writing again"
                    ) from None
            else:
                if response.status_code in accept:
                    return {}
                refusal = read_refusal(response, secrets=secrets)
                problem = str(refusal)
                if is_write and refusal.status >= 500:
                    raise OutcomeUnknown(
                        f"{what}: {refusal}; the write may have happened all the same: read the records back"
                    )
                if _is_final(refusal):
                    raise blame(refusal.status)(f"{what}: {refusal}")
                pause = refusal.retry_after if refusal.retry_after is not None else pause
                if pause > MAX_PAUSE_SECONDS:
                    raise TransientError(
                        f"{what}: {refusal}; the CRM asks to wait {pause:.0f} s, so a later attempt must try"
                    )
            if attempt < self.policy.max_attempts:
                self.log.info(
                    "%s, attempt %d of %d: %s; again in %.1f s", what, attempt, self.policy.max_attempts, problem, pause
                )
                time.sleep(pause)
        raise TransientError(f"{what}: {self.policy.max_attempts} attempts failed, the last with {problem}; try again later")


def _is_final(refusal: Refusal) -> bool:
    """Whether trying again now gives the same answer."""
    return refusal.is_daily_limit or (refusal.status < 500 and refusal.status not in REFUSED_FOR_NOW)


def _body(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidJSONError("expected a JSON object")
    return value


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
