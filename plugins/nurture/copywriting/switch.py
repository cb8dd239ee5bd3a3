"""Switches that act at once: model copy on or off, another template version, another model; for one campaign or all.

Every change is kept in `ops.switch_event` by the database itself, so a change by hand is not lost either.
"""

from dataclasses import dataclass

import psycopg

from nurture.warehouse.statements import statement

AI_PERSONALIZATION, TEMPLATE, MODEL = "ai_personalization", "template", "model"
"""Names of switches: the first is on or off, the others have a value."""
EVERY_CAMPAIGN = "*"


@dataclass(frozen=True)
class Pins:
    """What is used instead of the campaign's own; None: its own.

    Attributes:
        template: a released prompt as `id@version`.
        model: a model's name.
    """

    template: str | None = None
    model: str | None = None


def is_on(connection: psycopg.Connection, campaign: str) -> bool:
    """Whether `campaign` may use model copy right now: no row says off, and there is one for every campaign."""
    row = connection.execute(statement("copy/switch_is_on.sql"), {"campaign": campaign}).fetchone()
    return bool(row and row[0])


def pinned(connection: psycopg.Connection, campaign: str) -> Pins:
    """What `campaign` is pinned to right now. Its own pin goes before the one for every campaign."""
    values = {"campaign": campaign, "everyone": EVERY_CAMPAIGN, "names": [TEMPLATE, MODEL]}
    pins: dict[str, str] = dict(connection.execute(statement("copy/pinned.sql"), values).fetchall())
    return Pins(template=pins.get(TEMPLATE), model=pins.get(MODEL))


def set_switch(
    connection: psycopg.Connection,
    name: str,
    campaign: str,
    *,
    is_on: bool = True,
    value: str | None = None,
    changed_by: str,
    note: str | None = None,
) -> None:
    """Turn one switch, for every later statement of anyone once the caller has committed.

    Args:
        name: one of the names above.
        campaign: a campaign, or `EVERY_CAMPAIGN`.
        is_on: of `AI_PERSONALIZATION`.
        value: of `TEMPLATE` and `MODEL`; None lets go of a pin.
        changed_by: who did it.
        note: why.
    """
    connection.execute(
        statement("copy/set_switch.sql"),
        {"name": name, "campaign": campaign, "is_on": is_on, "value": value, "changed_by": changed_by, "note": note},
    )
