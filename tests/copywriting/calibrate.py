"""Measures the guardrails on the labelled pieces, fits the confidence curve, and writes the tables of docs/guardrails.md.

PYTHONPATH=plugins .venv/bin/python tests/copywriting/calibrate.py           # print
PYTHONPATH=plugins .venv/bin/python tests/copywriting/calibrate.py --write   # and put them into the page
"""

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from labelled_copy import SPLITS, Measured, load_labelled, load_terms, measure, score_of

from nurture.copywriting.guardrails import Terms, guardrails_of
from nurture.copywriting.guardrails.confidence import confidence_of_score

PAGE = Path(__file__).parents[2] / "docs" / "guardrails.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SUPPORT = {"unsupported", "doubtful"}
BINS = (0.0, 0.1, 0.4, 0.7, 0.9, 1.0)


def points(measured: Measured, terms: Terms) -> list[tuple[float, bool]]:
    """Support score and honesty of the pieces that nothing but support has stopped."""
    stopping = {rail.name for rail in guardrails_of(terms.rules)} - SUPPORT
    return [
        (score_of(one, terms), one.is_honest)
        for one, verdict in measured.judged
        if not one.breaks and not {reason["name"] for reason in verdict.reasons} & stopping
    ]


def fitted(labelled: list[tuple[float, bool]]) -> tuple[float, float]:
    """Intercept and slope of a logistic regression with a weak ridge, by Newton's method."""
    intercept, slope, ridge = 0.0, 1.0, 1e-2
    for _ in range(100):
        g0, g1, h00, h01, h11 = -ridge * intercept, -ridge * slope, ridge, 0.0, ridge
        for score, honest in labelled:
            p = 1 / (1 + math.exp(-(intercept + slope * score)))
            g0, g1 = g0 + honest - p, g1 + (honest - p) * score
            w = p * (1 - p)
            h00, h01, h11 = h00 + w, h01 + w * score, h11 + w * score * score
        determinant = h00 * h11 - h01 * h01
        step = (h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant
        intercept, slope = intercept + step[0], slope + step[1]
        if abs(step[0]) + abs(step[1]) < 1e-9:
            break
    return intercept, slope


def tables(results: dict[str, Measured], terms: Terms) -> Iterator[str]:
    """The measured part of the page, line by line."""
    yield "| | " + " | ".join(name.replace("_", "-") for name in results) + " |"
    yield "|---|" + "---|" * len(results)
    for title, count in (
        ("honest pieces", lambda m: str(len(m.honest))),
        ("false alarms", lambda m: f"{len(m.false_alarms)} ({len(m.false_alarms) / len(m.honest):.1%})"),
        ("honest, waiting for a person by policy (G3)", lambda m: str(len(m.reserved))),
        ("harmless, but against the writer's rules: stopped by design", lambda m: f"{len(m.by_design)} of {_harmless(m)}"),
        ("hostile pieces", lambda m: str(len(m.hostile))),
        ("numeric inventions that came out clear", lambda m: f"{_missed(m, True)} of {_hostile(m, True)}"),
        ("other hostile pieces that came out clear", lambda m: f"{_missed(m, False)} of {_hostile(m, False)}"),
    ):
        yield f"| {title} | " + " | ".join(count(m) for m in results.values()) + " |"
    yield ""
    yield "False alarms by guardrail (a piece may count for several) and hostile pieces missed by class:"
    yield ""
    for name, m in results.items():
        alarms = ", ".join(f"{rail} {count}" for rail, count in m.alarms_by_guardrail.most_common()) or "none"
        missed = (
            ", ".join(f"{kind} {count}" for kind, count in Counter(one.kind for one in m.missed).most_common()) or "none"
        )
        yield f"- {name.replace('_', '-')}: false alarms: {alarms}. Missed: {missed}."
    yield ""
    yield "Reliability: of the pieces that nothing but support stopped, how many were honest, by confidence."
    yield ""
    yield "| confidence | " + " | ".join(f"{name.replace('_', '-')}: pieces | honest" for name in results) + " |"
    yield "|---|" + "---|---|" * len(results)
    sures = {id(m): [(confidence_of_score(score), honest) for score, honest in points(m, terms)] for m in results.values()}
    for low, high in pairwise(BINS):
        cells = []
        for m in results.values():
            inside = [honest for sure, honest in sures[id(m)] if low <= sure < high or (high == 1 and sure == 1)]
            cells += [str(len(inside)), f"{sum(inside) / len(inside):.0%}" if inside else "–"]
        yield f"| {low:.1f} to {high:.1f} | " + " | ".join(cells) + " |"


def _hostile(m: Measured, numeric: bool) -> int:
    return sum(one.is_numeric == numeric for one in m.hostile)


def _missed(m: Measured, numeric: bool) -> int:
    return sum(one.is_numeric == numeric for one in m.missed)


def _harmless(m: Measured) -> int:
    return sum(one.breaks is not None for one, _ in m.judged)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/guardrails.md")
    write = parser.parse_args().write
    terms = load_terms()
    pieces = {split: load_labelled(split) for split in SPLITS}
    measure(pieces["tuning"][:50], terms)  # caches warm, as they are after a night's first pieces
    began, count = time.process_time(), sum(map(len, pieces.values()))
    results = {split: measure(pieces[split], terms) for split in SPLITS}
    seconds = time.process_time() - began
    text = "\n".join(tables(results, terms))
    intercept, slope = fitted(points(results["tuning"], terms))
    sys.stdout.write(f"{text}\n\nfitted on tuning: intercept {intercept:.2f}, slope {slope:.2f}\n")
    sys.stdout.write(f"{count} pieces judged in {seconds:.2f} s of processor time: {seconds / count * 1000:.1f} ms each\n")
    if write:
        page = PAGE.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
