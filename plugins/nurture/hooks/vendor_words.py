"""A vendor's message without anybody in it: what may be a value of a record is taken out, what the vendor says is kept.

Fails closed: a word with a capital that vendors' messages do not use is taken for a name, and so is every word that is not
plain ASCII. What is lost is a word of the message now and then, never a name that was written as names are.
"""

import json
import re
from collections.abc import Iterable

MAX_WORDS = 500  # characters kept of a vendor message
SHORTEST = 2  # characters of a value that is looked for

ADDRESS = re.compile(r"[^\s@\"'<>(),;:=\[\]{}]+(?:@|%40)[^\s@\"'<>(),;:=\[\]{}]+")
PHONE = re.compile(r"\+\d[\d\s().\-/]{6,}\d|(?<![\w.:-])\(?\d{2,5}\)?[ ./-]\d{3,}(?:[ ./-]\d{2,})*(?![\w.-]?\d)")
TIME = re.compile(r"T\d{2}|Z")  # what is left of 2026-11-22T10:00:00Z as a word
ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
WORD = re.compile(r"[^\W\d_](?:[\w’'-]*\w)?")
TAKEN_OUT = "\ue000"  # in place of a value while the rest is read; no letter, so no part of a word
RUN = re.compile(rf"{TAKEN_OUT}(?:[\s,;&.’'-]*{TAKEN_OUT})+")

VENDOR_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a about access account active additional address addresses after all allowed already an and any api app
        application archived are argument array associated association associations at attempt authentication
        authorization batch be because been before belongs between body boolean call campaign can cannot category
        character characters check column companies company conflict connection contact contacts contain contains
        content could create created credential credentials current daily date datetime default define deleted details
        did different does domain duplicate each either email empty endpoint engagement enumeration equals error errors
        exceed exceeded exceeds exist existing exists expected expired failed failure false filter filters find first
        for forbidden format found from gateway get give given granted group has have header here hourly http hubspot id
        identifier ids if ignored in incorrect input inputs insufficient integer internal invalid is it item items its
        json label last length less like limit line locked lookup malformed maximum merge merged message method
        migration minimum minute missing more most multiple must name named need needed needs new no non none not note
        null number numbers numeric oauth object objects of on once one only operation operator option options or other
        out paging parameter parse perform permission permissions please policy portal problem properties property
        provide provided quota range rate reached read reason received record records request requested requests require
        required resource response results retry rolling route same schema scope scopes search secondly see server
        service set should size some sort specified specify state status string subscription such supported task ten
        text than that the their then there these they this time timed timeout timestamp to token too true try type
        unable unauthorized unavailable unexpected unique unknown unsubscribed unsupported update updated url usually
        utc valid validate validation value values version was were when which while with within without write you your
        """,
    )
)
"""Words of vendors' messages, in lower case; none that is also a common name."""


def redact(words: str, secrets: Iterable[str] = ()) -> str:
    """`words` without addresses, telephone numbers, names and `secrets`, cut to a length that a log can bear.

    Args:
        secrets: values that we sent and that the vendor may echo: whole, cut off, escaped, or a word of them.
    """
    sent = {secret for secret in secrets if len(secret) >= SHORTEST}
    for secret in sorted(sent | {json.dumps(secret)[1:-1] for secret in sent}, key=len, reverse=True):
        if len(secret) > SHORTEST:
            words = words.replace(secret, TAKEN_OUT)
    words = ESCAPED.sub(lambda found: _character(int(found[1], 16)), words)
    own = {word.lower() for secret in sent for word in WORD.findall(secret) if len(word) >= SHORTEST} - VENDOR_WORDS
    words = ADDRESS.sub("<address>", words)
    words = PHONE.sub("<phone>", words)
    words = WORD.sub(lambda found: TAKEN_OUT if _may_be_a_value(found[0], own) else found[0], words)
    return RUN.sub(TAKEN_OUT, words).replace(TAKEN_OUT, "<value>")[:MAX_WORDS]


def _character(code: int) -> str:
    """A character written as an escape; what no text may hold is taken out."""
    return TAKEN_OUT if 0xD800 <= code <= 0xDFFF else " " if code < 0x20 else chr(code)


def _may_be_a_value(word: str, own: set[str]) -> bool:
    """Whether a word may be somebody's. `own`: words of what we sent, in lower case."""
    plain = word.lower()
    if plain in VENDOR_WORDS or plain == "phone" or TIME.fullmatch(word):
        return False
    if not word.isascii() or plain in own:
        return True
    if "_" in word:  # PROPERTY_DOESNT_EXIST, hs_email_optout
        return False
    return word[0].isupper()
