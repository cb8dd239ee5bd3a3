"""Where every message of a night stands: confirmed + suppressed + rejected + unknown + waiting (+ superseded) = all."""

from dataclasses import dataclass, field

import psycopg

from nurture.warehouse.statements import statement


@dataclass
class Account:
    """Messages of one campaign's night by state; `reasons` splits each state by its reason in words."""

    messages: int = 0
    states: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, dict[str, int]] = field(default_factory=dict)


def account(connection: psycopg.Connection, *, campaign: str, day: str) -> Account:
    """Count the night's messages. A slot that an earlier night confirmed counts as confirmed here too."""
    states = ("confirmed", "suppressed", "rejected", "unknown", "superseded", "waiting")
    total = Account(states=dict.fromkeys(states, 0), reasons={state: {} for state in states})
    for state, reason, messages in connection.execute(statement("ledger/account.sql"), {"campaign": campaign, "day": day}):
        total.messages += messages
        total.states[state] += messages
        total.reasons[state][reason] = messages
    return total
