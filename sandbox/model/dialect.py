"""In whose words a request and its answer are put: OpenAI's (here) or Anthropic's."""

from typing import Any, Protocol

from sandbox.model import protocol
from sandbox.model.protocol import ApiError, ChatRequest
from sandbox.model.ratelimit import Allowance


class Dialect(Protocol):
    """One vendor's wire format."""

    def parse(self, body: bytes) -> ChatRequest:
        """Check a request body as the real endpoint would.

        Raises:
            ApiError: in the vendor's shape.
        """
        ...

    def completion(self, request: ChatRequest, text: str) -> tuple[dict[str, Any], str]:
        """The answer's body, and the text that it carries."""
        ...

    def rate_headers(self, requests: Allowance, tokens: Allowance) -> dict[str, str]:
        """What the vendor says of its limits with each answer."""
        ...

    def error(self, error: ApiError) -> ApiError:
        """`error` in the vendor's shape."""
        ...


class ChatCompletions:
    """OpenAI's chat completions."""

    def parse(self, body: bytes) -> ChatRequest:
        return protocol.parse(body)

    def completion(self, request: ChatRequest, text: str) -> tuple[dict[str, Any], str]:
        return protocol.completion(request, text)

    def rate_headers(self, requests: Allowance, tokens: Allowance) -> dict[str, str]:
        return requests.headers("requests") | tokens.headers("tokens")

    def error(self, error: ApiError) -> ApiError:
        return error


CHAT_COMPLETIONS = ChatCompletions()
