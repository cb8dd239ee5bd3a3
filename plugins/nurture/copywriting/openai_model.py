"""A `ChatModel` over the `openai` client, and so over every endpoint that speaks its protocol."""

from typing import TYPE_CHECKING, Any

from nurture.copywriting.allowances import read_allowances
from nurture.copywriting.chat_model import Answer
from nurture.copywriting.vendor_client import count_at, no_whole_answer, post, text_at

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
        response = await post(
            self.client, openai, "/chat/completions", body, raw=httpx.Response, timeout_seconds=self.timeout_seconds
        )
        try:
            text, prompt_tokens, completion_tokens = read_completion(response.json())
        except ValueError as error:
            raise no_whole_answer(error) from None
        return Answer(text, prompt_tokens, completion_tokens, read_allowances(response.headers))


def chat_body(
    model: str, messages: list[dict[str, str]], response_format: dict[str, Any], parameters: dict[str, Any]
) -> dict[str, Any]:
    """The body of a chat completion request, alone or in a batch."""
    return {"model": model, "messages": messages, "response_format": response_format, **parameters}


def read_completion(body: Any) -> tuple[str | None, int | None, int | None]:
    """Text, prompt tokens and completion tokens of a chat completion; None for each that is not there as it should be."""
    text = text_at(body, "choices", 0, "message", "content")
    return text, count_at(body, "usage", "prompt_tokens"), count_at(body, "usage", "completion_tokens")
