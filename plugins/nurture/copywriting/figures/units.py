"""The words and signs around a number: currencies, magnitudes, units of time, hedges."""

import re
import sys
import unicodedata
from collections.abc import Iterable

CURRENCY_SIGNS = {"$": "USD", "us$": "USD", "c$": "CAD", "ca$": "CAD", "a$": "AUD", "au$": "AUD", "€": "EUR", "£": "GBP",
                  "¥": "JPY", "₹": "INR"}  # fmt: skip
CURRENCY_WORDS = {"dollar": "USD", "buck": "USD", "euro": "EUR", "pound": "GBP", "quid": "GBP", "yen": "JPY", "rupee": "INR",
                  "franc": "CHF", "krona": "SEK", "krone": "NOK", "zloty": "PLN", "yuan": "CNY", "cent": "cent",
                  "penny": "cent", "pence": "cent", "p": "cent"}  # fmt: skip
CURRENCY_CODES = ("usd", "eur", "gbp", "chf", "cad", "aud", "jpy", "inr", "sek", "nok", "dkk", "pln", "cny")
MAGNITUDES = {"k": 10**3, "thousand": 10**3, "m": 10**6, "mn": 10**6, "million": 10**6, "bn": 10**9, "billion": 10**9,
              "b": 10**9, "hundred": 100, "dozen": 12}  # fmt: skip
TIME_UNITS = {"second": "second", "sec": "second", "minute": "minute", "min": "minute", "hour": "hour", "hr": "hour",
              "day": "day", "week": "week", "fortnight": "fortnight", "month": "month", "quarter": "quarter",
              "year": "year", "yr": "year", "am": "am", "pm": "pm", "a.m.": "am", "p.m.": "pm",
              "in the morning": "am", "in the afternoon": "pm", "in the evening": "pm", "at night": "pm"}  # fmt: skip
PERIODS = {"second": "second", "minute": "minute", "hour": "hour", "hourly": "hour", "day": "day", "daily": "day",
           "night": "day", "week": "week", "weekly": "week", "month": "month", "monthly": "month", "quarter": "quarter",
           "quarterly": "quarter", "year": "year", "yearly": "year", "annum": "year", "annually": "year"}  # fmt: skip
HEDGES = {"up to": "up to", "as much as": "up to", "as many as": "up to", "at most": "up to", "under": "up to",
          "less than": "up to", "fewer than": "up to", "within": "up to", "no more than": "up to", "not more than": "up to",
          "never more than": "up to", "inside": "up to", "a maximum of": "up to", "at the most": "up to",
          "from": "from", "starting at": "from", "as little as": "from", "as few as": "from", "at least": "from",
          "no less than": "from", "no fewer than": "from", "a minimum of": "from",
          "over": "over", "a little over": "over", "just over": "over", "slightly over": "over",
          "a little more than": "over",
          "slightly more than": "over", "in excess of": "over", "north of": "over", "beyond": "over", "better than": "over",
          "just under": "up to", "a little under": "up to", "a little less than": "up to", "shy of": "up to",
          "not quite": "up to",
          "a good": "about", "a solid": "about", "easily": "about", "exactly": "exactly", "precisely": "exactly",
          "more than": "over", "above": "over", "well over": "over", "upwards of": "over",
          "about": "about", "around": "about", "roughly": "about", "nearly": "about", "almost": "about", "some": "about",
          "close to": "about", "approximately": "about", "an average of": "about", "~": "about", "circa": "about",
          "to": "to"}  # fmt: skip
HEDGES_AFTER = {"or more": "from", "and then some": "over",
                "and counting": "over", "if not more": "from", "or better": "from",
                "or longer": "from", "at least": "from",
                "and up": "from", "and more": "from", "or over": "from", "upwards": "from", "+": "over",
                "plus": "over", "or less": "up to", "or fewer": "up to", "at most": "up to", "at the most": "up to",
                "or so": "about", "odd": "about", "-odd": "about", "-ish": "about",
                "on average": "about", "tops": "up to", "or under": "up to", "max": "up to"}  # fmt: skip

GLUED_UNITS = (
    *("k", "m", "x", "percent", "fold"),
    *CURRENCY_WORDS,
    *("second", "minute", "hour", "day", "week", "month", "year"),
)

SIGNS = "".join(re.escape(chr(c)) for c in range(min(sys.maxunicode, 0xFFFF)) if unicodedata.category(chr(c)) == "Sc")


def one_of(words: Iterable[str]) -> str:
    """A pattern of alternatives, longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
