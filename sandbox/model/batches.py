"""OpenAI's Files and Batch API, as far as batches of chat completions need it."""

import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import UploadFile

from sandbox.model.batch_answers import BatchWriter
from sandbox.model.batch_desk import Batch, BatchDesk, Outcome
from sandbox.model.dialect import CHAT_COMPLETIONS
from sandbox.model.lost_answer import LostAnswer
from sandbox.model.protocol import ApiError

VENDOR = "openai"
ENDPOINT = "/v1/chat/completions"
WINDOW_SECONDS = 24 * 3600
MOST_REQUESTS = 50_000
MOST_BYTES = 200_000_000
MOST_METADATA = 16


@dataclass(frozen=True)
class File:
    id: str
    name: str
    purpose: str
    content: bytes
    created_at: float

    def shown(self) -> dict[str, Any]:
        return {"id": self.id, "object": "file", "bytes": len(self.content), "created_at": int(self.created_at),
                "filename": self.name, "purpose": self.purpose, "status": "processed", "expires_at": None}  # fmt: skip


class OpenAIBatches:
    """Files and batches of one server."""

    def __init__(self, desk: BatchDesk, writer: BatchWriter) -> None:
        self.desk, self.writer = desk, writer
        self.files: dict[str, File] = {}

    async def upload(self, request: Request) -> dict[str, Any]:
        form = await request.form()
        given, purpose = form.get("file"), form.get("purpose")
        if not isinstance(given, UploadFile):
            raise ApiError(400, "'file' is a required property", param="file")
        if purpose != "batch":
            raise ApiError(400, f"Found purpose {purpose!r}; this sandbox takes files for `batch`.", param="purpose")
        content = await given.read()
        if len(content) > MOST_BYTES:
            raise ApiError(413, f"The file has {len(content)} bytes; at most {MOST_BYTES} are allowed.")
        return self._keep(given.filename or "upload.jsonl", "batch", content).shown()

    def file(self, file_id: str) -> File:
        if file_id not in self.files:
            raise ApiError(404, f"No such File object: {file_id}", param="id")
        return self.files[file_id]

    def create(self, data: Any) -> dict[str, Any] | Response:
        if not isinstance(data, dict) or data.get("endpoint") != ENDPOINT or data.get("completion_window") != "24h":
            raise ApiError(400, f"Send endpoint `{ENDPOINT}`, completion_window `24h` and input_file_id.")
        metadata = data.get("metadata") or {}
        if len(metadata) > MOST_METADATA or any(len(key) > 64 or len(str(value)) > 512 for key, value in metadata.items()):
            raise ApiError(400, "metadata: at most 16 pairs, keys of 64 and values of 512 characters.", param="metadata")
        content = self.file(str(data.get("input_file_id"))).content
        if self.desk.is_create_refused():
            raise ApiError(500, "The server had an error while processing your request.", type="server_error")
        requests, errors = _lines(content)
        if self.desk.faults.refuse_batch:
            errors = [_error(self.desk.faults.refuse_batch, "Told to refuse by an admin rule.")]
        batch = self.desk.add(
            VENDOR, "batch_", requests, metadata=metadata, input_file_id=data["input_file_id"], errors=errors
        )
        if self.desk.is_answer_lost():
            return LostAnswer()
        return self.shown(batch, status="validating")

    async def get(self, batch_id: str) -> Batch:
        batch = self.desk.find(VENDOR, batch_id)
        if batch is None:
            raise ApiError(404, f"No batch found with id '{batch_id}'.", param="batch_id")
        await self.desk.finish(batch, self._answer)
        return batch

    async def cancel(self, batch_id: str) -> dict[str, Any]:
        batch = await self.get(batch_id)
        if batch.has_ended:
            raise ApiError(409, f"Cannot cancel a batch with status '{_status(batch)}'.")
        batch.cancel_asked_at = batch.cancel_asked_at or time.time()
        await self.desk.finish(batch, self._answer)
        return self.shown(batch)

    async def listed(self, after: str | None, limit: int) -> dict[str, Any]:
        page, has_more = self.desk.page(VENDOR, after=after, limit=limit)
        for batch in page:
            await self.desk.finish(batch, self._answer)
        return {"object": "list", "data": [self.shown(batch) for batch in page], "has_more": has_more,
                "first_id": page[0].id if page else None, "last_id": page[-1].id if page else None}  # fmt: skip

    def shown(self, batch: Batch, *, status: str | None = None) -> dict[str, Any]:
        """The Batch object. Its files exist once it has ended."""
        good = [one for one in batch.outcomes or [] if one.kind == "succeeded"]
        bad = [one for one in batch.outcomes or [] if one.kind != "succeeded"]
        return {
            "id": batch.id, "object": "batch", "endpoint": ENDPOINT, "completion_window": "24h",
            "status": status or _status(batch), "input_file_id": batch.input_file_id,
            "created_at": int(batch.created_at), "expires_at": int(batch.created_at + WINDOW_SECONDS),
            "metadata": batch.metadata or None,
            "errors": {"object": "list", "data": batch.errors} if batch.errors else None,
            "request_counts": {"total": len(batch.requests), "completed": len(good), "failed": len(bad)},
            "output_file_id": self._written(batch, "output", good),
            "error_file_id": self._written(batch, "error", bad),
        }  # fmt: skip

    def _written(self, batch: Batch, which: str, outcomes: list[Outcome]) -> str | None:
        if not outcomes or batch.errors:
            return None
        file_id = f"file-{batch.id}-{which}"
        if file_id not in self.files:
            content = "".join(json.dumps(_line(batch, one), ensure_ascii=False) + "\n" for one in outcomes).encode()
            self.files[file_id] = File(file_id, f"{file_id}.jsonl", "batch_output", content, time.time())
        return file_id

    def _keep(self, name: str, purpose: str, content: bytes) -> File:
        file = File(f"file-{uuid4().hex[:24]}", name, purpose, content, time.time())
        self.files[file.id] = file
        return file

    async def _answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return await self.writer.answer(body, CHAT_COMPLETIONS)


