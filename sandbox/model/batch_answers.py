"""What the writer answers to requests that came in a batch: the same as to one that came alone."""

import json
from typing import Any

from sandbox.model import protocol
from sandbox.model.behaviour import ANSWER_MODES, Behaviour, spoil
from sandbox.model.dialect import Dialect
from sandbox.model.protocol import ApiError
from sandbox.model.store import RequestStore
from sandbox.model.writer import write


class BatchWriter:
    """Answers the requests of batches. Admin rules about answers hold here too; those about transport do not."""

    def __init__(self, behaviour: Behaviour, store: RequestStore) -> None:
        self.behaviour, self.store = behaviour, store

    async def answer(self, body: dict[str, Any], dialect: Dialect) -> tuple[int, dict[str, Any]]:
        """HTTP status and body, as the endpoint for single requests would give them."""
        try:
            request = dialect.parse(json.dumps(body, ensure_ascii=False).encode())
        except ApiError as error:
            return error.status, error.body
        struck = [rule for rule in self.behaviour.strike(request.digest) if rule.mode in ANSWER_MODES]
        answer: Any = write(request)
        for rule in struck:
            answer = spoil(rule.mode, answer, system=request.system)
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        answered, text = dialect.completion(request, text)
        await self.store.record(
            model=request.model, prompt=request.prompt, answer=text, status=200,
            misbehaviour=", ".join(rule.mode for rule in struck) or None,
            prompt_tokens=request.prompt_tokens, completion_tokens=protocol.tokens(text),
        )  # fmt: skip
        return 200, answered
