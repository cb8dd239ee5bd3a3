"""Dead letters of GA4 rows: why they are not loaded one by one, and what loads them."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from nurture.dead_letters.letters import Answer, Answers, Letter

TABLE = re.compile(r"events_(?:intraday_)?(\d{8}):")


def name_the_backfill(letters: Sequence[Letter]) -> Iterator[Answers]:
    """How each day is loaded again: as a whole, and behind the gates, so that nothing untrusted gets into a night."""
    yield {letter.dead_letter_id: Answer("not_retried", _how(letter.key)) for letter in letters}


def name_the_file(letters: Sequence[Letter]) -> Iterator[Answers]:
    """A line of a file is not in the warehouse's reach."""
    words = "the file is not in the warehouse: correct the line, then make demo GA4_FILE=… loads the file again"
    yield {letter.dead_letter_id: Answer("not_retried", words) for letter in letters}


def _how(key: str) -> str:
    why = "a day of events is loaded as a whole and passes the gates"
    day = _day(key)
    if day is None:
        return f"{why}, and the key names none: run customer_data again for the day"
    return (
        f"{why}: once the event is corrected, `airflow backfill create --dag-id customer_data --from-date {day} "
        f"--to-date {day}T23:59 --reprocess-behavior completed` loads it again and resolves this letter"
    )


def _day(key: str) -> date | None:
    found = TABLE.match(key)
    try:
        return datetime.strptime(found[1], "%Y%m%d").date() if found else None  # noqa: DTZ007  a date has no time zone
    except ValueError:
        return None
