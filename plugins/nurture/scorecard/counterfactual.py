"""What a night that is run again would have changed, had nothing been sent before."""

from typing import Any

import psycopg

from nurture.warehouse.statements import statement

Found = dict[str, Any]


def counterfactual(connection: psycopg.Connection, *, campaign: str, day: str) -> Found | None:
    """This night's messages against what was sent for it before; None when there is nothing to compare.

    Keys, each there only when it has something to say: `sent_before_this_run`, of whom `same_message` (the same bytes),
    `another_copy`, `would_get_none_now` (both with `because` and `sample`) and `not_compared` (the run ended before it chose
    copy); besides `got_none_before`, `have_the_slot_of_another_night` and `superseded` (people by reason). Ids, no other
    data of anybody.
    """
    row = connection.execute(statement("report/counterfactual.sql"), {"campaign": campaign, "day": day}).fetchone()
    return row[0] if row else None


def in_words(found: Found) -> list[str]:
    """The same as lines for a terminal."""
    lines = []
    if sent := found.get("sent_before_this_run"):
        lines.append(f"{sent} messages of this night were sent before: {found['same_message']} would be the same today")
    for key, words in (
        ("another_copy", "would get another copy"),
        ("would_get_none_now", "would get none"),
        ("got_none_before", "get one now and got none then"),
    ):
        if part := found.get(key):
            because = ", ".join(f"{people} {reason}" for reason, people in part.get("because", {}).items())
            lines.append(f"{part['people']} people {words}{f': {because}' if because else ''}; e.g. {part['sample'][0]}")
    if rest := found.get("not_compared"):
        lines.append(f"{rest} were not compared, for the run chose no copy")
    if elsewhere := found.get("have_the_slot_of_another_night"):
        lines.append(f"{elsewhere} people have this slot's message of another night")
    lines += [f"{people} superseded: {reason}" for reason, people in found.get("superseded", {}).items()]
    return lines
