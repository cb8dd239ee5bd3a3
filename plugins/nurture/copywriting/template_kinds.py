"""What a template says about itself, and which of its texts apply to a context: prompts for a model, and static copy."""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from nurture.copywriting.shapes import MESSAGE_PARTS, Shape
from nurture.copywriting.vocabulary import Context
from nurture.strict_yaml import Count, Strict

VARIABLE = re.compile(r"\{\{ ([a-z_]+) \}\}")
PRESENT, ABSENT = "present", "absent"


class Part(Strict):
    """A piece of text, with the condition under which it applies.

    Attributes:
        when: variable → `present`, `absent`, a word or a list of words. Every entry must hold.
        cites: facts that the text states (static templates). It is left out when one of them is not valid on the day.
    """

    text: str
    when: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    cites: tuple[str, ...] = ()


def _part(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


Parts = tuple[Annotated[Part, BeforeValidator(_part)], ...]


class Change(Strict):
    version: Count
    date: str
    change: str


class Variable(Strict):
    """A word of the vocabulary that the text depends on.

    Attributes:
        choices: list of the vocabulary that the words come from.
        only: the words for which this template says something of its own; all others count as the default. Fewer
            words, fewer contexts, fewer calls to a model.
        default: the word when nothing is known.
    """

    choices: Literal["personas", "industries", "pain_points", "lifecycle_stages", "products", "markets"]
    only: tuple[str, ...] | None = None
    default: Literal["other", "none"]


class Template(Shape):
    """What every template says about itself; its shape is that of the copy it makes.

    Attributes:
        use_case: what it is used for, in the words of the model card; None: its goal says it.
    """

    sections: ClassVar[tuple[str, ...]] = ()

    id: str
    version: Count
    kind: Literal["model", "static"]
    goal: str
    use_case: str | None = None
    owner: str
    approver: str
    risk: Literal["low", "medium", "high"]
    locale: Literal["en"]
    change_log: Annotated[tuple[Change, ...], Field(min_length=1)]
    variables: dict[str, Variable]
    placeholders: tuple[str, ...]

    @property
    def reference(self) -> str:
        return f"{self.id}@v{self.version}"

    def narrowed(self, context: Context) -> Context:
        """What this template makes of a context: only its variables, and of these only the words that it tells apart."""
        return {
            name: context[name] if variable.only is None or context[name] in variable.only else variable.default
            for name, variable in self.variables.items()
        }

    def parts(self, section: str) -> Parts:
        value: Parts = getattr(self, section)
        return value

    def applying(self, section: str, context: Context) -> list[Part]:
        """The parts of `section` whose conditions hold."""
        return [
            part
            for part in self.parts(section)
            if all(self._holds(context[name], wanted, self.variables[name]) for name, wanted in part.when.items())
        ]

    @staticmethod
    def _holds(word: str, wanted: str | tuple[str, ...], variable: Variable) -> bool:
        if wanted in (PRESENT, ABSENT):
            return (word != variable.default) == (wanted == PRESENT)
        return word in ((wanted,) if isinstance(wanted, str) else wanted)


class ModelTemplate(Template):
    """A prompt. The model sees role, constraints and limits as the system message, the context as the user's.

    Attributes:
        token_budget: the most tokens that the answer may have.
    """

    sections: ClassVar[tuple[str, ...]] = ("role", "context", "constraints", "output")

    kind: Literal["model"]
    token_budget: Count
    role: Parts
    context: Parts
    constraints: Parts
    output: Parts


class StaticTemplate(Template):
    """Copy that people wrote and approved; also what is sent when a model's answer cannot be used."""

    sections: ClassVar[tuple[str, ...]] = MESSAGE_PARTS

    kind: Literal["static"]
    headline: Parts
    body: Parts
    cta: Parts
