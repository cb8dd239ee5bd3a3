"""The model endpoint: the provider's hook, without its client's own retries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from airflow.providers.openai.hooks.openai import OpenAIHook

from nurture.errors import ConfigError

if TYPE_CHECKING:
    from nurture.copywriting.openai_model import OpenAIModel


class LlmHook(OpenAIHook):
    """OpenAI, or any endpoint that speaks its protocol. The connection's extra `model` names the model.

    Args:
        conn_id: an `openai` connection: password = API key, host = base URL.
    """

    default_conn_name = "llm"

    def __init__(self, conn_id: str = default_conn_name) -> None:
        super().__init__(conn_id=conn_id)

    @asynccontextmanager
    async def model(self, *, timeout_seconds: float) -> AsyncIterator["OpenAIModel"]:
        """The connection's model; its client is closed at the end.

        Raises:
            ConfigError: the connection names no model.
        """
        from nurture.copywriting.openai_model import OpenAIModel

        name = self.get_connection(self.conn_id).extra_dejson.get("model")
        if not name:
            raise ConfigError(f'connection {self.conn_id!r} names no model; put {{"model": "gpt-4o-mini"}} into its extra')
        async with await self.aget_conn() as client:
            yield OpenAIModel(client, str(name), timeout_seconds=timeout_seconds)
