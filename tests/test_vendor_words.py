"""What a vendor says is kept; who is in it is not: names, addresses, numbers and whatever we sent, however it is echoed."""

import json

import pytest

from nurture.hooks.hubspot_answers import ROW_ADVICE, row_errors
from nurture.hooks.vendor_words import MAX_WORDS, redact


@pytest.mark.parametrize(
    "words",
    [
        "Contact already exists. Existing ID: 100012",
        'Property "nurture_cta" does not exist',
        "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.",
        "Duplicate IDs found in batch input. The batch must only contain each ID once.",
        "You have reached your ten_secondly_rolling limit.",
        "This app hasn't been granted all required scopes to make this call.",
        "Authentication credentials not found.",
        "internal error",
        "A batch may hold 100 inputs; this one holds 101.",
        'The value of "nurture_body" has 70000 characters; the limit is 65536',
        "Invalid input JSON on line 1, column 12: PROPERTY_DOESNT_EXIST at 2026-11-22T10:00:00.000Z",
    ],
)
def test_the_vendors_own_words_are_kept(words: str) -> None:
    assert redact(words) == words


@pytest.mark.parametrize(
    ("words", "leak"),
    [
        ("Contact Annika Berg already exists. Existing ID: 12", "Annika|Berg"),
        ("Contact ANNIKA BERG already exists", "ANNIKA|BERG"),
        ("Contact McDonald-O'Neill exists", "McDonald|Neill"),
        ("Contact Łukasz already exists", "ukasz"),
        ("Contact 李小龙 exists", "李"),
        ("Contact \\u0141ukasz and m\\u00fcller", "ukasz|ller"),
        ('Value "müller" was not valid', "müller"),
        ("ann.smith%40example.com is invalid", "smith"),
        ("Email Ann <ann+b@y.example.org> is taken", "ann\\+b|Ann"),
        ("+49 30 1234567 was not a valid number", "1234567"),
        ("(030) 123-4567 was not a valid number", "4567"),
        ("call 555-123-4567 now", "4567"),
    ],
)
def test_nobody_is_left_in_a_message(words: str, leak: str) -> None:
    left = redact(words)

    assert not any(part in left for part in leak.replace("\\", "").split("|")), left
    assert "<" in left


@pytest.mark.parametrize(
    "echo",
    [
        lambda value: value,
        lambda value: value[:30],
        lambda value: json.dumps(value),
        lambda value: json.dumps(value)[:40],
        str.lower,
        str.upper,
    ],
    ids=["whole", "cut off", "as JSON", "as JSON, cut off", "lower case", "upper case"],
)
def test_what_we_sent_is_not_echoed_however_the_vendor_writes_it(echo: object) -> None:
    sent = 'Annika, "Nordlicht" counts less:\nfewer errors for anna berg'
    words = f"Property values were not valid: {echo(sent)} was not one of the allowed options"  # type: ignore[operator]

    left = redact(words, [sent]).lower()

    assert not [name for name in ("annika", "nordlicht", "anna", "berg", "fewer") if name in left], left
    assert left.startswith("property values were not valid: ")


def test_a_long_message_is_cut_after_it_was_cleaned() -> None:
    left = redact("error " * 90 + "ann@x.example " + "e" * 1000)

    assert len(left) == MAX_WORDS


def test_each_refused_row_says_what_to_do() -> None:
    answer = {
        "errors": [
            {"category": "OBJECT_NOT_FOUND", "message": "Could not get some CONTACT objects", "context": {"ids": ["7"]}},
            {"category": "NEW_CATEGORY", "message": "Contact Ann exists", "id": 8},
            {"category": "CONFLICT", "message": "names nobody"},
        ]
    }

    said = row_errors(answer)

    assert said == {
        "7": f"OBJECT_NOT_FOUND: Could not get some CONTACT objects; {ROW_ADVICE['OBJECT_NOT_FOUND']}",
        "8": "NEW_CATEGORY: Contact <value> exists",
    }
