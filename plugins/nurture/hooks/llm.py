"""The model endpoint: the provider's hook, for both vendors, without their clients' own retries and over aiohttp."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.openai.hooks.openai import OpenAIHook

from nurture.errors import ConfigError

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

    from nurture.copywriting.chat_model import ChatModel

log = logging.getLogger(__name__)

VENDORS = ("openai", "anthropic")
RISK_LEVELS = ("low", "medium", "high")


class LlmHook(OpenAIHook):
    """OpenAI, any endpoint that speaks its protocol, or Anthropic.

    The connection's extra says which, e.g.
    `{"vendor": "anthropic", "model": "claude-haiku-4-5", "models": {"high": "claude-sonnet-4-5"}}`.
    `vendor` is openai when left out; `models` has other models for templates of some risk levels.

    Args:
        conn_id: password = API key, host = base URL (Anthropic's without `/v1`).
    """

    default_conn_name = "llm"

    def __init__(self, conn_id: str = default_conn_name) -> None:
        super().__init__(conn_id=conn_id)

    @property
    def vendor(self) -> str:
        """One of `VENDORS`.

        Raises:
            ConfigError: the connection names another.
        """
        vendor = str(self._extra().get("vendor", "openai"))
        if vendor not in VENDORS:
            raise ConfigError(
                f"connection {self.conn_id!r}: unknown vendor {vendor!r} in its extra; it is one of {', '.join(VENDORS)}"
            )
        return vendor

    def model_name(self, risk_level: str | None = None) -> str:
        """The model for templates of `risk_level`.

        Raises:
            ConfigError: the connection names no model, or models for something that is no risk level.
        """
        by_risk = self._extra().get("models") or {}
        if not isinstance(by_risk, dict) or (unknown := sorted(set(by_risk) - set(RISK_LEVELS))):
            found = unknown if isinstance(by_risk, dict) else by_risk
            raise ConfigError(
                f"connection {self.conn_id!r}: found {found} in `models` of its extra; its keys are {', '.join(RISK_LEVELS)}"
            )
        name = by_risk.get(risk_level) or self._extra().get("model")
        if not name:
            raise ConfigError(f'connection {self.conn_id!r} names no model; put {{"model": "gpt-4o-mini"}} into its extra')
        return str(name)

    @asynccontextmanager
    async def openai_client(self) -> AsyncIterator["AsyncOpenAI"]:
        """The vendor's client over aiohttp, which keeps up with hundreds of requests in flight; closed at the end.

        Raises:
            ConfigError: the client cannot be made of the connection.
        """
        from openai import DefaultAioHttpClient, OpenAIError

        try:
            connected = await self.aget_conn()
        except OpenAIError as error:
            raise ConfigError(f"connection {self.conn_id!r}: {error} Check its password and its host.") from None
        async with connected as client, DefaultAioHttpClient() as transport:
            yield client.with_options(http_client=transport)

    @asynccontextmanager
    async def anthropic_client(self) -> AsyncIterator["AsyncAnthropic"]:
        """The same for Anthropic."""
        from anthropic import AsyncAnthropic, DefaultAioHttpClient

        connection = self.get_connection(self.conn_id)
        async with DefaultAioHttpClient() as transport:
            yield AsyncAnthropic(api_key=connection.password, base_url=connection.host or None, http_client=transport)

    @asynccontextmanager
    async def model(
        self, *, timeout_seconds: float, risk_level: str | None = None, name: str | None = None
    ) -> AsyncIterator["ChatModel"]:
        """The connection's model for templates of `risk_level`, or the one called `name`.

        Raises:
            ConfigError: the connection's extra is wrong.
        """
        from nurture.copywriting.anthropic_model import AnthropicModel
        from nurture.copywriting.openai_model import OpenAIModel

        chosen = name or self.model_name(risk_level)
        if self.vendor == "anthropic":
            async with self.anthropic_client() as anthropic:
                yield AnthropicModel(anthropic, chosen, timeout_seconds=timeout_seconds)
        else:
            async with self.openai_client() as openai:
                yield OpenAIModel(openai, chosen, timeout_seconds=timeout_seconds)

    def _extra(self) -> dict[str, Any]:
        extra: dict[str, Any] = self.get_connection(self.conn_id).extra_dejson
        return extra


@asynccontextmanager
async def chat_models(
    conn_ids: Sequence[str], *, timeout_seconds: float, risk_level: str | None, first_name: str | None = None
) -> AsyncIterator[list["ChatModel"]]:
    """The models of several connections, first choice first; `first_name` in place of the first one's own.

    A later connection that cannot be opened is left out: it is there to help, not to stop the first.

    Raises:
        ConfigError: the first connection is wrong.
    """
    async with AsyncExitStack() as stack:

        async def opened(conn_id: str, name: str | None = None) -> "ChatModel":
            model = LlmHook(conn_id).model(timeout_seconds=timeout_seconds, risk_level=risk_level, name=name)
            return await stack.enter_async_context(model)

        models = [await opened(conn_ids[0], first_name)]
        for conn_id in conn_ids[1:]:
            try:
                models.append(await opened(conn_id))
            except Exception as error:
                log.warning("Nothing takes over through connection %r: %s: %s", conn_id, type(error).__name__, error)
        yield models
