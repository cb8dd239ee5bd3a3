"""One campaign's night of copy from a real small model: what share is clear, flagged, rejected, and what it says.

`python -m benchmarks.local_model --contexts 36` talks to `python -m sandbox.local_model` (docs/local-model.md), or with
`--url`, `--model` and OPENAI_API_KEY to any endpoint that speaks OpenAI's protocol. It starts a PostgreSQL of its own,
invites one synthetic person for each distinct context, and runs the stage that `GenerateCopyOperator` runs. Not part of
`make bench`: it needs the model.
"""

import argparse
import asyncio
import json
import os
import re
import time
from collections import Counter
from datetime import date

import psycopg

from benchmarks.copy_night import CAMPAIGN, FALLBACK, contexts, generous_policy, invite
from benchmarks.scratch_warehouse import warehouse
from nurture.copywriting.campaign_copy import CopyCounts, write_campaign_copy
from nurture.copywriting.copy_plan import CopyPlan, plan_copy
from nurture.copywriting.guardrails import Terms, guardrails_of
from nurture.copywriting.guardrails.draft import Draft
from nurture.copywriting.openai_model import OpenAIModel
from nurture.copywriting.pieces import Piece
from nurture.copywriting.sentences import sentences
from nurture.copywriting.store import Run
from nurture.copywriting.vocabulary import normalise

DAY = date(2026, 11, 21)
ENOUGH = 4_000  # synthetic people among whom every context of a template occurs
FORGIVEN = {"length", "citations"}
TAG = re.compile(r"</?[a-z][^>]*>")

REPORT = """
SELECT verdict, context, output, reasons
FROM ops.copy
WHERE origin = 'model'
ORDER BY array_position(ARRAY['clear', 'flagged', 'rejected'], verdict), context::text
"""


def main() -> None:
    """Write the night and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8091/v1")
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--template", default="lead_nurture@v1")
    parser.add_argument("--contexts", type=int, default=36, help="distinct pieces to ask for")
    given = parser.parse_args()
    with warehouse() as connection:
        _invite_one_each(connection, given)
        began = time.monotonic()
        counts = asyncio.run(_write(connection, given))
        _print(connection, counts, time.monotonic() - began, given)


def _invite_one_each(connection: psycopg.Connection, given: argparse.Namespace) -> None:
    """An audience of one synthetic person for each context that the template tells apart, as many as are wanted."""
    everyone = contexts(ENOUGH, last_day=DAY)
    invite(connection, DAY, everyone)
    book = _plan(connection, given.template, given.model).book
    told_apart = [book.model_request(normalise(one, book.vocabulary), given.model).request_hash for one in everyone]
    chosen = dict(zip(reversed(told_apart), reversed(everyone), strict=True))
    invite(connection, DAY, list(chosen.values())[-given.contexts :])


async def _write(connection: psycopg.Connection, given: argparse.Namespace) -> CopyCounts:
    from openai import AsyncOpenAI

    # The model answers one request at a time, so more in flight would only wait, and has no price.
    policy = generous_policy(max_concurrency=2, timeout_seconds=600, allow_unpriced_models=True)
    key = os.environ.get("OPENAI_API_KEY", "local-model-key")
    async with AsyncOpenAI(api_key=key, base_url=given.url) as client:
        return await write_campaign_copy(
            connection, run=Run(CAMPAIGN, "local_model", CAMPAIGN), day=DAY.isoformat(), template=given.template,
            fallback_template=FALLBACK, policy=policy,
            models=[OpenAIModel(client, given.model, timeout_seconds=policy.timeout_seconds)],
        )  # fmt: skip


def _print(connection: psycopg.Connection, counts: CopyCounts, seconds: float, given: argparse.Namespace) -> None:
    why: Counter[str] = Counter()
    for verdict, context, output, reasons in connection.execute(REPORT.encode()):
        print(f"\n== {verdict}: {context}")
        texts = output if "unreadable" in output else Piece.from_stored(output).texts | {"cites": output["cited_fact_ids"]}
        print(json.dumps(texts, indent=1, ensure_ascii=False))
        for reason in reasons:
            print(f"   {reason['name']}: {reason['found']}")
        if verdict == "rejected":
            why.update({reason["name"] for reason in reasons})
    _print_forgiven(connection, given)
    shares = ", ".join(
        f"{number} {name} ({number / counts.contexts:.0%})"
        for name, number in (("clear", counts.clear), ("flagged", counts.flagged), ("rejected", counts.rejected),
                             ("without an answer", counts.unanswered))
    )  # fmt: skip
    print(f"\n{given.template}, {given.model}: {counts.contexts} pieces asked for: {shares}; "
          f"{counts.static} of {counts.audience} people get static copy")  # fmt: skip
    print("rejected by (a piece may break several): " + ", ".join(f"{name} {number}" for name, number in why.most_common()))
    speed = counts.completion_tokens / seconds
    print(f"{counts.model_calls} calls, {counts.prompt_tokens:,} tokens read and {counts.completion_tokens:,} written "
          f"in {seconds:.0f} s: {speed:.1f} tokens written a second, the time for the prompts included")  # fmt: skip


def _print_forgiven(connection: psycopg.Connection, given: argparse.Namespace) -> None:
    """What would be clear if form were forgiven: lengths, tags, broken JSON apart, and as if every offered fact were cited.

    A model too small to cite is caught by its form alone; this shows what the checks of the content make of what it says, in
    whole pieces and in single sentences, which are harder to judge, as what they speak of stands elsewhere.
    """
    plan = _plan(connection, given.template, given.model)
    terms = {wanted[0].request_hash: wanted[0].terms for wanted in plan.distinct}
    pieces, alone = _Tally(), _Tally()
    for request_hash, output in connection.execute("SELECT request_hash, output FROM ops.copy WHERE origin = 'model'"):
        if "unreadable" in output:
            continue
        texts = {name: TAG.sub(" ", text).strip() for name, text in Piece.from_stored(output).texts.items()}
        pieces.add(texts, terms[request_hash])
        for sentence in (one for text in texts.values() for one in sentences(text)):
            alone.add({"body": sentence}, terms[request_hash])
    pieces.show("pieces, form forgiven")
    alone.show("single sentences, form forgiven")


class _Tally:
    """Texts by what the checks of the content make of them."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {"clear": [], "flagged": [], "rejected": []}
        self.why: Counter[str] = Counter()

    def add(self, texts: dict[str, str], terms: Terms) -> None:
        draft = Draft(Piece.citing(texts, [fact.id for fact in terms.facts]), terms)
        checks = [check for check in guardrails_of(terms.rules) if check.name not in FORGIVEN]
        struck = [check for check in checks if any(True for _ in check.check(draft))]
        outcomes = {check.outcome for check in struck}
        worst = "rejected" if "rejected" in outcomes else "flagged" if "flagged" in outcomes else "clear"
        self.found[worst].append(" | ".join(texts.values()))
        self.why.update(check.name for check in struck)

    def show(self, what: str) -> None:
        print(f"\n{what}: " + ", ".join(f"{len(said)} {name}" for name, said in self.found.items()))
        print("struck by: " + ", ".join(f"{name} {number}" for name, number in self.why.most_common()))
        for name in ("clear", "flagged"):
            print(f"{name}:", *sorted(set(self.found[name])), sep="\n  ")


def _plan(connection: psycopg.Connection, template: str, model: str) -> CopyPlan:
    run = Run(CAMPAIGN, "local_model", CAMPAIGN)
    return plan_copy(connection, run, DAY.isoformat(), template=template, fallback_template=FALLBACK, models=[model])


if __name__ == "__main__":
    main()
