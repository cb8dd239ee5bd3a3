"""Confidence (C8): how sure we are that the facts carry a piece, and what policy makes of it."""

import math
from collections.abc import Iterator
from functools import cache

from nurture.copywriting.guardrails.draft import Draft
from nurture.copywriting.guardrails.support import supports
from nurture.policy import CopyConfidence, load_policy


@cache
def thresholds() -> CopyConfidence:
    """What policy says."""
    return load_policy().copy_confidence


def support_score(draft: Draft) -> float:
    """The support of the weakest sentence, 0 to 1."""
    return min((result.score for result in supports(draft)), default=1.0)


def confidence(draft: Draft) -> float:
    """The share of labelled pieces with this support score that were honest: a logistic curve, fitted by
    tests/copywriting/calibrate.py."""
    return confidence_of_score(support_score(draft))


def confidence_of_score(score: float) -> float:
    """The curve itself."""
    policy = thresholds()
    return 1 / (1 + math.exp(-(policy.intercept + policy.slope * score)))


def unsupported(draft: Draft) -> Iterator[str]:
    if confidence(draft) < thresholds().reject_below:
        yield from _weakest(draft)


def doubtful(draft: Draft) -> Iterator[str]:
    if thresholds().reject_below <= confidence(draft) < thresholds().flag_below:
        yield from _weakest(draft)


def _weakest(draft: Draft) -> Iterator[str]:
    sentence, result = min(zip(draft.sentences, supports(draft), strict=True), key=lambda pair: pair[1].score)
    why = [*result.contradictions, *([f"no cited fact speaks of {', '.join(result.missing)}"] if result.missing else [])]
    yield f"{sentence.text[:120]!r}: {'; '.join(why) or 'nothing wrong, but policy wants a person to see it'}"
