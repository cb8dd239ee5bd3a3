"""Puts the batch APIs of both vendors into the application, over one desk."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.params import Depends

from sandbox.model import anthropic_batches, batches
from sandbox.model.batch_answers import BatchWriter
from sandbox.model.batch_desk import BatchDesk, BatchFaults
from sandbox.model.behaviour import Behaviour
from sandbox.model.store import RequestStore


def mount_batches(
    app: FastAPI, behaviour: Behaviour, store: RequestStore, *, openai_key: Sequence[Depends], admin: Sequence[Depends]
) -> BatchDesk:
    """Add the routes.

    Args:
        openai_key: what checks the API key as OpenAI does; Anthropic's routes bring their own.
        admin: what lets only tests and the demo in.
    """
    desk, writer = BatchDesk(), BatchWriter(behaviour, store)
    app.include_router(batches.routes(batches.OpenAIBatches(desk, writer)), dependencies=openai_key)
    app.include_router(anthropic_batches.routes(anthropic_batches.MessageBatches(desk, writer)))

    @app.get("/__admin__/batches", dependencies=admin)
    async def _() -> list[dict[str, Any]]:
        return desk.summary()

    @app.post("/__admin__/batches", dependencies=admin)
    async def _(faults: BatchFaults) -> BatchFaults:
        desk.behave(faults)
        return faults

    return desk
