"""One campaign's night of copy: audience → distinct contexts → store → model → static fallback → messages."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import psycopg
from psycopg.types.json import Jsonb

from nurture.copywriting.chat_model import ChatModel
from nurture.copywriting.copy_plan import CopyPlan, plan_copy
from nurture.copywriting.counterfactual_copy import note_counterfactual_copy
from nurture.copywriting.engine import Wanted, Written, write_copy
from nurture.copywriting.messages import Choice, DistinctContext, choose_messages
from nurture.copywriting.static_copy import static_copy
from nurture.copywriting.store import Run, StoredCopy
from nurture.copywriting.switch import is_on
from nurture.copywriting.unevaluated import unevaluated
from nurture.policy import Llm
from nurture.warehouse.statements import statement

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CopyCounts:
    """What a night of copy came to.

    `audience` and `static` count people; `contexts` is the sum of `clear`, `flagged`, `rejected` and `unanswered`;
    `model_calls`, tokens and `cost_usd` are of this attempt only (ops.llm_call has all).

    Attributes:
        template: the prompt that was used, as `id@version`: the campaign's own or the one it is pinned to.
        models: the models that were to be asked, first choice first.
        static: people who get static copy, whichever arm they are in.
        from_store: contexts whose copy was already there.
        unanswered: contexts without an answer: endpoint down, budget cap, switch.
        capped_by, switched_off, pinned_to_another, refused: why some of these were not asked for.
            `capped_by` is the key of the cap in policy (llm.budget), `pinned_to_another` the pin (template, model) that was
            set meanwhile.
        fell_over_to: the model that answered where the first one did not.
        unpriced: a model has no price: it was not asked, or, where policy allows that, at a noted cost of 0.
        not_evaluated: with which models the prompt has passed no evaluation, in words, if there are such.
    """

    template: str
    models: list[str]
    audience: int
    contexts: int
    from_store: int
    model_calls: int
    clear: int
    flagged: int
    rejected: int
    unanswered: int
    static: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    capped_by: str | None
    switched_off: bool
    pinned_to_another: str | None
    refused: bool
    fell_over_to: str | None
    unpriced: bool
    not_evaluated: str | None


async def write_campaign_copy(
    connection: psycopg.Connection,
    *,
    run: Run,
    day: str,
    template: str,
    fallback_template: str,
    models: Sequence[ChatModel],
    policy: Llm,
) -> CopyCounts:
    """Write what the night's audience needs and say in `ops.message` who gets what. Commits as it goes.

    Args:
        models: first choice first; each takes over when those before it are down.

    Raises:
        ConfigError: a template, a fact or the vocabulary is wrong.
        NurtureError: the audience changed meanwhile.
    """
    names = [model.name for model in models]
    plan = plan_copy(connection, run, day, template=template, fallback_template=fallback_template, models=names)
    log.info("%s %s: %d people, %d distinct contexts to write for.", run.campaign, day, plan.people, len(plan.distinct))
    log.info("%d pieces from the store, %d to ask %s for.", len(plan.stored), len(plan.missing), ", then ".join(names))
    written = await write_copy(connection, run, plan.missing, models, policy)
    if written.fell_over_to:
        log.warning("%s gave no answer; %s took over. The next run asks %s again.", names[0], written.fell_over_to, names[0])
    return settle_campaign_copy(connection, run, day, plan, written)


def settle_campaign_copy(connection: psycopg.Connection, run: Run, day: str, plan: CopyPlan, written: Written) -> CopyCounts:
    """Say in `ops.message` who gets what, once a model has written, now, before or in a batch, what it will. Commits.

    Raises:
        ConfigError: the fallback's text does not pass the guardrails.
        NurtureError: the audience changed meanwhile.
    """
    copies = plan.stored | written.copies
    if not is_on(connection, run.campaign):
        log.warning("The switch ai_personalization is off for %s: everyone gets static copy.", run.campaign)
        written.switched_off, copies = True, {}
    unanswered = len(plan.distinct) - len(copies)
    log.info("%d calls, $%.6f, %d without an answer.", written.model_calls, written.cost_usd, unanswered)

    static = static_copy(connection, run, plan.book, plan.contexts)
    choices = [_choice(group, plan.wanted.get(group.context), copies, static) for group in plan.groups]
    choose_messages(connection, run.campaign, day, choices, plan.spellings, people=plan.people)
    note_counterfactual_copy(connection, run, day, plan, may_personalize=not written.switched_off)
    template = plan.book.template
    not_evaluated = unevaluated(connection, template.reference, plan.book.template_hash, plan.models)
    counts = _counts(plan, choices, copies, written, not_evaluated)
    connection.execute(
        statement("copy/note_run.sql"), {"dag_id": run.dag_id, "run_id": run.run_id, "counts": Jsonb(asdict(counts))}
    )
    connection.commit()
    log.info("%d clear, %d flagged, %d rejected; %d of %d people get static copy.",
             counts.clear, counts.flagged, counts.rejected, counts.static, counts.audience)  # fmt: skip
    return counts


def _choice(
    group: DistinctContext, wanted: Wanted | None, copies: dict[str, StoredCopy], static: dict[str, StoredCopy]
) -> Choice:
    fallback = static[group.context].copy_id
    copy = copies.get(wanted[0].request_hash) if wanted and group.arm == "ai" else None
    if copy is None or copy.verdict == "rejected":
        return Choice(group.context, group.arm, fallback, fallback, "ready")
    return Choice(group.context, group.arm, copy.copy_id, fallback, "approval" if copy.verdict == "flagged" else "ready")


def _counts(
    plan: CopyPlan, choices: Sequence[Choice], copies: dict[str, StoredCopy], written: Written, not_evaluated: str | None
) -> CopyCounts:
    verdicts = Counter(copy.verdict for copy in copies.values())
    pairs = zip(plan.groups, choices, strict=True)
    return CopyCounts(
        template=plan.book.template.reference,
        models=list(plan.models),
        audience=plan.people,
        contexts=len(plan.distinct),
        from_store=len(plan.stored),
        model_calls=written.model_calls,
        clear=verdicts["clear"],
        flagged=verdicts["flagged"],
        rejected=verdicts["rejected"],
        unanswered=len(plan.distinct) - len(copies),
        static=sum(group.people for group, choice in pairs if choice.copy_id == choice.fallback_copy_id),
        prompt_tokens=written.prompt_tokens,
        completion_tokens=written.completion_tokens,
        cost_usd=float(written.cost_usd),
        capped_by=written.capped_by,
        switched_off=written.switched_off,
        pinned_to_another=written.pinned_to_another,
        refused=written.refusal is not None,
        fell_over_to=written.fell_over_to,
        unpriced=written.unpriced,
        not_evaluated=not_evaluated,
    )
