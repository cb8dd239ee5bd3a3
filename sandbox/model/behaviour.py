"""Ways in which the model can be told to go wrong, each by a rule with a probability, a seed and a count."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Mode = Literal[
    "invented_price",
    "invented_percentage",
    "invented_discount",
    "invented_customer",
    "invented_certification",
    "invented_date",
    "others_product",
    "other_language",
    "unknown_fact_id",
    "wrong_marker",
    "empty",
    "not_json",
    "broken_json",
    "wrong_shape",
    "ten_times_too_long",
    "endless_text",
    "markup",
    "jinja",
    "undeclared_placeholder",
    "flagged_claim",
    "instructions_leak",
    "rate_limited",
    "server_error",
    "slow",
    "closed_connection",
]
TRANSPORT_MODES = ("rate_limited", "server_error", "slow", "closed_connection")
ANSWER_MODES = tuple(mode for mode in get_args(Mode) if mode not in TRANSPORT_MODES)


class Rule(BaseModel):
    """One way to go wrong.

    Attributes:
        probability: share of requests that it strikes. Whether it does depends on the seed, the request's bytes and how
            often these bytes came before, so that runs repeat and a retry has its own chance.
        times: after so many strikes the rule rests; None is for ever.
        retry_after_seconds: of `rate_limited`: the header's value; None leaves it out.
        delay_seconds: of `slow`.
    """

    model_config = ConfigDict(extra="forbid")

    mode: Mode
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int = 0
    times: Annotated[int, Field(gt=0)] | None = None
    retry_after_seconds: Annotated[float, Field(ge=0)] | None = None
    delay_seconds: Annotated[float, Field(ge=0)] = 5.0


class Behaviour:
    """The rules in force, and how often each has struck."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.rules: list[Rule] = []
        self.strikes: list[int] = []
        self._met: Counter[tuple[int, str]] = Counter()

    def add(self, rule: Rule) -> None:
        self.rules.append(rule)
        self.strikes.append(0)

    def strike(self, digest: str) -> list[Rule]:
        """The rules that strike this request, in the order in which they were added."""
        return [rule for position, rule in enumerate(self.rules) if self._strikes(position, rule, digest)]

    def _strikes(self, position: int, rule: Rule, digest: str) -> bool:
        if rule.times is not None and self.strikes[position] >= rule.times:
            return False
        nth = self._met[position, digest]
        self._met[position, digest] += 1
        drawn = (
            int.from_bytes(hashlib.sha256(f"{rule.seed}:{rule.mode}:{digest}:{nth}".encode()).digest()[:8], "big") / 2**64
        )
        if drawn >= rule.probability:
            return False
        self.strikes[position] += 1
        return True


def spoil(mode: str, answer: dict[str, Any] | str, *, system: str) -> dict[str, Any] | str:
    """`answer` with the fault `mode` put in. Text stands for an answer that is no JSON object any more."""
    if mode == "empty":
        return ""
    if mode == "not_json":
        return "Sure! Here is a nice e-mail for you:\n\nDear reader, have a look at our shop."
    if mode == "wrong_shape":
        return {"title": "A nice title", "paragraphs": ["Only", "this"]}
    if isinstance(answer, str):
        return answer
    if mode == "broken_json":
        return json.dumps(answer)[: -len(json.dumps(answer)) // 3]
    if mode == "unknown_fact_id":
        if "cited_fact_ids" in answer:
            return {**answer, "cited_fact_ids": [*answer["cited_fact_ids"], UNKNOWN_FACT]}
        return _rewrite(answer, lambda text: f"{text} It does what it says. [{UNKNOWN_FACT}]")
    if mode == "wrong_marker":
        return _rewrite(answer, _with_wrong_marker)
    if mode == "ten_times_too_long":
        return _rewrite(answer, lambda text: "\n\n".join([text] * 10))
    if mode == "endless_text":
        return _rewrite(answer, lambda text: " ".join([text] * (ENDLESS // max(1, len(text)) + 1)))
    if mode == "instructions_leak":
        return _rewrite(answer, lambda text: f"{system[:400]}\n\n{text}")
    return _rewrite(answer, lambda text: f"{text}\n\n{_ADDED[mode]}")


UNKNOWN_FACT = "fact-nobody-supplied"
ENDLESS = 60_000  # characters


def _with_wrong_marker(text: str) -> str:
    """A claim that cites a real fact, which says nothing of the kind."""
    marker = re.search(r"\[[a-z0-9, -]+\]", text)
    return f"{text}\n\nIt also weighs and wraps every parcel by itself. {marker[0] if marker else ''}".rstrip()


_ADDED = {
    "invented_price": "It is yours for only $19.99 a month.",
    "invented_percentage": "Teams like yours work 83% faster with it.",
    "invented_discount": "Order this week and get fifteen percent off your first invoice.",
    "invented_customer": "Ask Nordhaven Logistics, who have used it for years.",
    "invented_certification": "It is certified to ISO 27001 and approved for hospitals.",
    "invented_date": "This holds until 31 March only.",
    "others_product": "It replaces Stackhound and works with Zebra scanners.",
    "other_language": "Wir freuen uns darauf, Ihnen mehr darüber zu erzählen.",
    "markup": "<script>alert('sandbox')</script><b>Look here</b>",
    "jinja": "Your number is {{ 7*7 }}.",
    "undeclared_placeholder": "Kind regards to {account_owner_phone}.",
    "flagged_claim": "Because you have been with us for so long, you get a personal discount on your next order.",
}


def _rewrite(answer: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Change the body, or where the schema has none, the longest text, or the first text of a list."""
    texts = {key: value for key, value in answer.items() if isinstance(value, str)}
    if texts:
        key = "body" if "body" in texts else max(texts, key=lambda name: len(texts[name]))
        return {**answer, key: change(texts[key])}
    for key, value in answer.items():
        if key != "cited_fact_ids" and isinstance(value, list) and value and isinstance(value[0], str):
            return {**answer, key: [change(value[0]), *value[1:]]}
    return answer
