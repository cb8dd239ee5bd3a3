"""Dead letters of copy: a refused answer is put aside, so that the piece is asked for again."""

from collections.abc import Iterator, Sequence

import psycopg

from nurture.dead_letters.letters import Answer, Answers, Letter
from nurture.warehouse.statements import statement


def ask_again(connection: psycopg.Connection, letters: Sequence[Letter]) -> Iterator[Answers]:
    """What came of `letters`: nothing is asked of a model here, where no budget is kept and no audience is known."""
    rows = connection.execute(
        statement("dead_letter/forget_refused_copy.sql"), {"request_hashes": [letter.key for letter in letters]}
    ).fetchall()
    forgotten = {row[0] for row in rows}
    connection.commit()
    yield {
        letter.dead_letter_id: Answer(
            "waiting", "the refused answer was put aside: the next night that needs the piece asks the model again, and pays"
        )
        if letter.key in forgotten
        else Answer("not_retried", "no refused answer is stored for it: the next night that needs the piece asks anyway")
        for letter in letters
    }
