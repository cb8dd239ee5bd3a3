"""One campaign's night of copy in batches: as far as it goes now, and the rest when the batches have ended."""

import logging
from collections.abc import Sequence

import psycopg

from nurture.copywriting.anthropic_model import AnthropicModel
from nurture.copywriting.batches import records
from nurture.copywriting.batches.anthropic_batch import AnthropicBatches
from nurture.copywriting.batches.batch_run import BatchOutcome, Waiting, run_batches
from nurture.copywriting.batches.openai_batch import OpenAIBatches
from nurture.copywriting.batches.vendor import BatchVendor
from nurture.copywriting.campaign_copy import CopyCounts, settle_campaign_copy, write_campaign_copy
from nurture.copywriting.chat_model import ChatModel
from nurture.copywriting.copy_plan import CopyPlan, plan_copy
from nurture.copywriting.engine import Wanted, Written, write_copy
from nurture.copywriting.openai_model import OpenAIModel
from nurture.copywriting.store import Run
from nurture.errors import ConfigError
from nurture.policy import Llm

log = logging.getLogger(__name__)


def batch_vendor(model: ChatModel) -> BatchVendor:
    """The batch API of the vendor behind `model`.

    Raises:
        ConfigError: there is none.
    """
    if isinstance(model, OpenAIModel):
        return OpenAIBatches(model.client, model.name)
    if isinstance(model, AnthropicModel):
        return AnthropicBatches(model.client, model.name)
    raise ConfigError(
        f'{model.name} has no batch API that we know; use mode="calls", or a connection to OpenAI or Anthropic'
    )


async def write_campaign_copy_in_batches(
    connection: psycopg.Connection,
    *,
    run: Run,
    day: str,
    template: str,
    fallback_template: str,
    models: Sequence[ChatModel],
    policy: Llm,
    vendor: BatchVendor | None = None,
) -> CopyCounts | Waiting:
    """As `write_campaign_copy`, but what the store does not have comes from batches of the first of `models`.

    Returns what is to be waited for as long as a batch is out: call it again then, or after a kill, as often as needed.
    What the batches leave is asked for one by one, or static, as policy says (`llm.batch.remainder`). Batches do not fall
    over to another vendor's batches: when the first vendor refuses everything, all is left, and asked of the further models.

    Args:
        vendor: the batch API; by default that of the first model.

    Raises:
        ConfigError: a template, a fact or the vocabulary is wrong, or the vendor has no batch API.
        NurtureError: the audience changed meanwhile.
    """
    names = [model.name for model in models]
    plan = plan_copy(connection, run, day, template=template, fallback_template=fallback_template, models=names)
    log.info("%s %s: %d people, %d distinct contexts to write for.", run.campaign, day, plan.people, len(plan.distinct))
    log.info("%d pieces from the store, %d to put into batches.", len(plan.stored), len(plan.missing))
    requests = [wanted[0] for wanted in plan.missing]
    outcome = await run_batches(connection, run, requests, vendor or batch_vendor(models[0]), policy)
    if outcome.waiting is not None:
        return outcome.waiting
    asked = () if policy.batch.remainder == "static" else models[1:] if outcome.refusal is not None else models
    written = await _with_remainder(connection, run, plan, outcome, asked, policy)
    return settle_campaign_copy(connection, run, day, plan, written)


async def write_campaign_copy_after_batches(
    connection: psycopg.Connection,
    *,
    run: Run,
    day: str,
    template: str,
    fallback_template: str,
    models: Sequence[ChatModel],
    policy: Llm,
) -> CopyCounts | Waiting:
    """As `write_campaign_copy`, once the batches that are out have brought what they will: it is not paid for twice.

    Makes no batch. Returns what is to be waited for as long as one is out that holds what this run needs, or is its own:
    the campaign's mode was changed, or another run's batch is out.

    Raises:
        ConfigError: a template, a fact or the vocabulary is wrong.
        NurtureError: the audience changed meanwhile.
    """
    if not records.may_concern(connection, run):
        return await write_campaign_copy(
            connection,
            run=run,
            day=day,
            template=template,
            fallback_template=fallback_template,
            models=models,
            policy=policy,
        )
    names = [model.name for model in models]
    plan = plan_copy(connection, run, day, template=template, fallback_template=fallback_template, models=names)
    log.info("%s %s: looking after the batches that are out before anything is asked.", run.campaign, day)
    requests = [wanted[0] for wanted in plan.missing]
    outcome = await run_batches(connection, run, requests, batch_vendor(models[0]), policy, plans=False)
    if outcome.waiting is not None:
        return outcome.waiting
    written = await _with_remainder(connection, run, plan, outcome, models, policy)
    return settle_campaign_copy(connection, run, day, plan, written)


async def _with_remainder(
    connection: psycopg.Connection, run: Run, plan: CopyPlan, outcome: BatchOutcome, models: Sequence[ChatModel],
    policy: Llm,
) -> Written:  # fmt: skip
    """What came of the batches, and of asking `models`, the last ones of the plan's, one by one for what they left."""
    written = Written()
    rest = {request.request_hash for request in outcome.rest}
    if rest and models and not outcome.switched_off:
        names = ", then ".join(model.name for model in models)
        log.info("The batches leave %d pieces: %s is asked for them at the full price.", len(rest), names)
        left = [wanted for wanted in plan.missing if wanted[0].request_hash in rest]
        written = await _ask(connection, run, left, models, policy)
    written.copies |= outcome.harvested.copies
    written.model_calls += outcome.harvested.requests
    written.prompt_tokens += outcome.harvested.prompt_tokens
    written.completion_tokens += outcome.harvested.completion_tokens
    written.cost_usd += outcome.harvested.cost_usd
    written.capped_by = written.capped_by or outcome.capped_by
    written.switched_off = written.switched_off or outcome.switched_off
    written.refusal = written.refusal or outcome.refusal
    written.unpriced = written.unpriced or outcome.unpriced
    return written


async def _ask(
    connection: psycopg.Connection, run: Run, left: Sequence[Wanted], models: Sequence[ChatModel], policy: Llm
) -> Written:
    """As `write_copy`, but `models` may be the last ones of those that `left` has requests for."""
    skipped = len(left[0]) - len(models)
    written = await write_copy(connection, run, [wanted[skipped:] for wanted in left], models, policy)
    if skipped and written.copies:
        written.fell_over_to = written.fell_over_to or models[0].name
        log.warning(
            "The first model's vendor refuses; %s took over. The next run asks the first again.", written.fell_over_to
        )
        copies = written.copies
        named = {wanted[0].request_hash: copies.get(wanted[skipped].request_hash) for wanted in left}
        written.copies = {name: copy for name, copy in named.items() if copy is not None}
    return written
