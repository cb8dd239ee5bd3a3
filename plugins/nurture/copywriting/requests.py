"""What is asked of a writer for one context, and the hash under which the answer is kept."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from nurture.copywriting.citations import cite_all
from nurture.copywriting.facts import Fact
from nurture.copywriting.guardrails import Terms
from nurture.copywriting.pieces import Piece, sha256
from nurture.copywriting.templates import VARIABLE, ModelTemplate, Part, StaticTemplate
from nurture.copywriting.vocabulary import Context, Vocabulary, nothing_known
from nurture.errors import ConfigError

SEED = 7  # fixed, so that an endpoint that honours it repeats itself


@dataclass(frozen=True)
class CopyRequest:
    """One distinct piece of copy to be written.

    Attributes:
        template_hash: sha256 of the template's text.
        context: the template's variables, in vocabulary words; nothing else about any person.
        facts: what the writer may say.
        model: None for static copy.
        day: on which its facts must hold; no part of the hash.
    """

    template: ModelTemplate | StaticTemplate
    template_hash: str
    context: Context
    facts: tuple[Fact, ...]
    model: str | None
    vocabulary: Vocabulary
    day: date

    @property
    def parameters(self) -> dict[str, Any]:
        """What the endpoint is told besides the messages."""
        if not isinstance(self.template, ModelTemplate):
            return {}
        return {"temperature": 0, "seed": SEED, "max_completion_tokens": self.template.token_budget}

    @cached_property
    def request_hash(self) -> str:
        """The same for the same inputs, on any night and in any campaign."""
        return sha256(
            {
                "template": {"reference": self.template.reference, "sha256": self.template_hash},
                "context": self.context,
                "facts": [{"id": fact.id, "version": fact.version, "text": fact.text} for fact in self.facts],
                "model": self.model,
                "parameters": self.parameters,
            }
        )

    @cached_property
    def messages(self) -> list[dict[str, str]]:
        """The prompt: system = role, constraints, output; user = the context in words, and as JSON."""
        template = self.template
        if not isinstance(template, ModelTemplate):
            raise ConfigError(f"{template.reference} is static: there is nothing to ask a model")
        system = [
            "\n".join(self.texts("role")),
            "Constraints:\n" + "\n".join(f"- {text}" for text in self.texts("constraints")),
            "Output:\n" + "\n".join(f"- {text}" for text in self.texts("output")),
        ]
        request = {
            "template": template.reference,
            "context": {name: self._shown(name, word) for name, word in self.context.items()},
            "facts": [{"id": fact.id, "text": fact.text} for fact in self.facts],
            "placeholders": list(template.placeholders),
            "limits": {part: limit.model_dump(exclude_none=True) for part, limit in template.limits.items()},
        }
        if template.citations != "list":
            request["citations"] = template.citations
        asked = json.dumps(request, ensure_ascii=False, indent=1, sort_keys=True)
        user = "\n".join([*self.texts("context"), "", "<request>", asked, "</request>"])
        return [{"role": "system", "content": "\n\n".join(system)}, {"role": "user", "content": user}]

    @property
    def response_format(self) -> dict[str, Any]:
        return {
            "type": "json_schema",
            "json_schema": {"name": "copy", "strict": True, "schema": self.template.answer_schema},
        }

    @cached_property
    def terms(self) -> Terms:
        """What the answer is held against."""
        told = [self.messages[0]["content"], *self.texts("context")] if isinstance(self.template, ModelTemplate) else []
        return Terms(
            self.template.limits,
            self.template.placeholders,
            self.facts,
            self.vocabulary.product_names,
            "\n".join(told),
            self.template.citations,
            self.day,
        )

    def texts(self, section: str) -> list[str]:
        """The texts of `section` that apply to this context, variables filled in."""
        return [self._filled(part) for part in self.template.applying(section, self.context)]

    def static_piece(self) -> Piece:
        """The copy of a static template. A part whose fact is not among `facts` (not valid on the day) is left out."""
        valid = {fact.id for fact in self.facts}
        parts = {
            section: [part for part in self.template.applying(section, self.context) if set(part.cites) <= valid]
            for section in StaticTemplate.sections
        }
        texts = {
            section: ("\n\n" if section == "body" else " ").join(self._filled(part) for part in chosen)
            for section, chosen in parts.items()
        }
        if missing := [section for section, text in texts.items() if not text]:
            raise ConfigError(f"{self.template.reference} has no {missing} for {self.context}; add a part that applies")
        citations = [
            citation
            for section, chosen in parts.items()
            for part in chosen
            for citation in cite_all(section, self._filled(part), part.cites)
        ]
        return Piece(texts, tuple(citations))

    def _filled(self, part: Part) -> str:
        return VARIABLE.sub(lambda match: self.vocabulary.readable(match[1], self.context[match[1]]), part.text).strip()

    def _shown(self, name: str, word: str) -> str | None:
        if word == nothing_known(name):
            return None
        return self.vocabulary.readable(name, word) if name in ("recent_product", "market") else word
