"""A `ChatModel` over the `openai` client, and so over every endpoint that speaks its protocol."""

from typing import TYPE_CHECKING, Any

from nurture.copywriting.chat_model import Answer
from nurture.copywriting.vendor_client import ask_vendor, count_at, text_at

if TYPE_CHECKING:
    from openai import AsyncOpenAI


class OpenAIModel:
    """`name` behind `client`.

    Args:
        timeout_seconds: the whole answer must be there by then.
    """

    def __init__(self, client: "AsyncOpenAI", name: str, *, timeout_seconds: float) -> None:
        self.client = client.with_options(max_retries=0, timeout=timeout_seconds)
        self.name = name
        self.timeout_seconds = timeout_seconds

    def sent(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return parameters

    async def ask(
        self, messages: list[dict[str, str]], response_format: dict[str, Any], parameters: dict[str, Any]
    ) -> Answer:
        import httpx
        import openai

        body = chat_body(self.name, messages, response_format, parameters)
        return await ask_vendor(
            self.client,
            openai,
            "/chat/completions",
            body,
            raw=httpx.Response,
            read=read_completion,
            timeout_seconds=self.timeout_seconds,
        )


def chat_body(
    model: str, messages: list[dict[str, str]], response_format: dict[str, Any], parameters: dict[str, Any]
) -> dict[str, Any]:
    """The body of a chat completion request, alone or in a batch."""
    return {"model": model, "messages": messages, "response_format": response_format, **parameters}


def read_completion(body: Any) -> tuple[str | None, int | None, int | None]:
    """Text, prompt tokens and completion tokens of a chat completion; None for each that is not there as it should be."""
    text = text_at(body, "choices", 0, "message", "content")
    return text, count_at(body, "usage", "prompt_tokens"), count_at(body, "usage", "completion_tokens")
