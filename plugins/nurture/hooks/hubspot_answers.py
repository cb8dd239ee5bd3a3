"""HubSpot's answers, translated once: what went wrong, in words that name nobody, and whether trying again helps."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from requests import Response
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, RequestException
from urllib3.exceptions import NewConnectionError

from nurture.hooks.vendor_words import redact as redact

REFUSED_FOR_NOW = {423, 429, 477}  # locked, rate limit, portal migration: nothing was done, later it may work

ADVICE = {
    400: "correct the record or the property that it names",
    401: "put a valid private-app token into the password of the connection",
    403: "give the private app the scopes crm.objects.contacts.read and .write, crm.schemas.contacts.read and .write",
    404: "check the record, and the host and `api_version` of the connection",
    409: "another record holds this value: merge the two in the CRM or change one",
    413: "make the batch or the property smaller",
}
ROW_ADVICE = {
    "VALIDATION_ERROR": ADVICE[400],
    "CONFLICT": ADVICE[409],
    "OBJECT_NOT_FOUND": "the contact was deleted, archived or merged; the next load follows it",
}


@dataclass(frozen=True)
class Refusal:
    """A response that is not a success.

    Attributes:
        status: HTTP status.
        category: the vendor's, e.g. VALIDATION_ERROR, CONFLICT, RATE_LIMITS.
        policy: the rate limit that was hit: TEN_SECONDLY_ROLLING, SECONDLY, DAILY.
        words: the vendor's message without anybody in it.
        retry_after: seconds, where the vendor names them.
    """

    status: int
    category: str
    policy: str | None
    words: str
    retry_after: float | None

    def __str__(self) -> str:
        limit = f", limit {self.policy}" if self.policy else ""
        advice = f"; {ADVICE[self.status]}" if self.status in ADVICE else ""
        return f"{self.status} {self.category}{limit}: {self.words}{advice}"

    @property
    def is_daily_limit(self) -> bool:
        return self.status == 429 and self.policy == "DAILY"


def read_refusal(response: Response, *, secrets: Iterable[str] = ()) -> Refusal:
    """Read an error body, whatever it is; `secrets` are values that we sent and that the vendor may echo."""
    try:
        body = response.json()
    except RequestException:
        body = {}
    if not isinstance(body, dict):
        body = {}
    return Refusal(
        status=response.status_code,
        category=redact(str(body.get("category") or response.reason or "no category")),
        policy=redact(str(body["policyName"])) if body.get("policyName") else None,
        words=redact(str(body.get("message") or "no message"), secrets),
        retry_after=_retry_after(response),
    )


def row_errors(body: dict[str, Any], secrets: Iterable[str] = ()) -> dict[str, str]:
    """The `errors` of a 207 by record id. An error that names no record is left out: nobody can say whose it is."""
    found: dict[str, str] = {}
    secrets = list(secrets)
    for error in body.get("errors") or []:
        context = error.get("context") or {}
        ids = [*(context.get("ids") or []), *(context.get("id") or [])] or ([error["id"]] if error.get("id") else [])
        found |= {str(crm_id): error_words(error, secrets) for crm_id in ids}
    return found


def error_words(error: dict[str, Any], secrets: Iterable[str] = ()) -> str:
    """One entry of `errors`: the vendor's category and words, and what to do."""
    category = redact(str(error.get("category") or "no category"))
    advice = f"; {ROW_ADVICE[category]}" if category in ROW_ADVICE else ""
    return f"{category}: {redact(str(error.get('message') or 'no message'), secrets)}{advice}"


def never_sent(error: RequestException) -> bool:
    """Whether a request surely never left: no connection was made."""
    if isinstance(error, ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, RequestsConnectionError) and isinstance(reason, NewConnectionError)


def _retry_after(response: Response) -> float | None:
    """Seconds from a Retry-After header in either of its two forms."""
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value).astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return None
