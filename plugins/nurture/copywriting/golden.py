"""Golden contexts: what every version of a template is tried on before its release (`include/prompts/<id>/golden.yaml`)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from nurture.copywriting.template_kinds import Template
from nurture.copywriting.vocabulary import CONTEXT_LISTS, Context, Vocabulary, nothing_known
from nurture.errors import ConfigError
from nurture.paths import PROMPTS
from nurture.strict_yaml import Strict, read_strict

FEWEST_CONTEXTS = 8


class GoldenContext(Strict):
    """One context.

    Attributes:
        why: what it exercises, for whoever reads the report.
        context: words of the vocabulary; what is missing is not known.
    """

    why: Annotated[str, Field(min_length=1)]
    context: dict[str, str]

    @property
    def whole(self) -> Context:
        """With a word for every key that there is."""
        return {key: self.context.get(key, nothing_known(key)) for key in CONTEXT_LISTS}


class Golden(Strict):
    contexts: tuple[GoldenContext, ...]


def load_golden(template_id: str, vocabulary: Vocabulary, folder: Path = PROMPTS) -> tuple[GoldenContext, ...]:
    """The golden contexts of the template `template_id`.

    Raises:
        ConfigError: the file is missing or wrong, names an unknown word, repeats a context or has fewer than eight.
    """
    path = folder / template_id / "golden.yaml"
    contexts = read_strict(path, Golden).contexts
    problems = []
    for golden in contexts:
        for key, word in golden.context.items():
            if key not in CONTEXT_LISTS:
                problems.append(f"there is no variable `{key}`. Variables are: {', '.join(CONTEXT_LISTS)}.")
            elif word not in (words := vocabulary.words(CONTEXT_LISTS[key])):
                problems.append(f"`{word}` is not among the words of `{key}`: {', '.join(words)}.")
        if sum(other.context == golden.context for other in contexts) > 1:
            problems.append(f"the context {golden.context} stands twice.")
    if len(contexts) < FEWEST_CONTEXTS:
        problems.append(f"{len(contexts)} contexts; at least {FEWEST_CONTEXTS} say something about a template.")
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in dict.fromkeys(problems)))
    return contexts


def untried(template: Template, golden: Sequence[GoldenContext]) -> Iterator[str]:
    """What `template` says for some context and no golden one tries, in words."""
    contexts = [template.narrowed(one.whole) for one in golden]
    for section in template.sections:
        for part in template.parts(section):
            if part.when and not any(part in template.applying(section, context) for context in contexts):
                when = ", ".join(f"{name}: {wanted}" for name, wanted in part.when.items())
                yield f"no context of golden.yaml tries the condition {{{when}}} in `{section}`; add one that does."
    for name, variable in template.variables.items():
        words = {context[name] for context in contexts}
        if variable.default not in words:
            yield f"in every context of golden.yaml `{name}` is known; add one in which it is not."
        if words == {variable.default}:
            yield f"in no context of golden.yaml `{name}` is a word that the template tells apart; add one in which it is."
