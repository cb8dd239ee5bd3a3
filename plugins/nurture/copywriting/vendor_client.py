"""One attempt through a vendor's own client, its failures told apart. Both vendors' clients have one shape."""

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any

from nurture.copywriting.allowances import read_allowances, retry_after_seconds
from nurture.copywriting.chat_model import Answer, ModelBusy, ModelRefused

CONCERNS_ALL = {401, 402, 403, 404}  # key, money, permission, model name
PASSING = {408, 409, 425, 429}
OVERLOADED = {429, 503, 529}
MOST_TOKENS = 10_000_000  # no model reads or writes that many: the endpoint counts wrong


Read = Callable[[Any], tuple[str | None, int | None, int | None]]
"""Text, prompt tokens and completion tokens of an answer's JSON; None for each that is not there as it should be."""


async def ask_vendor(
    client: Any, errors: ModuleType, path: str, body: dict[str, Any], *, raw: type, read: Read, timeout_seconds: float
) -> Answer:
    """POST `body` and read what came.

    The clients' typed methods (`chat.completions.create`, `messages.create`) send the same bytes, but take 1 ms more of a
    core for each request, to check types that we know: with 256 requests in flight that halves the throughput.

    Args:
        client: an `AsyncOpenAI` or `AsyncAnthropic` that does not retry by itself.
        errors: its package, whose exceptions have the same names in both.
        raw: the response class of the HTTP library under the client.
        read: how the vendor says it.
        timeout_seconds: the whole answer must be there by then.

    Raises:
        ModelBusy: no answer this time.
        ModelRefused: none ever.
    """
    try:
        # The client's own timeout starts anew with every chunk that arrives.
        async with asyncio.timeout(timeout_seconds):
            response = await client.post(path, cast_to=raw, body=body)
            return Answer(*read(response.json()), read_allowances(dict(response.headers.items())))
    except (TimeoutError, errors.APITimeoutError):
        reason = f"no answer within {timeout_seconds} s"
        raise ModelBusy(reason, status="timeout", is_overload=True, may_be_charged=True) from None
    except errors.APIStatusError as error:
        raise _translated(error) from None
    except (errors.APIError, ValueError) as error:
        raise _no_whole_answer(error.__cause__ or error) from None
    except (TypeError, errors.APIError.__base__) as error:  # the client itself refuses: a key is missing, say
        raise ModelRefused(f"nothing was sent: {error} Check the connection's password.", concerns_all=True) from None


def _no_whole_answer(cause: BaseException) -> ModelBusy:
    """The connection failed or broke, or what came is not JSON: nobody knows whether it was charged."""
    return ModelBusy(f"no whole answer: {type(cause).__name__}", status="server_error", may_be_charged=True)


def text_at(body: Any, *path: str | int) -> str | None:
    """The text at `path` of an answer's JSON, or None: an endpoint may send anything."""
    found = _at(body, path)
    return found if isinstance(found, str) else None


def count_at(body: Any, *path: str | int) -> int | None:
    """The number of tokens at `path`, or None, and then the worst case counts."""
    found = _at(body, path)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= MOST_TOKENS else None


def _at(body: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body


def _translated(error: Any) -> ModelBusy | ModelRefused:
    status, said = error.status_code, f"HTTP {error.status_code}: {error.message[:300]}"
    if getattr(error, "code", None) == "insufficient_quota" or status == 402:
        return ModelRefused(f"{said}. Pay the vendor or raise the account's limit.", concerns_all=True)
    if status in PASSING or status >= 500:
        headers = dict(error.response.headers.items())
        return ModelBusy(
            said,
            status="rate_limited" if status == 429 else "timeout" if status == 408 else "server_error",
            is_overload=status in OVERLOADED,
            retry_after_seconds=retry_after_seconds(headers),
            allowances=read_allowances(headers),
        )
    hint = " Check key, model and endpoint of the connection." if status in CONCERNS_ALL else ""
    return ModelRefused(said + hint, concerns_all=status in CONCERNS_ALL)
