"""What leads up to a claim and is about the reader: "When you are short of time, …", "the product you looked at"."""

import re

from nurture.copywriting.copy_rules import CopyRules
from nurture.copywriting.guardrails.polarity import ABSOLUTES
from nurture.copywriting.stems import Stems, stem, words


def of_reader(said: str, unnamed: str, rules: CopyRules, topics: Stems) -> set[str]:
    """The words before and after the claim that are about the reader.

    Args:
        said: in lower case, product names replaced by a dot.
        unnamed: the same with customers and the company replaced as well.
        topics: stems that name a business or a need: they claim something, wherever they stand.
    """
    found = set[str]()
    if lead_in := _LEAD_IN.match(said):
        found |= set(words(lead_in[0])) - set(words(said[lead_in.end() :]))
    if setting := _SETTING.match(said):
        found |= {word for word in words(setting[0]) if stem(word) in rules.everyday and stem(word) not in rules.outcomes}
    if (before := _BEFORE_US.match(unnamed)) and not _CLAIMS_THERE.search(before[0]):
        here = {word for word in words(before[0]) if stem(word) not in rules.outcomes | topics and word not in ABSOLUTES}
        found |= here - set(words(unnamed[before.end() :]))
    for glance in GLANCE.finditer(said):
        found |= set(words(glance[0])) - {glance["kind"]} - set(words(said.replace(glance[0], "")))
    if invitation := _INVITES.search(said):
        found |= set(words(invitation[0])) - set(words(said[: invitation.start()]))
    return found


_LEAD_IN = re.compile(
    r"(?!\W*you (?:can |may |will |just |simply )*(?!know|have|are|see|need|want|look|ask|were|had|may|might|do|did)\w)"
    r"[^·:]{3,90}:(?=\s)"
    r"|\W*(?:(?:and|but|or|so)\s+)?(?:if|when|whenever|should|while|as)\s+"
    r"(?:you|your|a|an|the|someone|somebody|one|it|there|something|things|nobody)\b[^,:·0-9]{3,80}[,:]"
    r"|\W*(?:(?:and|but|or|so)\s+)?(?:since|because)\s+(?:you|your)\b[^,:·0-9]{3,80}[,:]"
    r"|\W*(?:and |but )?(?:if|when|should) you (?:would )?(?:carry on|go on|stay|stick|decide|go|choose|opt|start|continue) "
    r"(?:with|for|on) ·,"
)
"""Words about the reader before the claim: "If you like spreadsheets, …"."""

_SETTING = re.compile(
    r"\W*(?:(?:and|but|or|so)\s+)?(?:(?:for|in|on|at|after|during|between|among|as)\s+"
    r"(?:an?|the|your|our|this|that|those|these|most|some|many|everyone|everybody|anyone|anybody|people|practice|short)\b"
    r"[^,:·0-9]{0,50}|to my mind|to be honest|in the end),(?=\s)"
)
"""Where and when, before the claim: "On a busy morning, …". Its everyday words claim nothing."""
_INVITES = re.compile(r",? so (?:do not|don't|please|feel free|go ahead|take|have|be|let|just|why not)\b.*$")
"""An invitation after the claim: ", so do not be shy"."""
LOOKED = (
    r"(?:(?:you|you've|you're)(?: (?:have|had|were|are|also|recently|just|already|once|lately|both))*"
    r" (?:look(?:ed|ing)? (?:at|into|over)|check(?:ed|ing) out|spent (?:some )?time (?:on|with)"
    r"|been (?:eyeing|considering|looking at|reading about|thinking (?:of|about))|eyed|considered"
    r"|saw|seen|viewed?|viewing|visited|read(?:ing)? about|asked about|came across"
    r"|had (?:your eye on|on your screen|a look at|open)|hav(?:e|ing) (?:your eye on|on your screen|a look at))"
    r"|caught your (?:eye|attention|interest)|on your (?:list|mind|screen|radar))\b"
)
GLANCE = re.compile(
    rf"(?:\b(?:the|that|an?) (?P<kind>\w+)(?: of ours)? )?(?:\b(?:which|that) )?\b{LOOKED}"
    r"(?: (?:earlier|recently|lately|before))?"
)
"""What the reader has looked at, as copy goes back to it: "the handheld you looked at", "which caught your eye"."""

PRODUCT = frozenset({"product", "tool"})
"""What any product is called; `called` in the rules has what one is."""

_BEFORE_US = re.compile(
    r"\W*(?:(?:and|but|or|so|then)\s+)*"
    r"(?:(?:as )?(?:for|to)|in|on|out|over|down|up|back|at|after|with|by|when|where|once|behind|among|beside|besides|closer"
    r"|elsewhere|further|\w+ing)\b"
    r"(?:[^·:;0-9]{3,60}?(?:,|\bthere is|\bis (?:a job for|where|what|why)|\bcomes)| to)\s+(?=·|it\b|they\b)"
)
"""What the sentence is about, before it names us: "For the search itself there is ·", "To spot the pattern, ·"."""
_CLAIMS_THERE = re.compile(
    r"\b(?:our|we|no|not|never|without|every|all|any|free|new|only|most|more|less|fewer|than|hospitals?|customers?)\b"
)