def routes(batches: OpenAIBatches) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/files")
    async def _(request: Request) -> dict[str, Any]:
        return await batches.upload(request)

    @router.get("/v1/files/{file_id}")
    async def _(file_id: str) -> dict[str, Any]:
        return batches.file(file_id).shown()

    @router.get("/v1/files/{file_id}/content")
    async def _(file_id: str) -> Response:
        return Response(batches.file(file_id).content, media_type="application/octet-stream")

    @router.post("/v1/batches")
    async def _(request: Request) -> Any:
        return batches.create(await request.json())

    @router.get("/v1/batches")
    async def _(after: str | None = None, limit: int = 20) -> dict[str, Any]:
        return await batches.listed(after, min(limit, 100))

    @router.get("/v1/batches/{batch_id}")
    async def _(batch_id: str) -> dict[str, Any]:
        return batches.shown(await batches.get(batch_id))

    @router.post("/v1/batches/{batch_id}/cancel")
    async def _(batch_id: str) -> JSONResponse:
        return JSONResponse(await batches.cancel(batch_id))

    return router


def _status(batch: Batch) -> str:
    if batch.errors:
        return "failed"
    if not batch.has_ended:
        return "in_progress" if batch.cancel_asked_at is None else "cancelling"
    return "cancelled" if batch.was_cancelled else "expired" if batch.has_expired else "completed"


def _lines(content: bytes) -> tuple[list[tuple[str, dict[str, Any]]], list[dict[str, Any]]]:
    """The requests of an input file, and what is wrong with it: one mistake fails the whole batch, as at the real vendor."""
    requests, errors = [], []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            item = json.loads(line)
            requests.append((item["custom_id"], item["body"]))
            if item["method"] != "POST" or item["url"] != ENDPOINT:
                errors.append(_error("mismatched_url", f"Expected POST {ENDPOINT}.", number))
        except (ValueError, KeyError, TypeError):
            errors.append(_error("invalid_json_line", "This line is not a batch request.", number))
    if len(requests) > MOST_REQUESTS or not requests:
        errors.append(_error("invalid_file", f"Found {len(requests)} requests; expected 1 to {MOST_REQUESTS}."))
    if [custom_id for custom_id, times in Counter(custom_id for custom_id, _ in requests).items() if times > 1]:
        errors.append(_error("duplicate_custom_id", "The custom_id of every request must be unique."))
    if len({str(body.get("model")) for _, body in requests}) > 1:
        errors.append(_error("mismatched_model", "All requests of a batch must use one model."))
    return requests, errors


def _error(code: str, message: str, line: int | None = None) -> dict[str, Any]:
    return {"code": code, "message": message, "line": line, "param": None}


def _line(batch: Batch, outcome: Outcome) -> dict[str, Any]:
    line = {"id": f"batch_req_{outcome.custom_id[:24]}", "custom_id": outcome.custom_id, "response": None, "error": None}
    if outcome.kind in ("expired", "canceled"):
        code = "batch_expired" if outcome.kind == "expired" else "batch_cancelled"
        return line | {"error": {"code": code, "message": "This request was not executed before the batch ended."}}
    response = {"status_code": outcome.status, "request_id": f"req_{batch.id[-12:]}", "body": outcome.body}
    return line | {"response": response}
