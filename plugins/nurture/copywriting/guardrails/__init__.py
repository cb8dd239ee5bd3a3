"""What copy must pass before anyone gets it: `GUARDRAILS` lists each check with its name, its reason and its outcome.

The lists of wording in include/copy_rules.yaml are guardrails of the same kind (`guardrails_of`).

All are deterministic. What fails is replaced by static copy, never mended; what policy reserves to a person is flagged
(docs/decisions/0004-what-needs-a-person.md). docs/guardrails.md has the measured errors.
"""

from nurture.copywriting.copy_rules import CopyRules
from nurture.copywriting.guardrails import basis, confidence, form, grounds, kept_figures, language, leaks
from nurture.copywriting.guardrails.draft import Draft
from nurture.copywriting.guardrails.terms import Guardrail, Outcome, Terms, Verdict
from nurture.copywriting.guardrails.uncited import uncited
from nurture.copywriting.guardrails.wording import wording_guardrails as _wording_guardrails
from nurture.copywriting.pieces import Piece

__all__ = ["GUARDRAILS", "Guardrail", "Outcome", "Terms", "Verdict", "guardrails_of", "judge"]

GUARDRAILS = (
    Guardrail("length", "A part that is missing, too short, or longer than a CRM field or a reader takes.", "rejected",
              form.lengths),
    Guardrail("characters", "Invisible characters and pictures hide things; another script is another language.",
              "rejected", form.characters),
    Guardrail("placeholders", "What we cannot fill would reach the reader as braces.", "rejected", form.placeholders),
    Guardrail("markup", "Copy is text: markup is shown raw, or worse, run.", "rejected", form.markup),
    Guardrail("personal_data", "The writer never meets a person: an address in copy is made up or leaked.", "rejected",
              form.personal_data),
    Guardrail("prompt_leak", "Copy speaks to the reader, not about the prompt, nor follows orders that stood in the input.",
              "rejected", leaks.prompt_leaks),
    Guardrail("language", "The template is English; another language says what nobody checked.", "rejected",
              language.foreign),
    Guardrail("citations", "Without its fact no claim can be explained.", "rejected", grounds.citations),
    Guardrail("uncited", "What a fact says needs its marker, also when it is said to the reader.", "rejected", uncited),
    Guardrail("expired", "A fact may be said only while it holds.", "rejected", grounds.expired),
    Guardrail("figures", "Numbers, prices, percentages, dates and links are never invented.", "rejected",
              kept_figures.invented_figures),
    Guardrail("figure_rate", "$49 a year is not $49 a month.", "rejected", kept_figures.requoted_figures),
    Guardrail("figure_swapped", "What it used to be is not what it is.", "rejected", kept_figures.swapped_figures),
    Guardrail("figure_basis", "What a study, a customer or a place measured does not hold for everybody.", "rejected",
              basis.dropped_basis),
    Guardrail("figure_devices", "What two devices do, one does not.", "rejected", basis.fewer_devices),
    Guardrail("products", "A product is named only where a cited fact speaks of it.", "rejected", grounds.unnamed_products),
    Guardrail("names", "Customers, certificates and other companies' products are never invented.", "rejected",
              grounds.invented_names),
    Guardrail("competitors", "We do not name other companies.", "rejected", grounds.competitors),
    Guardrail("unsupported", "What a sentence states about us must be in its facts.", "rejected", confidence.unsupported),
    Guardrail("doubtful", "The facts carry a sentence only in part: a person decides.", "flagged", confidence.doubtful),
    Guardrail("figure_not_verbatim", "“25 %” for “up to 25 %” is another claim: a person decides.", "flagged",
              kept_figures.dropped_hedges, is_reserved=True),
)  # fmt: skip


def guardrails_of(rules: CopyRules) -> tuple[Guardrail, ...]:
    """Every guardrail: those above and the lists of wording."""
    return (*GUARDRAILS, *_wording_guardrails(rules))


def judge(piece: Piece, terms: Terms) -> Verdict:
    """Hold `piece` against every guardrail; the worst outcome counts."""
    draft, outcomes, reasons = Draft(piece, terms), set[Outcome](), list[dict[str, str]]()
    for guardrail in guardrails_of(terms.rules):
        for found in dict.fromkeys(guardrail.check(draft)):
            outcomes.add(guardrail.outcome)
            reasons.append({"name": guardrail.name, "found": found[:300]})
    worst: Outcome = "rejected" if "rejected" in outcomes else "flagged" if "flagged" in outcomes else "clear"
    sure = 0.0 if worst == "rejected" else round(confidence.confidence(draft), 4)
    return Verdict(worst, tuple(reasons[:20]), sure)
