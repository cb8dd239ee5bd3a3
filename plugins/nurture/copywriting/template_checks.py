"""What must hold of a template beyond the form of its file. Each problem says what was found and what is valid."""

import math
from collections.abc import Iterator

from nurture.copywriting.assembly import PLACEHOLDER, load_placeholders
from nurture.copywriting.shapes import MESSAGE_PARTS
from nurture.copywriting.template_kinds import ABSENT, PRESENT, VARIABLE, ModelTemplate, Part, StaticTemplate, Template
from nurture.copywriting.vocabulary import CONTEXT_LISTS, Vocabulary, nothing_known

TOKENS_PER_WORD = 1.5  # of English, with the quotes and keys of JSON


def problems(template: Template, vocabulary: Vocabulary, reference: str) -> Iterator[str]:
    """Every mistake in `template` that its own form does not show; `reference` is what its place says it is."""
    if template.reference != reference:
        yield f"it calls itself {template.reference}; by its place it is {reference}: correct `id` and `version`."
    if template.change_log[-1].version != template.version:
        yield f"the last entry of `change_log` is version {template.change_log[-1].version}; add one for {template.version}."
    if isinstance(template, StaticTemplate) and not template.is_message:
        yield f"static copy is for campaigns: give `limits` to {', '.join(MESSAGE_PARTS)}, each one text."
    if isinstance(template, ModelTemplate):
        words = sum(limit.max_words * (limit.items or 1) for limit in template.limits.values())
        if template.token_budget < (needed := math.ceil(words * TOKENS_PER_WORD)):
            yield (
                f"token_budget {template.token_budget} cuts off an answer of {words} words, which `limits` allows: "
                f"give it {needed} or more, or allow fewer words."
            )
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
                yield f"a condition in `{section}` wants {name} `{word}`. Valid are: {', '.join(dict.fromkeys(words))}."
