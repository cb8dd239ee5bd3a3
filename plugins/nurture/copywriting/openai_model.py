"""A `ChatModel` over the `openai` client, and so over every endpoint that speaks its protocol."""

import asyncio
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from nurture.copywriting.chat_model import Answer, ModelBusy, ModelRefused

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

CONCERNS_ALL = {401, 403, 404}  # key, permission, model name
PASSING = {408, 409, 425, 429}


class OpenAIModel:
    """`name` behind `client`, which must not retry by itself: each attempt is counted by the engine.

    Args:
        timeout_seconds: the whole answer must be there by then.
    """

    def __init__(self, client: "AsyncOpenAI", name: str, *, timeout_seconds: float) -> None:
        self.client = client.with_options(max_retries=0, timeout=timeout_seconds)
        self._name = name
        self.timeout_seconds = timeout_seconds

    @property
    def name(self) -> str:
        return self._name

    async def ask(
        self, messages: list[dict[str, str]], response_format: dict[str, Any], parameters: dict[str, Any]
    ) -> Answer:
        import openai

        create: Any = self.client.chat.completions.create
        try:
            # The client's own timeout starts anew with every chunk that arrives.
            async with asyncio.timeout(self.timeout_seconds):
                answer = await create(model=self.name, messages=messages, response_format=response_format, **parameters)
        except (TimeoutError, openai.APITimeoutError):
            raise ModelBusy(f"no answer within {self.timeout_seconds} s", status="timeout", may_be_charged=True) from None
        except openai.APIStatusError as error:
            raise _translated(error) from None
        except (openai.APIError, ValueError) as error:
            reason = f"no whole answer: {type(error.__cause__ or error).__name__}"
            raise ModelBusy(reason, status="server_error", may_be_charged=True) from None
        choices, usage = getattr(answer, "choices", None), getattr(answer, "usage", None)
        return Answer(
            text=choices[0].message.content if choices else None,
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
        )


def _translated(error: "APIStatusError") -> ModelBusy | ModelRefused:
    status, said = error.status_code, f"HTTP {error.status_code}: {error.message[:300]}"
    if error.code == "insufficient_quota":
        return ModelRefused(f"{said}. Pay the vendor or raise the account's limit.", concerns_all=True)
    if status in PASSING or status >= 500:
        kind = "rate_limited" if status == 429 else "timeout" if status == 408 else "server_error"
        return ModelBusy(said, status=kind, retry_after_seconds=_retry_after(error))  # type: ignore[arg-type]
    hint = " Check key, model and endpoint of the connection." if status in CONCERNS_ALL else ""
    return ModelRefused(said + hint, concerns_all=status in CONCERNS_ALL)


def _retry_after(error: "APIStatusError") -> float | None:
    """Seconds to wait as the endpoint asked for, in milliseconds, in seconds or as a date."""
    headers = error.response.headers
    with suppress(KeyError, ValueError):
        return float(headers["retry-after-ms"]) / 1000
    with suppress(KeyError, ValueError):
        return float(headers["retry-after"])
    with suppress(KeyError, ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    return None
