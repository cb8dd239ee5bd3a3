"""English number words: cardinals, ordinals and fractions."""

import re

ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}

NUMBER_WORDS = {
    **{word: value for value, word in enumerate(ONES)},
    **{word: 10 * (value + 2) for value, word in enumerate(TENS)},
    "nil": 0,
    "nought": 0,
    "dozen": 12,
    "hundred": 100,
    **SCALES,
}

_SMALL_ORDINALS = ("fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth",
                   "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
                   "twentieth")  # fmt: skip
ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    **{word: value for value, word in enumerate(_SMALL_ORDINALS, 4)},
    "thirtieth": 30,
    "hundredth": 100,
    "thousandth": 1000,
    **{f"twenty-{word}": 20 + value for value, word in enumerate(("first", "second", "third", *_SMALL_ORDINALS[:6]), 1)},
    "thirty-first": 31,
}
DENOMINATORS = {word: value for word, value in ORDINALS.items() if value > 2 and "-" not in word} | {"quarter": 4}


def value_of_words(text: str) -> int:
    """The number that a run of number words means, e.g. `one hundred and twenty-five` → 125."""
    total, group = 0, 0
    for word in re.split(r"[\s-]+", text):
        if word == "and":
            continue
        if word in SCALES:
            total, group = total + (group or 1) * SCALES[word], 0
        elif word in ("hundred", "dozen"):
            group = (group or 1) * NUMBER_WORDS[word]
        else:
            group += NUMBER_WORDS[word]
    return total + group
