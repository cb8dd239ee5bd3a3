"""What a sentence says that we, or a product, do: its verbs, also everyday ones that elsewhere claim nothing."""

import re
from functools import lru_cache

from nurture.copywriting.stems import Stems, stem, stems


def any_of(text: str) -> str:
    """A pattern for any of the words of `text`; `_` stands for a space."""
    return f"(?:{'|'.join(text.split())})".replace("_", " ")


DEEDS = any_of(
    """help make build develop design offer provide deliver ship support serve host run store keep_your protect encrypt
    cut reduce save lower increase raise improve boost grow double halve ensure guarantee promise certify certified
    train translate connect integrate automate replace repair refund win won lead employ partner sell beat solve end
    stop eliminate remove prevent track scan print count_stock pack manage control monitor analy[sz]e predict
    forecast handle_all operate power supply invest own hold meet_all comply pass"""
)
"""What a company says that it does."""
ACTS = any_of(
    """work run read learn order send tell find count pick plan sort label recogni[sz]e measure weigh film lock charge
    last cost come fit need know remember speak write call open close move carry lift insure back_up sync update
    export import calculate detect warn alert"""
)
"""What a product does, besides."""

_ADVERBS = (
    r"(?:(?:\w+ly|also|even|now|then|still|just|too|always|never|not|no longer|soon|often|can|will|may|could|would)\s+)*"
)
_SUBJECT = r"(?:·(?:,? (?:which|that|who))?|\b(?:it|they|we)\b)"
_DEED = re.compile(rf"{_SUBJECT}\s+{_ADVERBS}(?P<verb>[a-z]+)")
_ENGINEER = re.compile(rf"·(?:'s)?\s+(?:[a-z]+\s+){{1,2}}?{_ADVERBS}(?P<verb>[a-z]+s)\b")
_WHO = re.compile(rf"\bwho\s+{_ADVERBS}(?P<verb>[a-z]+)")
_AND = re.compile(rf"(?:,|\band|\bor|\bthen|\balso)\s+{_ADVERBS}(?P<verb>[a-z]+)")
_PASSIVE = re.compile(r"\b(?:can|may|could) (?:also |even |now )?be (?P<verb>[a-z]+)")
_GIVEN = re.compile(
    r"\byou(?:(?:'re| are| get)(?: \w+ly| also| even| always)? (?P<done>[a-z]+ed|told|shown|given)"
    r"|(?: can| may| will)?(?: also| even| now| simply)? (?P<verb>change|switch|share|print|invite"
    r"|(?:choose|decide|pick|set)(?= (?:at |in |on )?(?:which|what|how|when|who|where|whether)\b)))\b"
)
"""What the reader gets, or may do with what is ours."""
_GOVERNED = re.compile(r"\b(?:lets|helps|makes|allows|enables) (?:\w+ ){1,3}?(?:to )?(?P<verb>[a-z]+)")
_NO_VERBS = frozenset(
    {"yes", "this", "its", "his", "hers", "ours", "yours", "theirs", "thus", "always", "perhaps", "besides", "sometimes",
     "nowadays", "thanks", "less", "unless", "across"}
)  # fmt: skip
EVERYDAY = stems(
    """
    write speak talk call read answer ask reply open close shut wait tell keep find give bring follow leave put
    show turn reach move learn meet visit join choose decide plan suggest recommend propose remind introduce arrange
    prepare handle remember forget recall imagine notice discuss argue listen hear see look know pass play share send
    pick pack count order print scan check search match lose miss fix test compare book schedule request download
    guide connect back route ship happen stop end hold hide carry drop wake watch guess love hate
    believe agree wish hope smile laugh breathe deal cope care want step touch list supply man price stay change
    """
)
"""Stems of verbs that claim nothing where the reader does them."""

CARRIERS = stems("put stand carry keep hold take give bring turn sit lie come go get hand have set run do")
"""Stems of verbs that mean little by themselves: one of them may stand for the verb of the fact ("puts it at the front")."""


@lru_cache(maxsize=4096)
def deeds(text: str) -> Stems:
    """The stems of verbs in `text` (lower case, names replaced by a dot) that say what we, a product or people do."""
    found = {match["verb"] for match in _DEED.finditer(text)}
    found = {verb for verb in found if verb.endswith("s") or stem(verb) in EVERYDAY}
    found |= {
        match["verb"] for match in _AND.finditer(text) if match["verb"].endswith("s") and match["verb"] not in _NO_VERBS
    }
    found |= {match["verb"] for pattern in (_GOVERNED, _ENGINEER, _PASSIVE) for match in pattern.finditer(text)}
    found |= {match["done"] or match["verb"] for match in _GIVEN.finditer(text)}
    found |= {match["verb"] for match in _WHO.finditer(text) if stem(match["verb"]) in EVERYDAY}
    return frozenset(map(stem, found)) - {"help"}
