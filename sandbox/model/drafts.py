"""Copy of any shape: every part that the request limits, from the offered facts and from advice that claims nothing."""

import random
import re
from dataclasses import dataclass
from typing import Any

from sandbox.model import phrases
from sandbox.model.advice import ADVICE, LINES, QUESTIONS
from sandbox.model.limits import Limit

LINE_WORDS = 14  # a part that may have no more is a title, a heading or a subject line
FACTLESS = ("audience", "angle", "outline")  # parts of a brief that speak of the reader only
Fact = dict[str, Any]
_MARKER = re.compile(r" \[[a-z][a-z0-9, -]*\]")


@dataclass(frozen=True)
class PartLimit:
    """What the request says of one part; `items` None: one text."""

    most: Limit
    fewest_words: int
    items: int | None


def part_limits(stated: Any, parts: list[str]) -> dict[str, PartLimit] | None:
    """The limits of `parts`, or None when the request does not state those of each."""
    if not isinstance(stated, dict) or not parts or not all(isinstance(stated.get(part), dict) for part in parts):
        return None
    return {
        part: PartLimit(
            Limit(_count(stated[part].get("max_words")), _count(stated[part].get("max_characters"))),
            _count(stated[part].get("min_words")) or 0,
            _count(stated[part].get("items")),
        )
        for part in parts
    }


def unmarked(text: str) -> str:
    """`text` without citation markers, as its length counts."""
    return _MARKER.sub("", text)


def marker(fact: Fact) -> str:
    return f" [{fact['id']}]"


class Draft:
    """One answer in the making; facts and advice are used evenly over its parts.

    Args:
        facts: in the order of their use.
        is_marked: whether each quoted fact is followed by its id in brackets.
    """

    def __init__(self, context: dict[str, Any], facts: list[Fact], rng: random.Random, *, is_marked: bool) -> None:
        self.context, self.facts, self.rng, self.is_marked = context, facts, rng, is_marked
        self.quoted: list[str] = []
        self._advice = rng.sample(ADVICE, len(ADVICE))
        self._uses = {str(fact["id"]): 0 for fact in facts}
        self._lines_used: set[str] = set()

    def part(self, name: str, limit: PartLimit) -> str | list[str]:
        if limit.items is None:
            return self._text(name, limit)
        return [self._text(name, limit) for _ in range(limit.items)]

    def _text(self, name: str, limit: PartLimit) -> str:
        if "cta" in name:
            stage = phrases.STAGES.get(str(self.context.get("lifecycle_stage")), "early")
            return self._line([(text, None) for text in phrases.CALLS_TO_ACTION[stage]], limit.most)
        if "question" in name:
            return self._line([(text, None) for text in QUESTIONS], limit.most)
        if limit.most.words is not None and limit.most.words <= LINE_WORDS:
            return self._line(self._titles(), limit.most)
        return self._paragraph(limit, with_facts=name not in FACTLESS)

    def _titles(self) -> list[tuple[str, Fact | None]]:
        """Titles, with the fact that names the product where one is named."""
        pain = str(self.context.get("pain_point"))
        plain = [*phrases.HEADLINES.get(pain, phrases.HEADLINES["other"]), *self.rng.sample(LINES, len(LINES))]
        titles: list[tuple[str, Fact | None]] = [(text, None) for text in plain]
        product = str(self.context.get("recent_product") or "")
        naming = next((fact for fact in self.facts if product and product in str(fact["text"])), None)
        if naming is not None:
            first, second = (text.format(product=product) for text in phrases.PRODUCT_HEADLINES[:2])
            titles = [(first, naming), titles[0], (second, naming), *titles[1:]]
        return titles

    def _line(self, choices: list[tuple[str, Fact | None]], limit: Limit) -> str:
        """The next choice that fits and was not used; where none is left, one is used again or cut."""
        fitting = [choice for choice in choices if limit.allows(choice[0])]
        if not fitting:
            return limit.cut(min((text for text, _ in choices), key=len))
        text, fact = next((choice for choice in fitting if choice[0] not in self._lines_used), fitting[0])
        self._lines_used.add(text)
        return self._cited(text, fact) if fact is not None else text

    def _paragraph(self, limit: PartLimit, *, with_facts: bool) -> str:
        is_entry = limit.items is not None and not limit.fewest_words
        facts = sorted(self.facts, key=lambda fact: self._uses[str(fact["id"])]) if with_facts else []
        if is_entry:  # no entry of a list says what another has said
            facts = [fact for fact in facts if not self._uses[str(fact["id"])]]
        chosen: list[str] = []
        for fact in facts:
            sentence = _sentence(str(fact["text"]))
            if len(chosen) < (1 if is_entry else 2) and limit.most.allows(unmarked(" ".join([*chosen, sentence]))):
                chosen.append(self._cited(sentence, fact))
                self._uses[str(fact["id"])] += 1
        return self._filled_up(chosen, limit)

    def _filled_up(self, chosen: list[str], limit: PartLimit) -> str:
        """`chosen` with advice around it until the text is long enough; advice comes again only when all has been said."""
        for sentence in list(self._advice):
            if chosen and len(unmarked(" ".join(chosen)).split()) >= limit.fewest_words:
                break
            if sentence not in chosen and limit.most.allows(unmarked(" ".join([sentence, *chosen]))):
                chosen.insert(len(chosen) // 2, sentence)
                self._advice.remove(sentence)
                self._advice.append(sentence)
        return " ".join(chosen) or limit.most.cut(self._advice[0])

    def _cited(self, text: str, fact: Fact) -> str:
        self.quoted.append(str(fact["id"]))
        return text + marker(fact) if self.is_marked else text


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
