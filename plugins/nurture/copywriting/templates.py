"""Templates: typed, strict, and never changed once released."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, Field

from nurture.copywriting.assembly import PLACEHOLDER, load_placeholders
from nurture.copywriting.vocabulary import CONTEXT_LISTS, Context, Vocabulary, load_vocabulary, nothing_known
from nurture.errors import ConfigError
from nurture.paths import PROMPTS
from nurture.policy import Count, Strict, read_strict

REFERENCE = re.compile(r"([a-z][a-z0-9_]*)@v([1-9][0-9]*)")
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

    choices: Literal["personas", "industries", "pain_points", "lifecycle_stages", "products"]
    only: tuple[str, ...] | None = None
    default: Literal["other", "none"]


class Limit(Strict):
    """The most that one part of the copy may have."""

    max_words: Count
    max_characters: Count


class Limits(Strict):
    headline: Limit
    body: Limit
    cta: Limit


class Template(Strict):
    """What every template says about itself."""

    sections: ClassVar[tuple[str, ...]] = ()

    id: str
    version: Count
    kind: Literal["model", "static"]
    goal: str
    owner: str
    approver: str
    risk: Literal["low", "medium", "high"]
    locale: Literal["en"]
    change_log: Annotated[tuple[Change, ...], Field(min_length=1)]
    variables: dict[str, Variable]
    placeholders: tuple[str, ...]
    limits: Limits

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


class _Kind(BaseModel):
    """What decides by which model the rest of a template is read."""

    kind: Any = None


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

    sections: ClassVar[tuple[str, ...]] = ("headline", "body", "cta")

    kind: Literal["static"]
    headline: Parts
    body: Parts
    cta: Parts


def load_template(reference: str, folder: Path = PROMPTS) -> ModelTemplate | StaticTemplate:
    """Read a released template, e.g. `lead_nurture@v1`.

    Raises:
        ConfigError: no such template, a mistake in it, or it is not released or was changed after its release.
    """
    from nurture.copywriting.release import check_released

    template = read_template(reference, folder)
    check_released(reference, folder)
    return template


def read_template(reference: str, folder: Path = PROMPTS) -> ModelTemplate | StaticTemplate:
    """Read a template, released or not.

    Raises:
        ConfigError: no such template, or a mistake in it.
    """
    path = template_path(reference, folder)
    if not path.is_file():
        known = ", ".join(known_references(folder)) or "none"
        raise ConfigError(f"{path}: there is no template {reference}. Templates are: {known}.")
    is_static = read_strict(path, _Kind).kind == "static"
    template: ModelTemplate | StaticTemplate = (
        read_strict(path, StaticTemplate) if is_static else read_strict(path, ModelTemplate)
    )
    problems = list(_problems(template, load_vocabulary(), reference))
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    return template


def template_path(reference: str, folder: Path = PROMPTS) -> Path:
    """Where `id@vN` lives.

    Raises:
        ConfigError: not of that form.
    """
    match = REFERENCE.fullmatch(reference)
    if match is None:
        raise ConfigError(f"{reference!r} names no template; expected id@vN, e.g. {', '.join(known_references(folder))}")
    return folder / match[1] / f"v{match[2]}.yaml"


def known_references(folder: Path = PROMPTS) -> list[str]:
    """Every template there is, as `id@vN`."""
    return sorted(f"{path.parent.name}@{path.stem}" for path in folder.glob("*/v*.yaml"))


def _problems(template: Template, vocabulary: Vocabulary, reference: str) -> Iterator[str]:
    if template.reference != reference:
        yield f"it calls itself {template.reference}; by its place it is {reference}: correct `id` and `version`."
    if template.change_log[-1].version != template.version:
        yield f"the last entry of `change_log` is version {template.change_log[-1].version}; add one for {template.version}."
    yield from _variable_problems(template, vocabulary)
    used: set[str] = set()
    for section in template.sections:
        for part in template.parts(section):
            yield from _part_problems(template, section, part, vocabulary)
            used |= set(VARIABLE.findall(part.text)) | set(part.when)
    for name in sorted(set(template.variables) - used):
        yield f"variable `{name}` is declared but used in no text and no condition: use it or remove it."


def _variable_problems(template: Template, vocabulary: Vocabulary) -> Iterator[str]:
    for name, variable in template.variables.items():
        if CONTEXT_LISTS.get(name) != variable.choices:
            pairs = ", ".join(f"{key} (from {words})" for key, words in CONTEXT_LISTS.items())
            yield f"there is no variable `{name}` from {variable.choices}. Variables are: {pairs}."
            continue
        if variable.default != nothing_known(name):
            yield f"the default of `{name}` is `{variable.default}`; expected `{nothing_known(name)}`."
        words = vocabulary.words(variable.choices)
        for word in variable.only or ():
            if word not in words:
                yield f"`{word}` is not among the words of `{name}`: {', '.join(words)}."
    known = load_placeholders()
    for name in template.placeholders:
        if name not in known:
            yield f"unknown placeholder `{name}`. Placeholders are: {', '.join(known)}."


def _part_problems(template: Template, section: str, part: Part, vocabulary: Vocabulary) -> Iterator[str]:
    declared = ", ".join(template.variables) or "none"
    for name in VARIABLE.findall(part.text):
        if name not in template.variables:
            yield f"`{{{{ {name} }}}}` in `{section}` is not declared. Declared variables are: {declared}."
    rest = VARIABLE.sub("", part.text)
    for name in PLACEHOLDER.findall(rest):
        if name not in template.placeholders:
            names = ", ".join(template.placeholders) or "none"
            yield f"`{{{name}}}` in `{section}` is not declared. Declared placeholders are: {names}."
    if "{" in (left := PLACEHOLDER.sub("", rest)) or "}" in left:
        yield f"`{section}` has a brace that is neither `{{{{ variable }}}}` nor `{{placeholder}}`: {part.text[:60]!r}."
    for name, wanted in part.when.items():
        variable = template.variables.get(name)
        if variable is None:
            yield f"a condition in `{section}` asks for `{name}`, which is not declared. Declared variables are: {declared}."
            continue
        words = [PRESENT, ABSENT, variable.default, *(variable.only or vocabulary.words(variable.choices))]
        for word in (wanted,) if isinstance(wanted, str) else wanted:
            if word not in words:
                yield f"a condition in `{section}` wants {name} `{word}`. Valid are: {', '.join(words)}."
