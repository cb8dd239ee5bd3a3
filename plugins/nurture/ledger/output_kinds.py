"""The outputs of a message that a campaign can choose."""

from collections.abc import Sequence
from typing import Literal

from nurture.errors import ConfigError

Output = Literal["properties", "note", "task"]

PROPERTIES: Output = "properties"  # the draft on the contact: the message itself, guarded by ops.push_ledger
OUTPUTS: dict[Output, str] = {
    PROPERTIES: "the draft in properties of the contact",
    "note": "a note on the contact's timeline that shows the draft",
    "task": "a task for sales to follow up",
}


def further_outputs(chosen: Sequence[str]) -> list[str]:
    """What of `chosen` comes after the properties, in the order of `OUTPUTS`.

    Raises:
        ConfigError: something else was chosen, or the properties were not.
    """
    if isinstance(chosen, str) or (unknown := [name for name in chosen if name not in OUTPUTS]):
        found = repr(chosen) if isinstance(chosen, str) else ", ".join(map(repr, unknown))
        raise ConfigError(f"outputs: found {found}, expected a sequence of: {', '.join(OUTPUTS)}")
    if PROPERTIES not in chosen:
        raise ConfigError(
            f"outputs: found {', '.join(chosen) or 'nothing'}, expected {PROPERTIES!r} among them: a note or task is only "
            f"made for a draft that the CRM has. Valid choices are: {', '.join(OUTPUTS)}"
        )
    return [name for name in OUTPUTS if name in chosen and name != PROPERTIES]
