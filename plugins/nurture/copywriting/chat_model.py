"""What the engine needs of a language model, whoever makes it."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from nurture.copywriting.allowances import Allowances
from nurture.errors import TerminalError, TransientError


@dataclass(frozen=True)
class Answer:
    """What came back. Token counts are None where the endpoint does not say."""

    text: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    allowances: Allowances | None = None


class ModelBusy(TransientError):
    """No answer this time; asking again may help.

    Attributes:
        status: as in `ops.llm_call`.
        is_overload: fewer requests at a time would help.
        retry_after_seconds: what the endpoint asked for, if it did.
        may_be_charged: the request may have been worked on, so its worst case stays on the bill.
    """

    def __init__(
        self,
        message: str,
        *,
        status: Literal["rate_limited", "server_error", "timeout"],
        is_overload: bool = False,
        retry_after_seconds: float | None = None,
        may_be_charged: bool = False,
        allowances: Allowances | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.is_overload = is_overload
        self.retry_after_seconds = retry_after_seconds
        self.may_be_charged = may_be_charged
        self.allowances = allowances


class ModelRefused(TerminalError):
    """The endpoint will not answer this, however often it is asked.

    Attributes:
        concerns_all: the next request would be refused as well (key, permission, model name, quota).
    """

    def __init__(self, message: str, *, concerns_all: bool) -> None:
        super().__init__(message)
        self.concerns_all = concerns_all


class ChatModel(Protocol):
    """One model behind one endpoint. It makes one attempt a call: retrying is the engine's."""

    @property
    def name(self) -> str:
        """As the vendor calls it, and as `include/prices.yaml` does."""
        ...

    def sent(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """`parameters` as this vendor takes them: what is kept with the answer."""
        ...

    async def ask(
        self, messages: list[dict[str, str]], response_format: dict[str, Any], parameters: dict[str, Any]
    ) -> Answer:
        """Send one request.

        Raises:
            ModelBusy: no answer this time.
            ModelRefused: none ever.
        """
        ...
