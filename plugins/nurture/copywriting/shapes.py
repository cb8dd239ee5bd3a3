"""The parts that a piece of copy has, how long each may be, and the JSON schema of an answer that has them."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from nurture.strict_yaml import Count, Strict

MESSAGE_PARTS = ("headline", "body", "cta")
"""What a campaign pushes: the CRM has a property for each."""

RESERVED_NAMES = ("cited_fact_ids", "citations", "unreadable")
"""Keys of the stored copy that are no parts."""


class Limit(Strict):
    """What one text may be.

    Attributes:
        items: the part is a list of exactly so many texts, each within the limit; None: it is one text.
    """

    max_words: Count
    max_characters: Count
    min_words: Count | None = None
    items: Annotated[int, Field(ge=2, le=50)] | None = None

    @model_validator(mode="after")
    def _can_be_met(self) -> "Limit":
        if self.min_words is not None and self.min_words > self.max_words:
            raise ValueError(f"min_words is {self.min_words}, more than max_words {self.max_words}")
        return self


Limits = dict[str, Limit]


class Shape(Strict):
    """Parts by name, and how the writer says which facts it used.

    Attributes:
        limits: part → what it may be.
        citations: `list`: once, in `cited_fact_ids`, for all sentences. `sentence`: in square brackets after each sentence.
    """

    limits: Annotated[Limits, Field(min_length=1)]
    citations: Literal["list", "sentence"] = "list"

    @field_validator("limits")
    @classmethod
    def _named_well(cls, limits: Limits) -> Limits:
        for name in limits:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in RESERVED_NAMES:
                raise ValueError(
                    f"a part cannot be called `{name}`; a name has small letters, digits and underscores, and is none of "
                    + ", ".join(RESERVED_NAMES)
                )
        return limits

    @property
    def is_message(self) -> bool:
        """Whether a campaign can push it: it has a headline, a body and a cta, each one text, and nothing else."""
        return set(self.limits) == set(MESSAGE_PARTS) and not any(limit.items for limit in self.limits.values())

    @property
    def answer_schema(self) -> dict[str, Any]:
        """JSON schema of an answer, in the subset that every vendor's strict mode takes: list lengths stand in words."""
        properties: dict[str, Any] = {
            name: {"type": "string"}
            if limit.items is None
            else {"type": "array", "items": {"type": "string"}, "description": f"exactly {limit.items} texts"}
            for name, limit in self.limits.items()
        }
        if self.citations == "list":
            properties["cited_fact_ids"] = {"type": "array", "items": {"type": "string"}}
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }


def part_of(text_name: str) -> str:
    """The part that a text of a piece belongs to: `subject_lines` for `subject_lines.2`."""
    return text_name.partition(".")[0]
