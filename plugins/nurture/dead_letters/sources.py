"""Where dead letters come from, and in words what a person does about each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """One kind of dead letter.

    Attributes:
        name: as in `ops.dead_letter.source`.
        what: which row it is, and what happened without it.
        key: what the letter's key says.
        remedy: what to do before it is tried again.
        retry: what `retry_dead_letters` does with it; where it does nothing, why, and what does.
        is_retried: whether it does anything.
    """

    name: str
    what: str
    key: str
    remedy: str
    retry: str
    is_retried: bool = True


PUSH, NOTE, TASK = "crm.push", "crm.note", "crm.task"
CONTACT, COPY, EVENT, FILE = "hubspot.contacts", "llm.copy", "ga4.events", "ga4.file"

SOURCES = {
    source.name: source
    for source in (
        Source(
            PUSH,
            "A message that the CRM refused, or that could not be made ready. The person has not got it.",
            "campaign/person id/slot, as in ops.push_ledger",
            "Do what the reason says, mostly in the CRM: the record, a property, the app's scopes.",
            "Pushed now, with consent, contact policy and freshness decided anew: also when its night is long over.",
        ),
        Source(
            NOTE,
            "A note on a contact's timeline that the CRM refused, or that could not be made ready. The message arrived.",
            "campaign/person id/slot, as in ops.push_output",
            "Do what the reason says, mostly in the CRM: the record, a property, the app's scopes.",
            "Written now, if the person has not said no since and the message is not older than the campaign's freshness.",
        ),
        Source(
            TASK,
            "A task for sales that the CRM refused, or that could not be made ready. The message arrived.",
            "campaign/person id/slot, as in ops.push_output",
            "Do what the reason says, mostly in the CRM: the record, a property, the app's scopes.",
            "Written now, if the person has not said no since and the message is not older than the campaign's freshness.",
        ),
        Source(
            CONTACT,
            "A CRM contact, or one field of it, that could not be stored. The rest of the contact was loaded.",
            "the contact's id in the CRM",
            "Correct the field in the CRM.",
            "The contact is read again by its id and loaded. People and features follow with the next customer_data.",
        ),
        Source(
            COPY,
            "A model's answer that the guardrails refused. Everybody concerned got static copy.",
            "the request's hash, as in ops.llm_call and ops.copy",
            "Nothing, if static copy will do. A clearer prompt or fact makes another request, which is asked by itself; "
            "asked the same again, a model may answer the same.",
            "The refused answer is put aside, so that the next night that needs the piece asks the model, and pays, again.",
        ),
        Source(
            EVENT,
            "A GA4 event that could not be stored. The rest of its day was loaded.",
            "export table:row",
            "Correct the event where it is sent: the site's tag, or the sender over the Measurement Protocol.",
            "Not retried here: a day of events is loaded as a whole and passes the gates. Once the event is corrected, "
            "`airflow backfill create --dag-id customer_data --from-date <day> --to-date <day>T23:59 --reprocess-behavior "
            "completed` loads it again and resolves the letter; <day> is the key's, written 2026-11-18.",
            is_retried=False,
        ),
        Source(
            FILE,
            "A line of a GA4 export file that could not be read. The other lines were loaded.",
            "file:line",
            "Correct the line, then load the file again: make demo GA4_FILE=….",
            "Not retried here: the file is not in the warehouse. make demo GA4_FILE=… loads the corrected one.",
            is_retried=False,
        ),
    )
}
"""By name, in the order in which a person should look at them."""

RETRIED = [name for name, source in SOURCES.items() if source.is_retried]
