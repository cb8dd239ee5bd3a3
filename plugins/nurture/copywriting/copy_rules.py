"""The typed form of `include/copy_rules.yaml`: what copy may and may not say, as marketers edit it."""

import re
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from nurture.copywriting.stems import Stems, stem, stems
from nurture.copywriting.whole_words import AnyOf, whole_words
from nurture.paths import INCLUDE
from nurture.strict_yaml import Strict, read_strict

COPY_RULES = INCLUDE / "copy_rules.yaml"

Words = tuple[Annotated[str, Field(min_length=1)], ...]


class Wording(Strict):
    """Words that reject a piece or hand it to a person.

    Attributes:
        says: regular expressions over lower-case text; each matches whole words.
        claims_say: the same, only in sentences about us.
        except_: what is no hit although one of `says` stands in it.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    outcome: Literal["flagged", "rejected"]
    reason: Annotated[str, Field(min_length=1)]
    says: Annotated[Words, Field(min_length=1)]
    except_: Words = Field(alias="except")
    claims_say: Words = ()

    @field_validator("says", "except_", "claims_say")
    @classmethod
    def _are_patterns(cls, patterns: Words) -> Words:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        return patterns

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return whole_words(self.says)

    @cached_property
    def claims_pattern(self) -> re.Pattern[str] | None:
        return whole_words(self.claims_say) if self.claims_say else None

    @cached_property
    def exceptions(self) -> re.Pattern[str] | None:
        return whole_words(self.except_) if self.except_ else None


class CopyRules(Strict):
    """Attributes are explained in the file."""

    wording: tuple[Wording, ...]
    company_names: Words
    competitors: Words
    known_names: Words
    called: dict[str, Words]
    places: dict[str, Words]
    about: Words
    synonyms: tuple[Words, ...]
    contrasts: tuple[tuple[str, str], ...]
    opposites: dict[str, str]
    hedges: Words
    light_words: Words
    courtesy_words: Words
    reader_words: Words
    scene_words: Words
    outcome_words: Words

    @field_validator("wording")
    @classmethod
    def _named_once(cls, wording: tuple[Wording, ...]) -> tuple[Wording, ...]:
        names = [one.name for one in wording]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands twice; give each list of wording a name of its own")
        return wording

    @cached_property
    def any_wording(self) -> AnyOf:
        """Any pattern of any list of wording: most copy has none."""
        return AnyOf(tuple(pattern for wording in self.wording for pattern in wording.says))

    @cached_property
    def any_claimed_wording(self) -> AnyOf:
        """The same for those that count only in sentences about us."""
        return AnyOf(tuple(pattern for wording in self.wording for pattern in wording.claims_say))

    @cached_property
    def groups(self) -> dict[str, frozenset[int]]:
        """Stem → the lines of `synonyms` that it stands in."""
        found: dict[str, set[int]] = {}
        for number, line in enumerate(self.synonyms):
            for word in line:
                found.setdefault(stem(word), set()).add(number)
        return {word: frozenset(lines) for word, lines in found.items()}

    @cached_property
    def opposite_stems(self) -> frozenset[tuple[str, str]]:
        """The stems of `opposites`, in pairs."""
        return frozenset({stem(word): stem(partner) for word, partner in self.opposites.items()}.items())

    @cached_property
    def contrast_stems(self) -> tuple[tuple[str, str], ...]:
        """The stems of `contrasts`, each pair in both orders."""
        pairs = ((stem(left), stem(right)) for left, right in self.contrasts)
        return tuple(pair for left, right in pairs for pair in ((left, right), (right, left)))

    @cached_property
    def hedge_stems(self) -> Stems:
        return frozenset(map(stem, self.hedges))

    @cached_property
    def called_stems(self) -> dict[str, tuple[str, ...]]:
        """The stems of `called`."""
        return {stem(word): tuple(map(stem, parts)) for word, parts in self.called.items()}

    def place(self, region: str) -> re.Pattern[str]:
        """What says that something holds in `region`, a market of the vocabulary."""
        return self._places.get(region) or whole_words((region.replace("_", " "),))

    @cached_property
    def _places(self) -> dict[str, re.Pattern[str]]:
        return {region: whole_words(words) for region, words in self.places.items()}

    @cached_property
    def light(self) -> Stems:
        return _stems(self.light_words)

    @cached_property
    def courtesy(self) -> Stems:
        return _stems(self.courtesy_words)

    @cached_property
    def reader(self) -> Stems:
        return _stems(self.reader_words)

    @cached_property
    def scene(self) -> Stems:
        return _stems(self.scene_words)

    @cached_property
    def outcomes(self) -> Stems:
        return _stems(self.outcome_words)

    @cached_property
    def everyday(self) -> Stems:
        """Every word of the lists below that needs no explanation."""
        return self.light | self.courtesy | self.reader | self.scene | self.outcomes

    @cached_property
    def company_stems(self) -> Stems:
        return stems(" ".join(self.company_names))

    @cached_property
    def company_facts(self) -> Stems:
        """What `about` says."""
        return stems(" ".join(self.about))

    @cached_property
    def company_groups(self) -> frozenset[int]:
        """The lines of `synonyms` that `about` touches."""
        return self.groups_of(self.company_facts)

    def groups_of(self, found: Stems) -> frozenset[int]:
        """The lines of `synonyms` that any of `found` stands in."""
        return frozenset(group for one in found for group in self.groups.get(one, ()))


@cache
def load_copy_rules(path: Path = COPY_RULES) -> CopyRules:
    """Read the rules.

    Raises:
        ConfigError: the file is missing or wrong.
    """
    return read_strict(path, CopyRules)


def _stems(lines: Words) -> Stems:
    return stems(" ".join(lines))
