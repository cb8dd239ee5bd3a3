"""What is asked for, once the day, the templates, the facts and the vocabulary are known."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

import psycopg

from nurture.copywriting.fact_store import choose_facts, sync_facts
from nurture.copywriting.facts import Fact, load_facts
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.templates import ModelTemplate, StaticTemplate, load_campaign_template, load_template, text_hash
from nurture.copywriting.vocabulary import Context, Vocabulary, load_vocabulary
from nurture.errors import ConfigError, NurtureError

Narrowed = tuple[str, ...]
"""The words of a narrowed context, in the order of the template's variables."""


class Copybook:
    """What is needed to phrase requests for one day: two templates, the facts, the vocabulary.

    Facts are chosen for all contexts at once (`choose_facts`), before requests to a model are phrased. As the push does,
    they count as of today, or as of the night's day where the data is ahead of the clock: a backfilled night says nothing
    that has run out since.

    Args:
        day: the night's.
        today: UTC; by default the clock's.

    Raises:
        ConfigError: a file in `include/` is wrong, or a reference names the wrong kind of template.
    """

    def __init__(self, template: str, fallback_template: str, day: date, today: date | None = None) -> None:
        written, static = load_campaign_template(template), load_template(fallback_template)
        if not isinstance(static, StaticTemplate):
            raise ConfigError(f"{fallback_template} is for a model; a campaign's fallback must be of kind static")
        self.vocabulary = load_vocabulary()
        self.facts = load_facts(vocabulary=self.vocabulary)
        self.facts_day = max(day, today or datetime.now(UTC).date())
        self.template, self.fallback = written, static
        self.template_hash, self.fallback_hash = text_hash(template), text_hash(fallback_template)
        self._offered: dict[Narrowed, tuple[Fact, ...]] = {}
        self._requests: dict[tuple[str | None, ...], CopyRequest] = {}
        cited = {fact_id for name in static.sections for part in static.parts(name) for fact_id in part.cites}
        if unknown := sorted(cited - set(self.facts)):
            raise ConfigError(f"{fallback_template} cites unknown facts {unknown}. Facts are: {', '.join(self.facts)}.")

    @property
    def variables(self) -> set[str]:
        """What the templates know of a context."""
        return {*self.template.variables, *self.fallback.variables}

    def choose_facts(self, connection: psycopg.Connection, contexts: Iterable[Context]) -> None:
        """Bring the warehouse's facts to those of the files, and choose what to offer for each of `contexts`. Commits.

        Raises:
            ConfigError: a fact was reworded without a new version.
            NurtureError: another deployment's facts are in the warehouse.
        """
        self._offered |= offer_facts(connection, self.template, contexts, self.facts, self.facts_day, self.vocabulary)
        connection.commit()

    def model_request(self, context: Context, model: str) -> CopyRequest:
        """What to ask `model` for; the same object for every context that the template does not tell apart.

        Raises:
            NurtureError: no facts were chosen for the context.
        """
        narrowed = self.template.narrowed(context)
        key = (model, *narrowed.values())
        if key not in self._requests:
            facts = self._offered.get(tuple(narrowed.values()))
            if facts is None:
                raise NurtureError(f"no facts were chosen for {narrowed}; call choose_facts with all contexts first")
            self._requests[key] = CopyRequest(
                self.template, self.template_hash, narrowed, facts, model, self.vocabulary, self.facts_day
            )
        return self._requests[key]

    def static_request(self, context: Context) -> CopyRequest:
        """The same for the static template."""
        narrowed = self.fallback.narrowed(context)
        key = (None, *narrowed.values())
        if key not in self._requests:
            self._requests[key] = self._static_request(narrowed)
        return self._requests[key]

    def _static_request(self, narrowed: Context) -> CopyRequest:
        parts = [part for name in self.fallback.sections for part in self.fallback.applying(name, narrowed)]
        cited = [self.facts[fact_id] for fact_id in sorted({fact_id for part in parts for fact_id in part.cites})]
        facts = tuple(fact for fact in cited if fact.is_valid_on(self.facts_day))
        return CopyRequest(self.fallback, self.fallback_hash, narrowed, facts, None, self.vocabulary, self.facts_day)


def offer_facts(
    connection: psycopg.Connection,
    template: ModelTemplate,
    contexts: Iterable[Context],
    facts: dict[str, Fact],
    day: date,
    vocabulary: Vocabulary,
) -> dict[Narrowed, tuple[Fact, ...]]:
    """Synchronise `facts`, then choose for every context that `template` tells apart. Commits nothing.

    Raises:
        ConfigError: a fact was reworded without a new version.
        NurtureError: another deployment's facts are in the warehouse.
    """
    sync_facts(connection, facts.values())
    narrowed = {tuple(one.values()): one for one in map(template.narrowed, contexts)}
    chosen = choose_facts(connection, list(narrowed.values()), day, vocabulary)
    current = {(fact.id, fact.version): fact for fact in facts.values()}
    if foreign := sorted({one for ids in chosen for one in ids} - set(current)):
        raise NurtureError(f"facts {foreign} came into the warehouse meanwhile and are not in this include/facts; run again")
    return {key: tuple(current[one] for one in ids) for key, ids in zip(narrowed, chosen, strict=True)}
