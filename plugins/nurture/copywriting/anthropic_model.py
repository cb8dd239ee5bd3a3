"""A `ChatModel` over the `anthropic` client's Messages API."""

from typing import TYPE_CHECKING, Any

from nurture.copywriting.chat_model import Answer
from nurture.copywriting.vendor_client import ask_vendor, count_at, text_at

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic


class AnthropicModel:
    """`name` behind `client`.

    Args:
        timeout_seconds: the whole answer must be there by then.
    """

    def __init__(self, client: "AsyncAnthropic", name: str, *, timeout_seconds: float) -> None:
        self.client = client.with_options(max_retries=0, timeout=timeout_seconds)
        self.name = name
        self.timeout_seconds = timeout_seconds

    def sent(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return message_parameters(parameters)

    async def ask(
        self, messages: list[dict[str, str]], response_format: dict[str, Any], parameters: dict[str, Any]
    ) -> Answer:
        import anthropic
        import httpx2

        body = message_body(self.name, messages, response_format, parameters)
        return await ask_vendor(
            self.client,
            anthropic,
            "/v1/messages",
            body,
            raw=httpx2.Response,
            read=read_message,
            timeout_seconds=self.timeout_seconds,
        )


def message_body(
    model: str, messages: list[dict[str, str]], response_format: dict[str, Any], parameters: dict[str, Any]
) -> dict[str, Any]:
    """The body of a Messages request, alone or in a batch, from what a chat completion would be asked with."""
    return {
        "model": model,
        "system": "\n\n".join(message["content"] for message in messages if message["role"] == "system"),
        "messages": [message for message in messages if message["role"] != "system"],
        "output_config": {"format": {"type": "json_schema", "schema": response_format["json_schema"]["schema"]}},
        **message_parameters(parameters),
    }


def message_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """The token budget. The API knows no seed, and its current models take no temperature."""
    return {"max_tokens": parameters["max_completion_tokens"]}


def read_message(body: Any) -> tuple[str | None, int | None, int | None]:
    """Text, prompt tokens and completion tokens of a message; None for each that is not there as it should be."""
    blocks = body.get("content") if isinstance(body, dict) else None
    blocks = blocks if isinstance(blocks, list) else []
    texts = [text_at(block, "text") for block in blocks if text_at(block, "type") == "text"]
    text = "".join(text for text in texts if text)
    return text or None, count_at(body, "usage", "input_tokens"), count_at(body, "usage", "output_tokens")
