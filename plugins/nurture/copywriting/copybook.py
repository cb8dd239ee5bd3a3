"""What is asked for, once the day, the templates, the facts and the vocabulary are known."""

from datetime import date

from nurture.copywriting.facts import load_facts, select_facts
from nurture.copywriting.release import text_hash
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.templates import ModelTemplate, StaticTemplate, load_template
from nurture.copywriting.vocabulary import Context, load_vocabulary
from nurture.errors import ConfigError


class Copybook:
    """What is needed to phrase requests for one day: two templates, the facts, the vocabulary.

    Raises:
        ConfigError: a file in `include/` is wrong, or a reference names the wrong kind of template.
    """

    def __init__(self, template: str, fallback_template: str, day: date) -> None:
        self.vocabulary = load_vocabulary()
        self.facts = load_facts(vocabulary=self.vocabulary)
        self.day = day
        self._requests: dict[tuple[str | None, ...], CopyRequest] = {}
        written, static = load_template(template), load_template(fallback_template)
        if not isinstance(written, ModelTemplate):
            raise ConfigError(f"{template} is static; a campaign's template must be of kind model")
        if not isinstance(static, StaticTemplate):
            raise ConfigError(f"{fallback_template} is for a model; a campaign's fallback must be of kind static")
        self.template, self.fallback = written, static
        self.template_hash, self.fallback_hash = text_hash(template), text_hash(fallback_template)
        cited = {fact_id for name in static.sections for part in static.parts(name) for fact_id in part.cites}
        if unknown := sorted(cited - set(self.facts)):
            raise ConfigError(f"{fallback_template} cites unknown facts {unknown}. Facts are: {', '.join(self.facts)}.")

    def model_request(self, context: Context, model: str) -> CopyRequest:
        """What to ask `model` for; the same object for every context that the template does not tell apart."""
        narrowed = self.template.narrowed(context)
        key = (model, *narrowed.values())
        if key not in self._requests:
            self._requests[key] = self._model_request(narrowed, model)
        return self._requests[key]

    def static_request(self, context: Context) -> CopyRequest:
        """The same for the static template."""
        narrowed = self.fallback.narrowed(context)
        key = (None, *narrowed.values())
        if key not in self._requests:
            self._requests[key] = self._static_request(narrowed)
        return self._requests[key]

    def _model_request(self, narrowed: Context, model: str) -> CopyRequest:
        facts = select_facts(self.facts.values(), narrowed, self.day)
        return CopyRequest(self.template, self.template_hash, narrowed, facts, model, self.vocabulary)

    def _static_request(self, narrowed: Context) -> CopyRequest:
        parts = [part for name in self.fallback.sections for part in self.fallback.applying(name, narrowed)]
        cited = [self.facts[fact_id] for fact_id in sorted({fact_id for part in parts for fact_id in part.cites})]
        facts = tuple(fact for fact in cited if fact.is_valid_on(self.day))
        return CopyRequest(self.fallback, self.fallback_hash, narrowed, facts, None, self.vocabulary)
