"""What a person asks of a suppression list, as the form of the DAG `set_suppression` gives it. Values are never echoed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nurture.errors import TerminalError

ADD, REMOVE = "add", "remove"
HOW_TO_HASH = "SELECT encode(sha256(convert_to(staging.address_key('ADDRESS'), 'UTF8')), 'hex')"
_LETTERS = r"a-z0-9\u0080-\ud7ff\ue000-\U0010ffff"  # of a label: the hyphen may stand within only
KINDS = {
    "crm_id": (re.compile(r"[A-Za-z0-9]{1,40}"), "a record id of the CRM, e.g. 30144"),
    "person_id": (re.compile(r"p[_0-9a-f]{1,64}"), "an id of marts.person, e.g. p_ and 32 hex digits"),
    "email_sha256": (
        re.compile(r"[0-9a-f]{64}"),
        f"the SHA-256 of the address as 64 hex digits, in the warehouse: {HOW_TO_HASH}",
    ),
    "domain": (
        re.compile(rf"(?=\S{{4,253}}$)([{_LETTERS}]([{_LETTERS}-]{{0,61}}[{_LETTERS}])?\.)+[{_LETTERS}-]{{2,63}}"),
        "what stands after the @ of addresses, in lower case, e.g. example.com or münchen.example",
    ),
}
"""Kinds of values: what they look like, and in words."""
LIST_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
MOST_VALUES = 10_000


@dataclass(frozen=True)
class SuppressionChange:
    """One change of one list.

    Attributes:
        action: `add` or `remove`.
        note: why.
    """

    list: str
    action: str
    kind: str
    values: tuple[str, ...]
    note: str | None


def read_change(params: Mapping[str, Any]) -> SuppressionChange:
    """What the Params ask for.

    Raises:
        TerminalError: something is wrong; says what to do, and repeats nothing that may be an address.
    """
    name, action, kind, note = params.get("list"), params.get("action"), params.get("kind"), params.get("note")
    if not isinstance(name, str) or not LIST_NAME.fullmatch(name):
        raise TerminalError("list: expected a name of lower-case letters, digits and _, e.g. competitors")
    if action not in (ADD, REMOVE):
        raise TerminalError(f"action: expected one of {ADD}, {REMOVE}")
    if kind not in KINDS:
        raise TerminalError(f"kind: expected one of {', '.join(KINDS)}")
    if note is not None and (not isinstance(note, str) or len(note) > 500 or _may_be_address(note)):
        raise TerminalError("note: expected at most 500 characters without an e-mail address; people see it as the reason")
    return SuppressionChange(name, action, kind, _values(params.get("values"), kind), note or None)


def _values(given: Any, kind: str) -> tuple[str, ...]:
    if not isinstance(given, list) or not 0 < len(given) <= MOST_VALUES:
        raise TerminalError(f"values: expected a list of 1 to {MOST_VALUES} values")
    pattern, words = KINDS[kind]
    values = [value.strip() if isinstance(value, str) else "" for value in given]
    for place, value in enumerate(values, start=1):
        where = f"value {place} of {len(values)}"
        if _may_be_address(value):
            raise TerminalError(
                f"{where} looks like an e-mail address, which Airflow keeps with this run: delete the run, then give the "
                f"address's SHA-256 as kind email_sha256. In the warehouse: {HOW_TO_HASH}"
            )
        if not pattern.fullmatch(value):
            raise TerminalError(f"{where} is no {kind}: expected {words}")
    return tuple(dict.fromkeys(values))


def _may_be_address(text: str) -> bool:
    return any(sign in text for sign in ("@", "＠", "%40", "﹫"))
