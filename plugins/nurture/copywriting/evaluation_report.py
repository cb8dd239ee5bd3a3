"""What an evaluation found: figures of one template version, compared with another one, held against policy's limits."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from statistics import fmean, median
from typing import Literal

from pydantic import Field

from nurture import policy
from nurture.strict_yaml import Strict


class Evaluated(Strict):
    """One piece that was written for a golden context.

    Attributes:
        why: what the context exercises; several golden contexts may be one to the template.
        outcome: `unanswered`: the model gave no answer.
        guardrails: names of those that found something; `found`: what, each with its guardrail's name in front.
        words: of each text, by its name.
        usd: what the answer cost when it was written; None: not known any more.
    """

    why: tuple[str, ...]
    context: dict[str, str]
    outcome: Literal["clear", "flagged", "rejected", "unanswered"]
    guardrails: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    confidence: float | None = None
    words: dict[str, int] = Field(default_factory=dict)
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    usd: float | None = None
    copy_id: str | None = None


class Figures(Strict):
    """Figures over all pieces of a version; shares are of all contexts, means of what was answered.

    Attributes:
        usable_share: clear and flagged.
        guardrails: name → pieces in which it found something.
        words: fewest, median and most words of a piece.
        words_by_part: the same for the texts of each part.
    """

    contexts: int
    clear_share: float
    flagged_share: float
    rejected_share: float
    unanswered_share: float
    usable_share: float
    guardrails: dict[str, int]
    confidence_mean: float
    confidence_least: float
    words: tuple[int, float, int]
    words_by_part: dict[str, tuple[int, float, int]]
    prompt_tokens_mean: float
    completion_tokens_mean: float
    usd_per_piece: float


COMPARED = (
    "clear_share", "flagged_share", "rejected_share", "unanswered_share", "usable_share", "confidence_mean",
    "prompt_tokens_mean", "completion_tokens_mean", "usd_per_piece",
)  # fmt: skip
"""Figures whose difference from the baseline is reported."""


class Report(Strict):
    """One evaluation, as it is kept in `ops.evaluation` and, once released, beside the template.

    Attributes:
        template_sha256: of the file that was evaluated.
        model: who wrote; `is_sandbox`: a deterministic program that stands in for a model.
        day: on which the facts were valid.
        unanswered_because: what kept calls back, in words.
        difference: this version less the baseline.
        failures: what keeps it from being released, in words; none: it passed.
    """

    template: str
    template_sha256: str
    model: str
    is_sandbox: bool
    day: date
    figures: Figures
    baseline: str | None = None
    baseline_figures: Figures | None = None
    difference: dict[str, float] = Field(default_factory=dict)
    unanswered_because: tuple[str, ...] = ()
    failures: tuple[str, ...]
    pieces: tuple[Evaluated, ...]

    @property
    def passed(self) -> bool:
        return not self.failures


def figures(pieces: Sequence[Evaluated]) -> Figures:
    """The figures over all pieces of a version."""
    answered = [piece for piece in pieces if piece.outcome != "unanswered"]
    judged = [piece for piece in answered if piece.words]  # what could not be read has no words
    shares = {outcome: count / len(pieces) for outcome, count in Counter(piece.outcome for piece in pieces).items()}
    by_part: dict[str, list[int]] = {}
    for piece in judged:
        for name, words in piece.words.items():
            by_part.setdefault(name.partition(".")[0], []).append(words)
    return Figures(
        contexts=len(pieces),
        clear_share=_rounded(shares.get("clear", 0)),
        flagged_share=_rounded(shares.get("flagged", 0)),
        rejected_share=_rounded(shares.get("rejected", 0)),
        unanswered_share=_rounded(shares.get("unanswered", 0)),
        usable_share=_rounded(shares.get("clear", 0) + shares.get("flagged", 0)),
        guardrails=dict(sorted(Counter(name for piece in pieces for name in piece.guardrails).items())),
        confidence_mean=_mean([piece.confidence for piece in answered]),
        confidence_least=_rounded(min((piece.confidence or 0 for piece in answered), default=0)),
        words=_spread([sum(piece.words.values()) for piece in judged]),
        words_by_part={part: _spread(words) for part, words in by_part.items()},
        prompt_tokens_mean=_mean([piece.prompt_tokens for piece in answered]),
        completion_tokens_mean=_mean([piece.completion_tokens for piece in answered]),
        usd_per_piece=_mean([piece.usd for piece in answered], digits=8),
    )


def difference(new: Figures, old: Figures) -> dict[str, float]:
    """New less old, for the figures that are compared."""
    return {name: round(getattr(new, name) - getattr(old, name), 8) for name in COMPARED}


def failures(new: Figures, old: Figures | None, limits: policy.Evaluation) -> tuple[str, ...]:
    """What keeps a version from being released, in words."""
    found = []
    if new.unanswered_share > 0:
        found.append(f"{new.unanswered_share:.0%} of the contexts got no answer; every one must be answered")
    if new.usable_share < limits.usable_share_min:
        found.append(f"{new.usable_share:.0%} is clear or flagged; at least {limits.usable_share_min:.0%} must be")
    if new.rejected_share > limits.rejected_share_max:
        found.append(f"{new.rejected_share:.0%} is rejected; at most {limits.rejected_share_max:.0%} may be")
    if new.usd_per_piece > limits.usd_per_piece_max:
        found.append(f"a piece costs ${new.usd_per_piece:.5f}; at most ${limits.usd_per_piece_max:.5f} is allowed")
    if old is not None:
        for name in ("clear_share", "usable_share", "confidence_mean"):
            worse = round(getattr(old, name) - getattr(new, name), 6)
            if worse > limits.worse_than_baseline_max:
                found.append(
                    f"{name} is {getattr(new, name):.2f}, the baseline's {getattr(old, name):.2f}; "
                    f"it may be worse by at most {limits.worse_than_baseline_max:.2f}"
                )
    return tuple(found)


def _mean(values: Sequence[float | int | None], digits: int = 4) -> float:
    known = [value for value in values if value is not None]
    return round(fmean(known), digits) if known else 0.0


def _spread(values: Sequence[int]) -> tuple[int, float, int]:
    return (min(values), median(values), max(values)) if values else (0, 0, 0)


def _rounded(value: float) -> float:
    return round(value, 4)
