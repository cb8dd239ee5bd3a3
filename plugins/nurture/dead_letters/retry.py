"""Try chosen dead letters again, source by source; one bad letter never stops the others."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

import psycopg

from nurture.dead_letters.letters import Answer, Answers, Asking, Choice, Letter, choose, keep_answers, settle
from nurture.dead_letters.sources import SOURCES

Handler = Callable[[Sequence[Letter]], Iterable[Answers]]
"""Tries letters of one source again; yields what came of them, in parts, each kept before the next is begun."""

log = logging.getLogger(__name__)


def retry(
    connection: psycopg.Connection, asking: Asking, choice: Choice, handlers: Mapping[str, Handler]
) -> dict[int, Answer]:
    """Choose letters and try them again; returns what came of each that had no answer yet. Commits as it goes.

    Args:
        handlers: by source; a source without one is answered in words. What one of them raises is raised when the other
            sources are through.
    """
    resolved = settle(connection)
    connection.commit()
    if resolved:
        log.info("%d letters needed nobody any more and were resolved first.", resolved)
    letters = choose(connection, asking, choice)
    _say_what_is_not_open(choice, letters)
    answered: dict[int, Answer] = {}
    broken: Exception | None = None
    for source in dict.fromkeys(letter.source for letter in letters):
        some = [letter for letter in letters if letter.source == source]
        try:
            for answers in handlers.get(source, _not_retried)(some):
                keep_answers(connection, asking, answers)
                answered |= answers
                for dead_letter_id, answer in answers.items():
                    log.info("Letter %d (%s): %s: %s", dead_letter_id, source, answer.outcome, answer.words)
        except Exception as error:  # nobody's fault but ours: the other sources come first, then it is said
            connection.rollback()
            broken = broken or error
    if broken:
        raise broken
    return answered


def give_up(connection: psycopg.Connection, asking: Asking, choice: Choice) -> dict[int, Answer]:
    """Close letters that will never be mended; who and why is kept. Commits."""
    letters = choose(connection, asking, choice)
    _say_what_is_not_open(choice, letters)
    answers = {letter.dead_letter_id: Answer("given_up", f"by {asking.asked_by}: {asking.note}") for letter in letters}
    keep_answers(connection, asking, answers)
    for letter in letters:
        log.info("Letter %d (%s): given up.", letter.dead_letter_id, letter.source)
    return answers


def _not_retried(letters: Sequence[Letter]) -> Iterable[Answers]:
    unknown = f"nobody knows how to try this source again; known are {', '.join(SOURCES)}"
    for letter in letters:
        source = SOURCES.get(letter.source)
        yield {letter.dead_letter_id: Answer("not_retried", source.retry if source else unknown)}


def _say_what_is_not_open(choice: Choice, letters: Sequence[Letter]) -> None:
    if missing := sorted(set(choice.ids) - {letter.dead_letter_id for letter in letters}):
        log.info("Not tried, for they are resolved, answered in this run, or meet not every condition: %s.", missing)
