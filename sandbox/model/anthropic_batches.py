"""Anthropic's Message Batches API."""

import json
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from sandbox.model.anthropic import MESSAGES, MessagesError, require_key
from sandbox.model.batch_answers import BatchWriter
from sandbox.model.batch_desk import Batch, BatchDesk, Outcome
from sandbox.model.lost_answer import LostAnswer

VENDOR = "anthropic"
WINDOW_SECONDS = 24 * 3600
MOST_REQUESTS = 100_000
MOST_BYTES = 256_000_000
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class MessageBatches:
    """Batches of one server. They carry no metadata, and what was asked cannot be read back."""

    def __init__(self, desk: BatchDesk, writer: BatchWriter) -> None:
        self.desk, self.writer = desk, writer

    def create(self, body: bytes) -> dict[str, Any] | Response:
        if len(body) > MOST_BYTES:
            raise MessagesError(413, f"The request has {len(body)} bytes; at most {MOST_BYTES} are allowed.")
        requests = _requests(body)
        if self.desk.faults.refuse_batch:
            raise MessagesError(400, f"{self.desk.faults.refuse_batch}: told to refuse by an admin rule.")
        if self.desk.is_create_refused():
            raise MessagesError(500, "Internal server error")
        batch = self.desk.add(VENDOR, "msgbatch_", requests)
        return LostAnswer() if self.desk.is_answer_lost() else self.shown(batch, "", is_new=True)

    async def get(self, batch_id: str) -> Batch:
        batch = self.desk.find(VENDOR, batch_id)
        if batch is None:
            raise MessagesError(404, f"Message batch not found: {batch_id}")
        await self.desk.finish(batch, self._answer)
        return batch

    async def cancel(self, batch_id: str) -> Batch:
        batch = await self.get(batch_id)
        if batch.has_ended:
            raise MessagesError(400, "Batch cannot be canceled: it has ended.")
        batch.cancel_asked_at = batch.cancel_asked_at or time.time()
        return batch

    async def page(self, after_id: str | None, limit: int, root: str) -> dict[str, Any]:
        page, has_more = self.desk.page(VENDOR, after=after_id, limit=limit)
        for batch in page:
            await self.desk.finish(batch, self._answer)
        return {"data": [self.shown(batch, root) for batch in page], "has_more": has_more,
                "first_id": page[0].id if page else None, "last_id": page[-1].id if page else None}  # fmt: skip

    async def results(self, batch_id: str) -> bytes:
        batch = await self.get(batch_id)
        if batch.outcomes is None:
            raise MessagesError(404, "The results are not available before the batch has ended.")
        return "".join(json.dumps(_line(one), ensure_ascii=False) + "\n" for one in batch.outcomes).encode()

    def shown(self, batch: Batch, root: str, *, is_new: bool = False) -> dict[str, Any]:
        """The MessageBatch object. Its counts move only when it has ended."""
        has_ended = batch.outcomes is not None and not is_new
        running = "in_progress" if batch.cancel_asked_at is None else "canceling"
        counts = {kind: batch.count(kind) if has_ended else 0 for kind in ("succeeded", "errored", "canceled", "expired")}
        results_url = urljoin(root, f"/v1/messages/batches/{batch.id}/results")
        return {
            "id": batch.id, "type": "message_batch", "processing_status": "ended" if has_ended else running,
            "request_counts": {"processing": 0 if has_ended else len(batch.requests), **counts},
            "created_at": _moment(batch.created_at), "expires_at": _moment(batch.created_at + WINDOW_SECONDS),
            "ended_at": _moment(min(time.time(), batch.ends_at)) if has_ended else None, "archived_at": None,
            "cancel_initiated_at": None if batch.cancel_asked_at is None else _moment(batch.cancel_asked_at),
            "results_url": results_url if has_ended else None,
        }  # fmt: skip

    async def _answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return await self.writer.answer(body, MESSAGES)


def routes(batches: MessageBatches) -> APIRouter:
    router = APIRouter(prefix="/v1/messages/batches", dependencies=[Depends(require_key)])

    @router.post("")
    async def _(request: Request) -> Any:
        return batches.create(await request.body())

    @router.get("")
    async def _(request: Request, after_id: str | None = None, limit: int = 20) -> dict[str, Any]:
        return await batches.page(after_id, min(limit, 1000), str(request.base_url))

    @router.get("/{batch_id}")
    async def _(request: Request, batch_id: str) -> dict[str, Any]:
        return batches.shown(await batches.get(batch_id), str(request.base_url))

    @router.get("/{batch_id}/results")
    async def _(batch_id: str) -> Response:
        return Response(await batches.results(batch_id), media_type="application/x-jsonl")

    @router.post("/{batch_id}/cancel")
    async def _(request: Request, batch_id: str) -> dict[str, Any]:
        return batches.shown(await batches.cancel(batch_id), str(request.base_url))

    return router


def _requests(body: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The requests of a batch; what is wrong with their params shows only in the results, as at the real vendor."""
    try:
        items = json.loads(body)["requests"]
        requests = [(item["custom_id"], item["params"]) for item in items]
    except (ValueError, KeyError, TypeError):
        raise MessagesError(400, "requests: Field required, each with custom_id and params") from None
    if not 1 <= len(requests) <= MOST_REQUESTS:
        raise MessagesError(400, f"requests: found {len(requests)}, expected 1 to {MOST_REQUESTS}")
    for number, (custom_id, _) in enumerate(requests):
        if not isinstance(custom_id, str) or not 1 <= len(custom_id) <= 64 or set(custom_id) - LETTERS:
            raise MessagesError(400, f"requests.{number}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
    if any(times > 1 for times in Counter(custom_id for custom_id, _ in requests).values()):
        raise MessagesError(400, "requests: custom_id must be unique within the batch")
    return requests


def _line(outcome: Outcome) -> dict[str, Any]:
    if outcome.kind == "succeeded":
        result: dict[str, Any] = {"type": "succeeded", "message": outcome.body}
    elif outcome.kind == "errored":
        result = {"type": "errored", "error": _error_body(outcome)}
    else:
        result = {"type": outcome.kind}
    return {"custom_id": outcome.custom_id, "result": result}


def _error_body(outcome: Outcome) -> dict[str, Any]:
    return outcome.body if "error" in outcome.body else MessagesError(outcome.status, outcome.body["message"]).body


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
