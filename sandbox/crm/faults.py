"""Misbehaviour on demand: faults that an admin queues, and the connections that they close."""

import asyncio
import random
import re
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Fault(BaseModel):
    """What happens to the requests whose path it matches, instead of or beside the usual.

    Attributes:
        match: regular expression searched for in the path (the `/crm/v3/…` form).
        method: GET, POST, …; None for any.
        status: answer this status. Without `body` the error that HubSpot sends with it.
        after_write: let the request do its work before `status` or `delay_seconds` strike.
        close_before_write: close the connection without an answer; nothing was done.
        close_after_write: do the work, then close the connection without an answer.
        skip: so many matching requests pass before it strikes.
        times: how many requests it strikes; None is for ever.
        probability: share of the matching requests that it strikes, drawn with `seed`.
    """

    model_config = ConfigDict(extra="forbid")

    match: str
    method: str | None = None
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    body: Any = None
    headers: dict[str, str] = {}
    delay_seconds: Annotated[float, Field(ge=0)] = 0
    after_write: bool = False
    close_before_write: bool = False
    close_after_write: bool = False
    skip: Annotated[int, Field(ge=0)] = 0
    times: Annotated[int, Field(gt=0)] | None = 1
    probability: Annotated[float, Field(gt=0, le=1)] = 1
    seed: int = 0
    _random: random.Random = PrivateAttr()
    _struck: int = PrivateAttr(default=0)

    @field_validator("match")
    @classmethod
    def _is_a_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not (self.status or self.delay_seconds or self.close_before_write or self.close_after_write):
            raise ValueError("a fault needs status, delay_seconds, close_before_write or close_after_write")
        self._random = random.Random(self.seed)
        return self

    @property
    def struck(self) -> int:
        """How many requests it has struck."""
        return self._struck

    def strikes(self, method: str, path: str) -> bool:
        """Whether it strikes this request; counts it if so."""
        if self.times is not None and self._struck >= self.times:
            return False
        if not re.search(self.match, path) or self.method not in (None, method):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self._random.random() >= self.probability:
            return False
        self._struck += 1
        return True


class ClosableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which lets the application close the connection without an answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["close_connection"] = self.transport.close


async def close_connection(scope: Any, receive: Any) -> None:
    """Close the connection of a request; returns when the server has seen that it is closed."""
    scope["state"]["close_connection"]()
    while (await receive())["type"] != "http.disconnect":
        await asyncio.sleep(0)
