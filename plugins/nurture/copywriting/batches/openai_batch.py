"""OpenAI's Batch API: a file of requests, a batch over it, a file of answers and one of errors."""

import io
import json
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from nurture.copywriting.batches.vendor import Found, Progress, Result, translated
from nurture.copywriting.chat_model import Answer, ModelBusy
from nurture.copywriting.openai_model import chat_body, read_completion
from nurture.copywriting.requests import CopyRequest

if TYPE_CHECKING:
    from openai import AsyncOpenAI

ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
KEY_NAME = "nurture_batch_key"  # of the metadata in which our own key stands
TRANSFER_SECONDS = 600  # a file of 200 MB takes its time
OUTCOMES: dict[str, Any] = {"completed": "completed", "expired": "expired", "cancelled": "cancelled", "failed": "failed"}
NOT_DONE: dict[str, Any] = {"batch_expired": "expired", "batch_cancelled": "cancelled"}


class OpenAIBatches:
    """`model` behind `client`. A batch carries our key in its metadata, by which it is found again."""

    vendor = "openai"
    max_requests = 50_000
    max_bytes = 200_000_000

    def __init__(self, client: "AsyncOpenAI", model: str) -> None:
        self.reading = client.with_options(max_retries=2)
        # The client repeats a request whose answer was lost, and knows of no idempotency: that would make a second batch.
        self.creating = client.with_options(max_retries=0)
        self.model = model

    def sent(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return parameters

    def custom_id(self, batch_key: str, request_hash: str) -> str:  # noqa: ARG002  the key is in the metadata
        return request_hash

    def line(self, batch_key: str, request: CopyRequest) -> dict[str, Any]:
        body = chat_body(self.model, request.messages, request.response_format, request.parameters)
        return {
            "custom_id": self.custom_id(batch_key, request.request_hash),
            "method": "POST",
            "url": ENDPOINT,
            "body": body,
        }

    async def find(
        self,
        batch_key: str,
        since: datetime,
        *,
        size: int,  # noqa: ARG002  the metadata says it all
        others: Collection[str],  # noqa: ARG002
    ) -> Found:
        import openai

        with translated(openai):
            async for batch in self.reading.batches.list(limit=100):  # newest first
                if batch.created_at < since.timestamp():
                    break
                if (batch.metadata or {}).get(KEY_NAME) == batch_key:
                    return Found(batch.id)
        return Found()

    async def submit(self, batch_key: str, lines: Sequence[dict[str, Any]], before: Callable[[], None]) -> str:
        import openai

        content = io.BytesIO("".join(json.dumps(line) + "\n" for line in lines).encode())
        with translated(openai):
            uploaded = await self.reading.files.create(
                file=(f"{batch_key}.jsonl", content), purpose="batch", timeout=TRANSFER_SECONDS
            )
            before()
            batch = await self.creating.batches.create(
                input_file_id=uploaded.id, endpoint=ENDPOINT, completion_window="24h", metadata={KEY_NAME: batch_key}
            )
        return batch.id

    async def progress(self, vendor_id: str) -> Progress:
        import openai

        with translated(openai):
            try:
                batch = await self.reading.batches.retrieve(vendor_id)
            except openai.NotFoundError:
                return Progress()
        errors = (batch.errors.data if batch.errors else None) or []
        said = "; ".join(f"{error.code}: {error.message}" for error in errors[:5]) or None
        return Progress(OUTCOMES.get(batch.status), said)

    async def cancel(self, vendor_id: str) -> None:
        import openai

        with translated(openai):
            try:
                await self.reading.batches.cancel(vendor_id)
            except (openai.ConflictError, openai.NotFoundError, openai.BadRequestError):
                return  # it has ended by itself

    async def results(self, vendor_id: str) -> AsyncIterator[Result]:
        import openai

        with translated(openai):
            try:
                batch = await self.reading.batches.retrieve(vendor_id)
                for file_id in filter(None, (batch.output_file_id, batch.error_file_id)):
                    async for line in self._lines(file_id):
                        yield _result(json.loads(line))
            except openai.NotFoundError as error:
                raise ModelBusy(f"no results yet: {error.message[:300]}", status="server_error") from None

    async def _lines(self, file_id: str) -> AsyncIterator[bytes]:
        """The lines of a file, split at line feeds only: an answer may hold other signs that some take for a line's end."""
        rest = b""
        streaming = self.reading.with_options(timeout=TRANSFER_SECONDS).files.with_streaming_response
        async with streaming.content(file_id) as response:
            async for chunk in response.iter_bytes():
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    if line.strip():
                        yield line
        if rest.strip():
            yield rest


def _result(line: dict[str, Any]) -> Result:
    response, error = line.get("response") or {}, line.get("error") or {}
    status, body = response.get("status_code"), response.get("body") or {}
    if status == 200:
        return Result(line["custom_id"], "ok", Answer(*read_completion(body)))
    said = json.dumps(error or body.get("error") or body)[:300]
    if status is None:
        return Result(line["custom_id"], NOT_DONE.get(str(error.get("code")), "server_error"), error=said)
    refused = 400 <= status < 500 and status not in (408, 429)
    return Result(line["custom_id"], "bad_request" if refused else "server_error", error=f"HTTP {status}: {said}")
