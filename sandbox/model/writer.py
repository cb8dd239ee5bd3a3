"""The sandbox writer: the same request gives the same copy, another request gives other copy.

It quotes facts word for word, cites those that it quotes (in a list, or by a marker after each sentence, as the request
wants it), and says around them only what is in `phrases` and `advice`. It names a product only where a quoted fact names it.
"""

import json
import random
import re
from typing import Any

from sandbox.model import phrases
from sandbox.model.drafts import Draft, marker, part_limits, unmarked
from sandbox.model.limits import PARTS, Limit, limits_of
from sandbox.model.protocol import ChatRequest
from sandbox.model.schema_values import value_for

_REQUEST = re.compile(r"^[ \t]*<request>[ \t]*\n(.*?)\n[ \t]*</request>[ \t]*$", re.DOTALL | re.MULTILINE)
AIM_WORDS = 65  # a body shorter than this gets another sentence
MOST_WORDS = 120
PLAIN_ANSWER = (
    "Written by the sandbox writer, a deterministic program and not AI. It writes copy where a prompt holds a request."
)


def write(request: ChatRequest) -> dict[str, Any] | str:
    """Answer `request`: an object where JSON was asked for, plain text otherwise."""
    rng = random.Random(request.digest)
    asked = _asked(request.user)
    copy = _copy(asked, request.schema, rng) if asked else {}
    if request.schema is None:
        if request.wants_json:
            return copy or {"text": PLAIN_ANSWER}
        return "\n\n".join([copy["headline"], copy["body"], copy["cta"]]) if copy else PLAIN_ANSWER
    answer = value_for(request.schema, rng, known=copy)
    return answer if isinstance(answer, dict) else json.dumps(answer)


def _asked(prompt: str) -> dict[str, Any] | None:
    """The JSON object between `<request>` and `</request>`, if there is one."""
    for text in reversed(_REQUEST.findall(prompt)):
        try:
            asked = json.loads(text)
        except ValueError:
            continue
        if isinstance(asked, dict):
            return asked
    return None


def _copy(asked: dict[str, Any], schema: dict[str, Any] | None, rng: random.Random) -> dict[str, Any]:
    """A message where headline, body and cta will do; otherwise the parts of the schema, within the request's limits."""
    context = asked.get("context") if isinstance(asked.get("context"), dict) else {}
    facts = [f for f in asked.get("facts") or [] if isinstance(f, dict) and f.get("id") and f.get("text")]
    is_marked = asked.get("citations") == "sentence"
    parts = [name for name in (schema or {}).get("properties", {}) if name != "cited_fact_ids"]
    limits = part_limits(asked.get("limits"), parts)
    if limits is None or set(parts) <= set(PARTS):
        return _message(asked, context, _pick(facts, context, rng), rng, is_marked=is_marked)
    draft = Draft(context, _ranked(facts, context, rng), rng, is_marked=is_marked)
    copy: dict[str, Any] = {name: draft.part(name, limit) for name, limit in limits.items()}
    return {**copy, "cited_fact_ids": list(dict.fromkeys(draft.quoted))}


def _message(
    asked: dict[str, Any], context: dict[str, Any], facts: list[dict[str, Any]], rng: random.Random, *, is_marked: bool
) -> dict[str, Any]:
    limits = limits_of(asked.get("limits"))
    placeholders = asked.get("placeholders") or []
    body, quoted = _body(context, facts, rng, limits["body"], placeholders, is_marked=is_marked)
    stage = phrases.STAGES.get(str(context.get("lifecycle_stage")), "early")
    return {
        "headline": _headline(context, quoted, rng, limits["headline"], is_marked=is_marked),
        "body": body,
        "cta": _first_fitting(_shuffled(phrases.CALLS_TO_ACTION[stage], rng), limits["cta"]),
        "cited_fact_ids": [str(fact["id"]) for fact in quoted],
    }


def _pick(facts: list[dict[str, Any]], context: dict[str, Any], rng: random.Random) -> list[dict[str, Any]]:
    """Two or three facts, those first that fit best."""
    return _ranked(facts, context, rng)[: rng.choice([2, 2, 3])]


def _ranked(facts: list[dict[str, Any]], context: dict[str, Any], rng: random.Random) -> list[dict[str, Any]]:
    """Facts for the pain point, the product and the industry, one each where there is one, then the others."""
    left = _shuffled(facts, rng)
    product = str(context.get("recent_product") or "").lower()
    topics = [
        phrases.TOPIC_WORDS.get(str(context.get("pain_point")), ()),
        (product,) if product else (),
        phrases.TOPIC_WORDS.get(str(context.get("industry")), ()),
    ]
    chosen = []
    for words in topics:
        fitting = [fact for fact in left if any(word in str(fact["text"]).lower() for word in words)]
        if fitting:
            chosen.append(fitting[0])
            left.remove(fitting[0])
    return chosen + left


