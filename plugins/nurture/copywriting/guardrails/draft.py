"""A piece taken apart into sentences: which of them claim something, and which facts each may rest on."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from nurture.copywriting.assembly import PLACEHOLDER
from nurture.copywriting.facts import Fact
from nurture.copywriting.figures import plain
from nurture.copywriting.guardrails.names import without
from nurture.copywriting.guardrails.pronouns import goes_on, speaks_of_it
from nurture.copywriting.guardrails.roles import Role, is_greeting, role_of
from nurture.copywriting.guardrails.terms import Terms
from nurture.copywriting.pieces import Piece
from nurture.copywriting.sentences import sentences


@dataclass(frozen=True)
class Sentence:
    """One sentence of a piece.

    Attributes:
        is_marked: facts are cited for this very sentence.
        cited: the facts that it may rest on.
        usable: those of them that do not speak of another product or customer than it does.
        subject: products and customers that it speaks of, also by "it".
        names_us: it has the company's name in it.
        antecedents: what an "it" of the next sentence may be: its subject, and what its own "it" was.
    """

    part: str
    text: str
    role: Role
    is_marked: bool
    cited: tuple[Fact, ...]
    usable: tuple[Fact, ...]
    subject: frozenset[str]
    names_us: bool
    antecedents: frozenset[str]


@dataclass(frozen=True, eq=False)  # as such a key of a cache
class Draft:
    """A piece and its terms, with what several guardrails need."""

    piece: Piece
    terms: Terms

    @property
    def offered(self) -> dict[str, Fact]:
        return self.terms.offered

    @cached_property
    def cited(self) -> tuple[Fact, ...]:
        """Every fact that the piece cites for anything."""
        return tuple(self.offered[one] for one in self.piece.cited_fact_ids if one in self.offered)

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        found: list[Sentence] = []
        for part, text in self.piece.texts.items():
            before: Sentence | None = None
            split = sentences(text)
            for one, following in zip(split, [*split[1:], ""], strict=True):
                before = self._sentence(part, one, before, following)
                found.append(before)
        return tuple(found)

    @cached_property
    def named(self) -> frozenset[str]:
        """The products and customers that the piece names."""
        return self.entities(" · ".join(self.piece.texts.values()))

    @cached_property
    def running_on(self) -> tuple[str, ...]:
        """The texts in which a sentence ends without a stop, so that what it says may go on in the next line."""
        parts = {part for part, text in self.piece.texts.items() if any(map(_runs_on, sentences(text)[:-1]))}
        return tuple(self.piece.texts[part] for part in self.piece.texts if part in parts)

    @cached_property
    def wording(self) -> str:
        """The whole piece in one spelling, if it has any wording that counts; empty for most pieces."""
        text = plain(" · ".join(self.piece.texts.values()))
        return text if self.terms.rules.any_wording.search(text) else ""

    @cached_property
    def claimed_wording(self) -> tuple[str, ...]:
        """The sentences about us with wording that counts there."""
        ours = (plain(one.text) for one in self.sentences if one.role == "claim" or one.names_us or one.subject)
        return tuple(said for said in ours if self.terms.rules.any_claimed_wording.search(said))

    def unnamed(self, text: str) -> str:
        """`text` with a dot for each product, each customer and the company."""
        return without(self.bare(text), self._names)

    def own_words(self, text: str) -> str:
        """`text` without any name of a product, a customer or the company."""
        return self.unnamed(text).casefold()

    def without_us(self, text: str) -> str:
        """`text` without product names and the company's."""
        return self._company.sub("·", self.bare(text))

    def bare(self, text: str) -> str:
        """`text` without product names, whose words and numbers (Print 200) claim nothing, and without placeholders."""
        return _bare(text, self.terms.product_names)

    def _sentence(self, part: str, text: str, before: Sentence | None, following: str) -> Sentence:
        named, names_us = self.entities(text), bool(self._company.search(text))
        cited = self._facts_of(part, text)
        is_marked = bool(cited)
        if not cited and text == self.piece.texts[part].strip():
            cited = self.cited  # a headline or a button sums up what the piece says elsewhere
        elif not cited:  # what has no marker may rest on that of the sentence before or after it
            cited = (*(before.cited if before and before.is_marked else ()), *self._facts_of(part, following))
        continued = before if before and goes_on(text) else None
        subject = named or (continued.antecedents if continued else named)
        also = before.antecedents if before and named <= self._customers and _OF_IT.search(text) else named
        usable = tuple(fact for fact in cited if self._speaks_of(fact, subject))
        if is_marked and self.terms.citations == "sentence":
            role: Role = "claim"
        else:
            is_ours = names_us or bool(named) or (bool(subject) and speaks_of_it(text))
            role = role_of(
                self.bare(text),
                self.terms.rules,
                names_us=is_ours,
                follows_claim=continued is not None and continued.role == "claim",
                in_scene=before is not None
                and before.role == "address"
                and not before.text.endswith("?")
                and not is_greeting(before.text),
            )
        return Sentence(part, text, role, is_marked, cited, usable, subject, names_us, subject | also)

    def _facts_of(self, part: str, text: str) -> tuple[Fact, ...]:
        return tuple(self.offered[one] for one in self.piece.facts_of(part, text) if one in self.offered)

    @cached_property
    def _company(self) -> re.Pattern[str]:
        return _any_of(self.terms.rules.company_names)

    def entities(self, text: str) -> frozenset[str]:
        """Products, and customers of the offered facts, that `text` speaks of, in lower case."""
        return entities(text, self.terms.product_names, self._customers)

    @property
    def _customers(self) -> frozenset[str]:
        return self.terms.customers

    @cached_property
    def _names(self) -> tuple[str, ...]:
        """Customers and the company."""
        return (*sorted(self._customers), *self.terms.rules.company_names)

    def _speaks_of(self, fact: Fact, subject: frozenset[str]) -> bool:
        of_fact = self.entities(fact.text)
        if (whose := of_fact & self._customers) and (said_of := subject & self._customers):
            return bool(whose & said_of)
        return not subject or not of_fact or bool(subject & of_fact)


