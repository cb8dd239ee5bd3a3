"""One piece of copy, and reading it from what a model answered."""

import hashlib
import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

LONGEST_ANSWER = 20_000  # characters; more is no e-mail, whatever it says
KEPT_OF_BAD_ANSWER = 2_000  # characters

Text = Annotated[str, Field(min_length=1)]


class Piece(BaseModel):
    """What one context is told, placeholders not filled."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    headline: Text
    body: Text
    cta: Text
    cited_fact_ids: list[str]

    @property
    def texts(self) -> dict[str, str]:
        return {"headline": self.headline, "body": self.body, "cta": self.cta}

    @property
    def text(self) -> str:
        return "\n".join(self.texts.values())


PIECE_SCHEMA = {
    "type": "object",
    "properties": {
        "headline": {"type": "string"},
        "body": {"type": "string"},
        "cta": {"type": "string"},
        "cited_fact_ids": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["headline", "body", "cta", "cited_fact_ids"],
    "additionalProperties": False,
}
"""The same for every request, so that an endpoint compiles it once."""


class BadAnswer(ValueError):
    """An answer that is no piece of copy; the message says what was found and what was expected."""


def read_piece(answer: str | None) -> Piece:
    """Read a model's answer.

    Raises:
        BadAnswer: empty, too long, not JSON, or not of the right shape.
    """
    expected = "expected one JSON object with headline, body, cta and cited_fact_ids"
    if not answer or not answer.strip():
        raise BadAnswer(f"the answer is empty; {expected}")
    if len(answer) > LONGEST_ANSWER:
        raise BadAnswer(f"the answer has {len(answer)} characters; {expected} of at most {LONGEST_ANSWER}")
    try:
        return Piece.model_validate(json.loads(answer))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'answer'}: {e['msg']}" for e in error.errors()[:5])
        raise BadAnswer(f"the answer has the wrong shape ({problems}); {expected}") from None
    except (ValueError, RecursionError):
        raise BadAnswer(f"the answer is not JSON; {expected}") from None


def storable(value: Any) -> Any:
    """`value` with every text as PostgreSQL takes it: no NUL, no unpaired surrogate."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {storable(key): storable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable(inner) for inner in value]
    return value


def canonical(value: Any) -> str:
    """JSON text that is the same whenever the value is: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def sha256(value: Any) -> str:
    """Hex digest of the canonical JSON of `value`."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
