"""What the batch run needs of a vendor's batch API, whoever it is."""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any, Literal, Protocol

from nurture.copywriting.chat_model import Answer, ModelBusy, ModelRefused
from nurture.copywriting.requests import CopyRequest

CONCERNS_ALL = {401, 403, 404}  # key, permission, model name
PASSING = {408, 409, 425, 429}


@dataclass(frozen=True)
class Found:
    """What the vendor's list says of a batch that may have been made.

    Attributes:
        vendor_id: the batch is there, under this id.
        perhaps: the batch may be one of these; it shows when they have ended.
    """

    vendor_id: str | None = None
    perhaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """How far a batch is.

    Attributes:
        outcome: None while it is worked on. Whatever it ended as, its finished part can be read, and was charged.
        error: why it failed as a whole.
    """

    outcome: Literal["completed", "expired", "cancelled", "failed"] | None = None
    error: str | None = None


@dataclass(frozen=True)
class Result:
    """What came of one request of a batch.

    Attributes:
        custom_id: as it was submitted.
        status: as in `ops.llm_call`; `ok` has an answer.
    """

    custom_id: str
    status: Literal["ok", "bad_request", "server_error", "expired", "cancelled"]
    answer: Answer | None = None
    error: str | None = None


class BatchVendor(Protocol):
    """One model behind one vendor's batch API.

    Every method may raise `ModelBusy` (no answer this time) and `ModelRefused` (none ever).

    Attributes:
        vendor: as in `ops.llm_batch`.
        model: as the vendor calls it.
        max_requests, max_bytes: what the vendor takes in one batch.
    """

    vendor: str
    model: str
    max_requests: int
    max_bytes: int

    def sent(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """`parameters` as this vendor takes them: what is kept with the answer."""
        ...

    def custom_id(self, batch_key: str, request_hash: str) -> str:
        """The name of one request within its batch."""
        ...

    def line(self, batch_key: str, request: CopyRequest) -> dict[str, Any]:
        """One request of a batch, as JSON."""
        ...

    async def find(self, batch_key: str, since: datetime, *, size: int, others: Collection[str]) -> Found:
        """Look for a batch of `size` requests that was made after `since`, if it was made at all; `others` it is not."""
        ...

    async def submit(self, batch_key: str, lines: Sequence[dict[str, Any]], before: Callable[[], None]) -> str:
        """Make the batch and return its id. `before` is called right before the one request that makes it.

        Raises:
            ModelBusy: with `may_be_charged`, the batch may have been made all the same.
            ModelRefused: it was not made and never will be.
        """
        ...

    async def progress(self, vendor_id: str) -> Progress:
        """How far the batch is. One that the vendor does not know (yet) is worked on."""
        ...

    async def cancel(self, vendor_id: str) -> None:
        """Ask for the end of a batch. What is finished by then stays, and is charged. Nothing happens to an ended one."""
        ...

    def results(self, vendor_id: str) -> AsyncIterator[Result]:
        """The results of a batch that has ended, in any order; not necessarily one for each request."""
        ...


@contextmanager
def translated(sdk: ModuleType) -> Iterator[None]:
    """Raise a vendor client's errors as ours. Both clients come from one generator and name their errors alike.

    Raises:
        ModelBusy: an outcome that is not known (time-out, closed connection, 5xx) says `may_be_charged`.
        ModelRefused: nothing happened, and nothing will.
    """
    try:
        yield
    except sdk.APIStatusError as error:
        said = f"HTTP {error.status_code}: {error.message[:300]}"
        if error.status_code == 429:
            raise ModelBusy(said, status="rate_limited") from None
        if error.status_code in PASSING or error.status_code >= 500:
            raise ModelBusy(said, status="server_error", may_be_charged=True) from None
        raise ModelRefused(said, concerns_all=error.status_code in CONCERNS_ALL) from None
    except (TimeoutError, sdk.APITimeoutError):
        raise ModelBusy("no answer in time", status="timeout", may_be_charged=True) from None
    except (sdk.APIError, ValueError) as error:
        reason = f"no whole answer: {type(error.__cause__ or error).__name__}"
        raise ModelBusy(reason, status="server_error", may_be_charged=True) from None
