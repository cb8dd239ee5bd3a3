"""An answer that never arrives, although the work was done."""

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class LostAnswer(Response):
    """Promises a body and ends: the server then closes the connection, and the client cannot know what happened."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
