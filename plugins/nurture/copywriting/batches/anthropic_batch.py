"""Anthropic's Message Batches: the requests travel in the call that makes the batch, the results come as JSON lines.

A batch carries no metadata, and its requests cannot be read back before it has ended. So our key stands in front of every
custom id, and a batch of which no id was noted is known by its results (docs/decisions/0014-how-a-batch-is-found-again.md).
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nurture.copywriting.anthropic_model import message_body, message_parameters, read_message
from nurture.copywriting.batches.vendor import Found, Progress, Result, translated
from nurture.copywriting.chat_model import Answer, ModelBusy
from nurture.copywriting.requests import CopyRequest

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

KEY_LENGTH, HASH_LENGTH = 16, 47  # a custom id has 64 characters at most: letters, digits, hyphens
TRANSFER_SECONDS = 600  # 256 MB take their time
NOT_DONE: dict[str, Any] = {"expired": "expired", "canceled": "cancelled"}


class AnthropicBatches:
    """`model` behind `client`."""

    vendor = "anthropic"
    max_requests = 100_000
    max_bytes = 256_000_000

    def __init__(self, client: "AsyncAnthropic", model: str) -> None:
        self.reading = client.with_options(max_retries=2)
        # The client repeats a request whose answer was lost, and sends no idempotency key: that would make a second batch.
        self.creating = client.with_options(max_retries=0, timeout=TRANSFER_SECONDS)
        self.model = model

    def sent(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return message_parameters(parameters)

    def custom_id(self, batch_key: str, request_hash: str) -> str:
        return f"{batch_key[:KEY_LENGTH]}-{request_hash[:HASH_LENGTH]}"

    def line(self, batch_key: str, request: CopyRequest) -> dict[str, Any]:
        params = message_body(self.model, request.messages, request.response_format, request.parameters)
        return {"custom_id": self.custom_id(batch_key, request.request_hash), "params": params}

    async def find(self, batch_key: str, since: datetime, *, size: int, others: Collection[str]) -> Found:
        import anthropic

        perhaps = []
        with translated(anthropic):
            async for batch in self.reading.messages.batches.list(limit=100):  # newest first
                if batch.created_at < since:
                    break
                counted = sum(batch.request_counts.to_dict().values())  # type: ignore[arg-type]
                if batch.id in others or counted != size:
                    continue
                if batch.processing_status != "ended":
                    perhaps.append(batch.id)
                elif await self._is_ours(batch, batch_key):
                    return Found(batch.id)
        return Found(perhaps=tuple(perhaps))

    async def _is_ours(self, batch: "MessageBatch", batch_key: str) -> bool:
        async for result in self._results(batch.id):
            return result.custom_id.startswith(f"{batch_key[:KEY_LENGTH]}-")
        return False

    async def submit(
        self,
        batch_key: str,  # noqa: ARG002  the lines carry it
        lines: Sequence[dict[str, Any]],
        before: Callable[[], None],
    ) -> str:
        import anthropic

        with translated(anthropic):
            before()
            batch = await self.creating.messages.batches.create(requests=lines)  # type: ignore[arg-type]
        return batch.id

    async def progress(self, vendor_id: str) -> Progress:
        import anthropic

        with translated(anthropic):
            try:
                batch = await self.reading.messages.batches.retrieve(vendor_id)
            except anthropic.NotFoundError:
                return Progress()  # seen within a minute of the making; it shows itself later
        if batch.processing_status != "ended":
            return Progress()
        counts = batch.request_counts
        return Progress("cancelled" if counts.canceled else "expired" if counts.expired else "completed")

    async def cancel(self, vendor_id: str) -> None:
        import anthropic

        with translated(anthropic):
            try:
                await self.reading.messages.batches.cancel(vendor_id)
            except (anthropic.ConflictError, anthropic.NotFoundError, anthropic.BadRequestError):
                return  # it has ended by itself

    async def results(self, vendor_id: str) -> AsyncIterator[Result]:
        import anthropic

        with translated(anthropic):
            async for line in self._results(vendor_id):
                yield _result(line)

    async def _results(self, vendor_id: str) -> "AsyncIterator[MessageBatchIndividualResponse]":
        import anthropic

        batch = await self.reading.messages.batches.retrieve(vendor_id)
        if batch.results_url is None:  # archived after 29 days; the client would raise an error that is not of the API
            raise ModelBusy(f"{vendor_id} has no results that could be read", status="server_error")
        try:
            decoder = await self.reading.with_options(timeout=TRANSFER_SECONDS).messages.batches.results(vendor_id)
        except anthropic.NotFoundError as error:  # seen for minutes after the end
            raise ModelBusy(f"no results yet: {error.message[:300]}", status="server_error") from None
        try:
            async for line in decoder:
                yield line
        finally:
            await decoder.close()


def _result(line: "MessageBatchIndividualResponse") -> Result:
    result = line.result
    if result.type == "succeeded":
        return Result(line.custom_id, "ok", Answer(*read_message(result.message.model_dump(mode="json"))))
    if result.type == "errored":
        error = result.error.error
        refused = error.type in ("invalid_request_error", "authentication_error", "permission_error", "not_found_error")
        return Result(
            line.custom_id, "bad_request" if refused else "server_error", error=f"{error.type}: {error.message}"[:300]
        )
    return Result(line.custom_id, NOT_DONE[result.type], error=f"the vendor says: {result.type}")
