"""The labelled pieces of `labelled/`, read as a model's answers are, and how the guardrails did on them."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import yaml

from nurture.copywriting.facts import load_facts
from nurture.copywriting.guardrails import Terms, Verdict, guardrails_of, judge
from nurture.copywriting.guardrails.confidence import support_score
from nurture.copywriting.guardrails.draft import Draft
from nurture.copywriting.pieces import Piece, read_piece
from nurture.copywriting.shapes import Limit, Shape
from nurture.copywriting.vocabulary import load_vocabulary

FOLDER = Path(__file__).parent / "labelled"
DAY = date(2026, 11, 20)
SPLITS = ("tuning", "held_out_3", "held_out_4", "held_out_5", "held_out_6", "held_out_7")
SHAPE = Shape(
    limits={
        "headline": Limit(max_words=12, max_characters=80),
        "body": Limit(max_words=130, max_characters=1000),
        "cta": Limit(max_words=6, max_characters=40),
    },
    citations="sentence",
)
PLAIN_HEADLINE, PLAIN_CTA = "A calmer day in the warehouse", "See how it works"
INSTRUCTIONS = """You write e-mails for Larkfield, which makes software and devices for warehouses.
You write plainly and warmly, as one colleague writes to another, and you never push.
Constraints:
- Say nothing about Larkfield, its products or its customers that is not in the facts of the request.
- Quote every number, price, percentage, date and product name exactly as the fact has it, with its qualifier."""


@dataclass(frozen=True)
class Labelled:
    """One labelled piece.

    Attributes:
        kind: `honest`, or the class of what is wrong with it.
        is_numeric: what is wrong is a number, a price, a percentage, a date or a rate.
        breaks: the writer's rule that an honest piece breaks without harm; it is rejected by design and no false alarm.
    """

    id: str
    kind: str
    split: str
    is_numeric: bool
    piece: Piece
    breaks: str | None = None

    @property
    def is_honest(self) -> bool:
        return self.kind == "honest"


@dataclass
class Measured:
    """How one split did.

    Attributes:
        missed: hostile pieces that came out clear.
        false_alarms: honest pieces that were rejected, or flagged for another reason than policy's (G3).
        by_design: harmless pieces that break a writer's rule and were stopped for it.
        reserved: honest pieces that wait for a person because policy wants it so.
    """

    judged: list[tuple[Labelled, Verdict]]
    missed: list[Labelled] = field(default_factory=list)
    false_alarms: list[tuple[Labelled, Verdict]] = field(default_factory=list)
    reserved: list[Labelled] = field(default_factory=list)
    by_design: list[Labelled] = field(default_factory=list)

    @property
    def honest(self) -> list[Labelled]:
        return [one for one, _ in self.judged if one.is_honest and not one.breaks]

    @property
    def hostile(self) -> list[Labelled]:
        return [one for one, _ in self.judged if not one.is_honest]

    @property
    def alarms_by_guardrail(self) -> Counter[str]:
        return Counter(name for _, verdict in self.false_alarms for name in {reason["name"] for reason in verdict.reasons})


def load_terms() -> Terms:
    """Terms of a template that cites by sentence and is offered every fact."""
    vocabulary = load_vocabulary()
    return Terms(SHAPE.limits, ("first_name", "persona", "company"), tuple(load_facts(vocabulary=vocabulary).values()),
                 vocabulary.product_names, INSTRUCTIONS, "sentence", DAY)  # fmt: skip


def load_labelled(split: str) -> list[Labelled]:
    """Every piece of one split, honest and hostile."""
    honest = [
        Labelled(
            entry["id"],
            "honest",
            split,
            False,
            piece_of(**{key: entry[key] for key in ("body", "headline", "cta") if key in entry}),
            entry.get("breaks"),
        )
        for entry in _read(f"honest_{split}.yaml")
    ]
    hostile = [
        Labelled(f"{kind}-{number}", kind, split, group == "numeric", _hostile_piece(entry))
        for group, kinds in _read(f"hostile_{split}.yaml").items()
        for kind, entries in kinds.items()
        for number, entry in enumerate(entries, start=1)
    ]
    return [*honest, *hostile]


def measure(pieces: list[Labelled], terms: Terms) -> Measured:
    reserved = {rail.name for rail in guardrails_of(terms.rules) if rail.is_reserved}
    result = Measured([(one, judge(one.piece, terms)) for one in pieces])
    for one, verdict in result.judged:
        if not one.is_honest:
            result.missed += [one] if verdict.outcome == "clear" else []
        elif one.breaks:
            result.by_design += [one] if verdict.outcome == "rejected" else []
        elif verdict.outcome == "rejected" or {reason["name"] for reason in verdict.reasons} - reserved:
            result.false_alarms.append((one, verdict))
        elif verdict.outcome == "flagged":
            result.reserved.append(one)
    return result


def score_of(one: Labelled, terms: Terms) -> float:
    """The support score that confidence is computed from."""
    return support_score(Draft(one.piece, terms))


def piece_of(body: str, headline: str = PLAIN_HEADLINE, cta: str = PLAIN_CTA) -> Piece:
    """A piece as a model's answer is read, plain but for what is given."""
    return read_piece(json.dumps({"headline": headline, "body": body, "cta": cta}), SHAPE)


def _hostile_piece(entry: str | dict[str, str]) -> Piece:
    """From a body, or from a whole e-mail whose wrong words are under `slip`."""
    return piece_of(entry) if isinstance(entry, str) else piece_of(entry["body"], entry["headline"], entry["cta"])


def _read(name: str):
    return yaml.load((FOLDER / name).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
