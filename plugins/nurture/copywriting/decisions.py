"""The form in which a reviewer decides on each piece, and reading the answer: what is not clearly a yes is a no.

The keys of the form's fields hold the piece's content hash, and nothing of its place. So it can be told which pieces stand
in a form of an earlier attempt, and an answer to a form of other copy approves nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Outcome = Literal["approved", "rejected", "edited", "timed_out"]

APPROVE_ALL, AS_DECIDED, STATIC = "Approve all", "As decided below", "Use static copy"
"""What a reviewer may choose for the whole form."""

UNDECIDED, APPROVE, REJECT, EDIT = "undecided", "approve", "reject", "edit"
CHOICES = (UNDECIDED, APPROVE, REJECT, EDIT)
"""What a reviewer may choose for one piece."""

NOTE = "note"


@dataclass(frozen=True)
class Shown:
    """One piece as the form shows it: its texts may be edited."""

    copy_id: str
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Field:
    """One field of the form. `choices`: it is one of these; else it is text."""

    key: str
    title: str
    default: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What becomes of one piece.

    Attributes:
        reason: why, where it is not simply what the reviewer said.
        texts: what the reviewer wrote, not judged yet.
        edited_copy_id: the piece that it became.
    """

    copy_id: str
    outcome: Outcome
    reason: str | None = None
    texts: Mapping[str, str] | None = None
    edited_copy_id: str | None = None

    def refused(self, reason: str, *, edited_copy_id: str | None = None) -> "Decision":
        """The same piece, not to be sent after all."""
        return replace(self, outcome="rejected", reason=reason, texts=None, edited_copy_id=edited_copy_id)


def fields(pieces: Sequence[Shown]) -> list[Field]:
    """The form: for each piece what becomes of it, and its texts."""
    form = []
    for number, piece in enumerate(pieces, start=1):
        key = _key(piece)
        form.append(Field(key, f"Piece {number}: what becomes of it", UNDECIDED, CHOICES))
        form += [Field(_text_key(key, name), f"Piece {number}: {name}", text) for name, text in piece.texts.items()]
    return form


def stands_in(piece: Shown, form: Mapping[str, Any]) -> bool:
    """Whether a form showed the piece, every text of it.

    Args:
        form: by key, what stood in each field of the form that was really shown.
    """
    return all(field.key in form and form[field.key] == field.default for field in fields([piece]))


def read_answer(
    pieces: Sequence[Shown], chosen: Sequence[str], given: Mapping[str, Any] | None, *, other_fields: Collection[str] = ()
) -> list[Decision]:
    """What was decided on each of `pieces`.

    Args:
        chosen: what was chosen for the whole form.
        given: the fields that came back. Airflow's API does not check them: anything may be missing or wrong.
        other_fields: keys that the form had besides those of `pieces`; what they say concerns nobody any more.
    """
    given = given if isinstance(given, Mapping) else {}
    whole = chosen[0] if len(chosen) == 1 else None
    if whole == STATIC:
        return [Decision(piece.copy_id, "rejected") for piece in pieces]
    known = {NOTE} | {field.key for field in fields(pieces)}
    if whole not in (APPROVE_ALL, AS_DECIDED):
        problem = f"the answer chose {list(chosen)}; expected one of {APPROVE_ALL!r}, {AS_DECIDED!r}, {STATIC!r}"
        return [Decision(piece.copy_id, "rejected", problem) for piece in pieces]
    if foreign := sorted(str(key)[:60] for key in set(given) - known - set(other_fields)):
        problem = f"the answer has the field {foreign[0]!r}, which belongs to another form: nobody decided on this piece"
        return [Decision(piece.copy_id, "timed_out", problem) for piece in pieces]
    return [_decide(piece, whole == APPROVE_ALL, given) for piece in pieces]


def read_note(given: Mapping[str, Any] | None) -> str | None:
    """The reviewer's note."""
    note = given.get(NOTE) if isinstance(given, Mapping) else None
    return note.strip()[:2000] or None if isinstance(note, str) else None


def _decide(piece: Shown, approves_all: bool, given: Mapping[str, Any]) -> Decision:
    key, approved = _key(piece), Decision(piece.copy_id, "approved")
    choice = given.get(key, UNDECIDED)
    # Airflow's form sends null for a text that was emptied; a text that was left alone comes back as it was.
    texts = {name: given[_text_key(key, name)] for name in piece.texts if _text_key(key, name) in given}
    texts = {name: "" if text is None else text for name, text in texts.items()}
    if bad := next((name for name, text in texts.items() if not isinstance(text, str)), None):
        return approved.refused(f"the field {bad} is no text")
    edited = {name: text for name, text in texts.items() if _same(text) != _same(piece.texts[name])}
    emptied = [name for name, text in edited.items() if not _same(text)]
    if choice == REJECT:
        return approved.refused(f"rejected on its own, in an answer {APPROVE_ALL!r}") if approves_all else Decision(
            piece.copy_id, "rejected")  # fmt: skip
    if emptied and choice in (UNDECIDED, APPROVE, EDIT):
        return approved.refused(f"the text {emptied[0]} was emptied: reject the piece or write a text")
    if choice == EDIT:
        if not edited:
            return approved.refused(f"{EDIT!r} was chosen and nothing was changed; choose {APPROVE!r} to send it as it is")
        return Decision(
            piece.copy_id, "edited", texts={**piece.texts, **{name: _same(text) for name, text in edited.items()}}
        )
    if choice == APPROVE or (choice == UNDECIDED and approves_all):
        if edited:
            return approved.refused(
                f"{' and '.join(edited)} changed, yet {EDIT!r} was not chosen: choose it to send the change"
            )
        return approved
    if choice == UNDECIDED:
        return approved.refused("it was left undecided")
    return approved.refused(f"the answer says {str(choice)[:60]!r}; expected one of {', '.join(CHOICES)}")


def _key(piece: Shown) -> str:
    return f"piece_{piece.copy_id[:12]}"


def _text_key(key: str, text_name: str) -> str:
    return f"{key}_{text_name.replace('.', '_')}"


def _same(text: str) -> str:
    """`text` as it is compared and kept: a browser ends lines in its own way."""
    return text.replace("\r\n", "\n").strip()
