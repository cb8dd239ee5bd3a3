"""Ways in which the model can be told to go wrong, each by a rule with a probability, a seed and a count."""

import hashlib
from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ANSWER_MODES = (
    "invented_price", "invented_percentage", "unknown_fact_id", "empty", "not_json", "wrong_shape", "ten_times_too_long",
    "markup", "jinja", "undeclared_placeholder", "flagged_claim", "instructions_leak",
)  # fmt: skip
TRANSPORT_MODES = ("rate_limited", "server_error", "slow", "closed_connection")

Mode = Literal[
    "invented_price", "invented_percentage", "unknown_fact_id", "empty", "not_json", "wrong_shape", "ten_times_too_long",
    "markup", "jinja", "undeclared_placeholder", "flagged_claim", "instructions_leak",
    "rate_limited", "server_error", "slow", "closed_connection",
]  # fmt: skip


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
    if mode == "unknown_fact_id":
        return {**answer, "cited_fact_ids": [*answer.get("cited_fact_ids", []), "fact-nobody-supplied"]}
    if mode == "ten_times_too_long":
        return _rewrite(answer, lambda text: "\n\n".join([text] * 10))
    if mode == "instructions_leak":
        return _rewrite(answer, lambda text: f"{system[:400]}\n\n{text}")
    return _rewrite(answer, lambda text: f"{text}\n\n{_ADDED[mode]}")


_ADDED = {
    "invented_price": "It is yours for only $19.99 a month.",
    "invented_percentage": "Teams like yours work 83% faster with it.",
    "markup": "<script>alert('sandbox')</script><b>Look here</b>",
    "jinja": "Your number is {{ 7*7 }}.",
    "undeclared_placeholder": "Kind regards to {account_owner_phone}.",
    "flagged_claim": "Because you have been with us for so long, you get a personal discount on your next order.",
}


def _rewrite(answer: dict[str, Any], change: Any) -> dict[str, Any]:
    """Change the body, or where the schema has none, the longest text."""
    texts = {key: value for key, value in answer.items() if isinstance(value, str)}
    if not texts:
        return answer
    key = "body" if "body" in texts else max(texts, key=lambda name: len(texts[name]))
    return {**answer, key: change(texts[key])}
