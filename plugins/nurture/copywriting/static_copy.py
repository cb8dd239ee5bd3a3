"""The copy that is always there: a static template's text for each context."""

import psycopg

from nurture.copywriting import store
from nurture.copywriting.copybook import Copybook
from nurture.copywriting.guardrails import Verdict, judge
from nurture.copywriting.store import Kept, Run, StoredCopy
from nurture.copywriting.vocabulary import Context
from nurture.errors import ConfigError


def static_copy(
    connection: psycopg.Connection, run: Run, book: Copybook, contexts: dict[str, Context]
) -> dict[str, StoredCopy]:
    """The static piece of each raw context; what is new is stored. Commits.

    Raises:
        ConfigError: the template's text does not pass the guardrails; it must be mended, as there is nothing behind it.
    """
    requests = {raw: book.static_request(context) for raw, context in contexts.items()}
    distinct = {request.request_hash: request for request in requests.values()}
    copies = store.find(connection, distinct.values())
    missing = []
    for request_hash, request in distinct.items():
        if request_hash in copies:
            continue
        piece = request.static_piece()
        verdict = judge(piece, request.terms)
        if verdict.outcome == "rejected":
            raise ConfigError(f"{request.template.reference} for {request.context}: {verdict.reasons}; mend its text")
        # Its approver has seen every flagged word.
        missing.append(Kept(request, piece.stored(), Verdict("clear", confidence=verdict.confidence)))
    copies |= store.keep(connection, run, missing)
    connection.commit()
    return {raw: copies[request.request_hash] for raw, request in requests.items()}
