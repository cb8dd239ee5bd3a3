"""Requests to one HubSpot portal: address, token, the portal's quota, and which failures are tried again."""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Self

from airflow.providers.http.hooks.http import HttpHook
from requests import PreparedRequest, Session
from requests.exceptions import InvalidJSONError, RequestException

from nurture.errors import OutcomeUnknown, TerminalError, TransientError
from nurture.hooks.hubspot_answers import REFUSED_FOR_NOW, Refusal, never_sent, read_refusal
from nurture.ledger.quota import LONGEST_WAIT_SECONDS, Bucket, RequestQuota
from nurture.policy import Crm


class HubSpotPortal(HttpHook):
    """One portal over the Airflow connection of type HTTP; what is asked of it is said in `HubSpotHook`.

    The connection: host = base URL, password = private-app token, extra = `{"api_version": "v3"}` or a dated version such
    as `2026-03`. Reads are repeated on rate limits, 5xx and lost connections; a write is repeated only when the CRM said
    that it did nothing, or was never reached.

    Args:
        crm_conn_id: the connection.
        policy: page size, time-out and number of attempts.
        quota: the portal's limits, asked before each request; None where nothing else asks the portal.
        backoff_seconds: the first pause where the CRM names none; doubled at each attempt, with jitter.
    """

    hook_name = "HubSpot"
    default_conn_name = "crm"

    def __init__(
        self,
        crm_conn_id: str = default_conn_name,
        *,
        policy: Crm,
        quota: RequestQuota | None = None,
        backoff_seconds: float = 1.0,
    ) -> None:
        super().__init__(http_conn_id=crm_conn_id)
        self.policy = policy
        self.quota = quota
        self.backoff_seconds = backoff_seconds

    def another(self) -> Self:
        """The same portal and quota over an HTTP session of its own, ready for another thread."""
        other = type(self)(self.http_conn_id, policy=self.policy, quota=self.quota, backoff_seconds=self.backoff_seconds)
        _ = other.session, other._version  # here: what Airflow knows of the connection is asked on this thread
        return other

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
        bucket: Bucket = "searches" if path.endswith("/search") else "requests"
        session = self.session  # also sets the base URL
        for attempt in range(1, self.policy.max_attempts + 1):
            pause = random.uniform(0.5, 1.0) * self.backoff_seconds * 2 ** (attempt - 1)  # noqa: S311
            if self.quota:
                self.quota.take(bucket)
            before_try()
            try:
                response = session.request(
                    method, self.base_url.rstrip("/") + path, json=json, params=params,
                    timeout=self.policy.timeout_seconds, allow_redirects=False,
                )  # fmt: skip
                if response.status_code == 204:  # done, and nothing to say of it
                    return {}
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
                if self.quota and refusal.status == 429:
                    self.quota.pause(bucket, pause)  # all who take a token wait, and we with them
                if pause > LONGEST_WAIT_SECONDS:
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