def _runs_on(sentence: str) -> bool:
    return not (sentence[-1] in ".!?…:\"'”’)" or (sentence[-1] == "," and not any(char.isdigit() for char in sentence)))


_OF_IT = re.compile(r"\b(?:it|them)\b")
_SHORT_NAME_VERBS = (
    r"costs|lets|is|has|helps|can|works|reads|prints|sends|puts|gives|takes|does|will|comes|lasts|tells|shows|and"
)


@lru_cache(maxsize=16384)
def entities(text: str, product_names: tuple[str, ...], customers: frozenset[str] = frozenset()) -> frozenset[str]:
    """The products that `text` names, in full or without the company's name, and the customers, in lower case."""
    folded = plain(text)
    found = {name for name in customers if name in folded}
    for name in product_names:
        full, short = plain(name), name.split(" ", 1)[-1]
        if (full in folded and _whole_name(full).search(folded)) or (short in text and _short_name(short).search(text)):
            found.add(full)
    return frozenset(found)


@lru_cache(maxsize=64)
def _whole_name(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")


@lru_cache(maxsize=64)
def _short_name(name: str) -> re.Pattern[str]:
    short = re.escape(name)
    return re.compile(rf"(?<=[\w,] ){short}(?!\w)|^{short} (?:{_SHORT_NAME_VERBS})\b")


@lru_cache(maxsize=64)
def _any_of(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, names)), re.IGNORECASE)


@lru_cache(maxsize=16384)
def _bare(text: str, product_names: tuple[str, ...]) -> str:
    return without(PLACEHOLDER.sub("·", text), (*product_names, *_short_names(product_names)))


@lru_cache(maxsize=64)
def _short_names(product_names: tuple[str, ...]) -> tuple[str, ...]:
    """Names without the company's where nobody takes them for anything else: Print 200."""
    shorts = (name.split(" ", 1)[-1] for name in product_names)
    return tuple(short for short in shorts if any(char.isdigit() for char in short))