def _body(
    context: dict[str, Any], facts: list[dict[str, Any]], rng: random.Random, limit: Limit, placeholders: list[str],
    *, is_marked: bool,
) -> tuple[str, list[dict[str, Any]]]:  # fmt: skip
    """The body, and the facts that it quotes: fewer than given when the limit is tight."""
    words = _words(context, placeholders)
    stage = phrases.STAGES.get(str(context.get("lifecycle_stage")), "early")
    thanks = rng.choice(phrases.THANKS.get(str(context.get("trigger_event")), phrases.THANKS["other"]))
    opener = rng.choice(phrases.OPENERS).format_map(words)
    closer = rng.choice(phrases.CLOSERS[stage])
    bridge, link = rng.choice(phrases.BRIDGES), rng.choice(phrases.LINKS)
    asides = _shuffled(phrases.ASIDES, rng)
    if industry := words["industry"]:
        asides.insert(0, rng.choice(phrases.INDUSTRY_ASIDES).format(industry=industry))
    greeting = ["Hi {first_name},"] if "first_name" in placeholders else []

    def text(quoted: list[dict[str, Any]], opening: str, ending: str) -> str:
        return "\n\n".join(part for part in [*greeting, opening, *_facts(quoted, bridge, link, is_marked), ending] if part)

    for count in range(len(facts), -1, -1):
        quoted = facts[:count]
        # The full text first; when it does not fit, without the opener, then without the closing words as well.
        for opening, ending in ((f"{thanks} {opener}", closer), (thanks, closer), (thanks, ""), ("", "")):
            draft = text(quoted, opening, ending)
            if draft and limit.allows(unmarked(draft), most_words=MOST_WORDS if limit.is_open and count > 1 else None):
                return _lengthened(draft, asides, limit), quoted
    return limit.cut(thanks), []


def _lengthened(draft: str, asides: list[str], limit: Limit) -> str:
    for aside in asides:
        longer = f"{draft} {aside}"
        if len(unmarked(draft).split()) >= AIM_WORDS or not limit.allows(unmarked(longer)):
            break
        draft = longer
    return draft


def _facts(quoted: list[dict[str, Any]], bridge: str, link: str, is_marked: bool) -> list[str]:
    sentences = [_sentence(str(fact["text"])) + (marker(fact) if is_marked else "") for fact in quoted]
    if not sentences:
        return []
    first = f"{bridge} {sentences[0]}"
    return [first, f"{link} {' '.join(sentences[1:])}"] if sentences[1:] else [first]


def _headline(
    context: dict[str, Any], quoted: list[dict[str, Any]], rng: random.Random, limit: Limit, *, is_marked: bool
) -> str:
    pain = str(context.get("pain_point"))
    choices = _shuffled(phrases.HEADLINES.get(pain, phrases.HEADLINES["other"]), rng)
    product = context.get("recent_product")
    naming = next((fact for fact in quoted if product and str(product) in str(fact["text"])), None)
    if naming is not None:
        named = rng.choice(phrases.PRODUCT_HEADLINES).format(product=product)
        choices = [named + (marker(naming) if is_marked else ""), *choices]
    return _first_fitting(choices, limit)


def _words(context: dict[str, Any], placeholders: list[str]) -> dict[str, str]:
    """English for the context's vocabulary words; a word outside the vocabulary is treated as `other`.

    A persona that is not told, but will be filled in later, is left to its placeholder.
    """
    people, task = phrases.PERSONAS.get(str(context.get("persona")), phrases.PERSONAS["other"])
    if "persona" not in context and "persona" in placeholders:
        people = "{persona}"
    industry = phrases.INDUSTRIES.get(str(context.get("industry")), "")
    return {
        "people": f"{people} in {industry}" if industry else people,
        "task": task,
        "industry": industry,
        "pain": phrases.PAIN_POINTS.get(str(context.get("pain_point")), phrases.PAIN_POINTS["other"]),
    }


def _first_fitting(choices: list[str], limit: Limit) -> str:
    return next((choice for choice in choices if limit.allows(unmarked(choice))), limit.cut(unmarked(min(choices, key=len))))


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _shuffled(items: list[Any], rng: random.Random) -> list[Any]:
    return rng.sample(items, len(items))
