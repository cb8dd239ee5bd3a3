"""Consent at the instant of the push, from what the CRM says right then."""

from collections.abc import Callable, Collection, Mapping

from nurture.consent.decision import Decision
from nurture.consent.rules import Rule, Rules
from nurture.errors import TerminalError
from nurture.policy import Consent
from nurture.warehouse.crm_contact_consent import STATUS, granted_on, is_opted_out, opt_out_properties, region_of, status_of
from nurture.warehouse.crm_contact_rows import Contact

AS_READ = "in the CRM, as read right before the push"

Implied = Callable[[Rule, Collection[str]], Mapping[str, str]]
"""Of some persons, those who did something from which a rule infers consent, and what they did."""


def decide(
    contacts: Mapping[str, Contact],
    consent: Consent,
    rules: Rules,
    implied: Implied,
    twins: Mapping[str, Collection[Contact]],
) -> dict[str, Decision]:
    """Whether each person may be written to now.

    Args:
        contacts: by person id, as read a moment ago with `consent_properties`.
        consent: which opt-outs count, and the words of `consent_status`.
        rules: what the law of a region asks for; a region that the CRM does not know counts as the strictest.
        implied: asked once for each rule, and only for those who neither granted nor refused.
        twins: by person id, the other contacts of the same address; a refusal of theirs counts, a grant does not.

    Raises:
        TerminalError: the CRM does not say whether somebody opted out, so nobody can be written to.
    """
    decisions: dict[str, Decision] = {}
    unasked: dict[Rule, dict[str, str | None]] = {}
    for person_id, contact in contacts.items():
        region = region_of(contact.properties)
        rule = rules.rule_for(region)
        elsewhere = (_refusal(twin, consent) for twin in twins.get(person_id, ()))
        if refusal := _refusal(contact, consent):
            decisions[person_id] = Decision(False, region, rule.id, f"{refusal} {AS_READ}")
        elif refusal := next(filter(None, elsewhere), None):
            decisions[person_id] = Decision(
                False, region, rule.id, f"another contact of the same address: {refusal} {AS_READ}"
            )
        elif basis := _basis(contact, consent, rule):
            decisions[person_id] = Decision(True, region, rule.id, basis)
        else:
            unasked.setdefault(rule, {})[person_id] = region
    for rule, regions in unasked.items():
        deeds = implied(rule, regions.keys()) if rule.implied_by else {}
        for person_id, region in regions.items():
            deed = deeds.get(person_id)
            basis = f"implied by {deed}, rule {rule.id}" if deed else f"no opt-in {AS_READ}, and rule {rule.id} needs one"
            decisions[person_id] = Decision(deed is not None, region, rule.id, basis)
    return decisions


def _refusal(contact: Contact, consent: Consent) -> str | None:
    """How the contact said no, or None."""
    opt_outs = opt_out_properties(consent)
    if missing := [name for name in opt_outs if name not in contact.properties]:
        raise TerminalError(
            f"the CRM's answer does not hold {', '.join(missing)}, so nobody knows who opted out and nothing is pushed: "
            "correct `consent.subscription_ids` of include/policy.yaml, or let the private app read these properties"
        )
    if is_opted_out(contact.properties, opt_outs):
        return "opted out"
    return "consent denied" if _status(contact, consent) == "denied" else None


def _basis(contact: Contact, consent: Consent, rule: Rule) -> str | None:
    """Why the contact, who did not refuse, may be written to; None where neither a grant nor the rule says it."""
    if _status(contact, consent) == "granted":
        return f"opt-in of {granted_on(contact.properties) or 'unknown date'}"
    return f"no opt-out, and rule {rule.id} needs no opt-in" if rule.basis == "opt_out" else None


def _status(contact: Contact, consent: Consent) -> str:
    return status_of(contact.properties.get(STATUS), consent.status_words)
