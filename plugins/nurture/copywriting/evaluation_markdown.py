"""An evaluation as people read it."""

from nurture.copywriting.evaluation_report import COMPARED, Evaluated, Report
from nurture.copywriting.literal_markdown import literal
from nurture.copywriting.vocabulary import nothing_known

SANDBOX = (
    "a deterministic sandbox writer, not AI: the figures say that template, facts and guardrails fit, not how a model writes"
)


def markdown(report: Report) -> str:
    """The whole report."""
    passed = "passed: it may be released" if report.passed else "**not passed**: it cannot be released"
    against = f", compared with {report.baseline}" if report.baseline else ""
    lines = [
        f"# Evaluation of {report.template}: {passed}",
        "",
        f"Written by {writer(report)}. Facts of {report.day}{against}.",
        *(f"- {failure}." for failure in report.failures),
        *(f"- no answer: {reason}." for reason in report.unanswered_because),
        "",
        *figures_table(report),
        "",
        "| context | exercises | outcome | guardrails | confidence | words |",
        "|---|---|---|---|---|---|",
    ]
    for piece in report.pieces:
        sure = "" if piece.confidence is None else f"{piece.confidence:.2f}"
        cells = [
            _context(piece),
            "; ".join(piece.why),
            piece.outcome,
            ", ".join(piece.guardrails),
            sure,
            str(sum(piece.words.values())),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if found := [piece for piece in report.pieces if piece.found]:
        lines += ["", "What the guardrails found:", ""]
        lines += [f"- {piece.outcome}, {_context(piece)}: {'; '.join(map(literal, piece.found))}" for piece in found]
    return "\n".join(lines) + "\n"


def _context(piece: Evaluated) -> str:
    return ", ".join(word for key, word in piece.context.items() if word != nothing_known(key)) or "nothing known"


def writer(report: Report) -> str:
    """Who wrote, and what that means."""
    return f"`{report.model}` ({SANDBOX})" if report.is_sandbox else f"`{report.model}`"


def figures_table(report: Report) -> list[str]:
    """The figures, beside the baseline's where there is one."""
    new, old = report.figures, report.baseline_figures
    head = ["figure", report.template, *([str(report.baseline), "difference"] if old else [])]
    rows = [["golden contexts", str(new.contexts), *([str(old.contexts), ""] if old else [])]]
    for name in COMPARED:
        row = [_words(name), _shown(name, getattr(new, name))]
        if old:
            row += [_shown(name, getattr(old, name)), _shown(name, report.difference[name], sign="+")]
        rows.append(row)
    spread = "{} / {:g} / {}"
    rows.append(
        ["words: fewest / median / most", spread.format(*new.words), *([spread.format(*old.words), ""] if old else [])]
    )
    for part, words in new.words_by_part.items():
        other = old.words_by_part.get(part) if old else None
        rows.append(
            [f"words of `{part}`", spread.format(*words), *([spread.format(*other) if other else "", ""] if old else [])]
        )
    if new.guardrails or (old and old.guardrails):
        rows.append(
            [
                "pieces in which a guardrail found something",
                _counts(new.guardrails),
                *([_counts(old.guardrails), ""] if old else []),
            ]
        )
    return [f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]]


def _words(name: str) -> str:
    return name.replace("_", " ").replace("usd", "US dollars").replace(" mean", ", mean")


def _shown(name: str, value: float, sign: str = "") -> str:
    if name.endswith("_share"):
        return f"{value:{sign}.0%}"
    if name.startswith("usd"):
        return f"{value:{sign}.6f}"
    return f"{value:{sign}.2f}" if name.startswith("confidence") else f"{value:{sign}.0f}"


def _counts(guardrails: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in guardrails.items()) or "none"
