"""Sentences without a marker: what is said to the reader in passing, what "it" is, and what is only a scene."""

import pytest
from labelled_copy import load_labelled, load_terms, piece_of

from nurture.copywriting.copy_rules import load_copy_rules
from nurture.copywriting.figures import plain
from nurture.copywriting.guardrails import Verdict, judge
from nurture.copywriting.whole_words import AnyOf, whole_words

TERMS = load_terms()
ELSEWHERE = "Larkfield Print 200 prints with heat and needs no ink and no ribbon. [print-no-ink]"


def judged(said: str) -> Verdict:
    return judge(piece_of(f"Hi {{first_name}},\n\n{said}\n\n{ELSEWHERE}"), TERMS)


@pytest.mark.parametrize(
    "said",
    [
        "You can take your data out at any time.",
        "You may leave at the end of any month.",
        "Nobody has to learn the aisles by heart.",
        "You are told when an item falls below your level.",
        "Every change is written down.",
        "Someone from our team sets everything up for you.",
        "Hospitals trust us.",
        "Installation takes minutes.",
    ],
)
def test_what_a_fact_says_or_what_we_do_is_not_said_to_the_reader_without_its_marker(said: str) -> None:
    verdict = judged(said)

    assert "uncited" in [reason["name"] for reason in verdict.reasons]
    assert verdict.outcome == "rejected"


@pytest.mark.parametrize(
    "said",
    [
        "It also plays music.",
        "It listens.",
        "It is waterproof.",
        "Do you work outdoors? It is waterproof.",
        "You have many suppliers. It rates them all.",
        "You save hours.",
        "Your errors vanish.",
        "Everything gets faster.",
        "Your inventory stays accurate.",
        "You never run out of stock again.",
    ],
)
def test_a_feature_or_a_promise_that_no_sentence_names_as_ours_is_stopped(said: str) -> None:
    verdict = judged(said)

    assert verdict.outcome != "clear"


@pytest.mark.parametrize(
    "said",
    [
        "There's nothing glamorous about a stocktake. It's cold, it's late, and the pen is gone.",
        "You still count the shelves in December, and you know who stays late.",
        "By the time a bad label is on the box, it's usually too late to save the parcel.",
        "Not every improvement has to be a project.",
        "A smudged barcode, a crushed corner, a label half torn off.",
        "Stock errors have a way of making you feel you're the only one.",
        "The best intentions do not help when the list is wrong.",
        "Everyone is asking everyone else where things are.",
        "Customers don't wait.",
        "I have two questions for you.",
        "Are you free for a call?",
        "You know the sign: closed for inventory, back on Monday.",
        "In December a Sunday is a working day like any other, except that nobody picks up the phone.",
        "The rest of the country is at the Christmas market.",
        "January brings everything back: the jumpers, the gadgets, the shoes.",
        "Yours is the warehouse with a forklift called Gerda.",
        "IT leads tell colleagues to choose good passwords.",
        "Nothing is more tiresome than a project that waits for a parcel.",
        "It is only human: nobody likes to count twice.",
    ],
)
def test_a_scene_of_the_readers_day_claims_nothing(said: str) -> None:
    verdict = judged(said)

    assert verdict.outcome == "clear", verdict.reasons


@pytest.mark.parametrize(
    "said",
    [
        "On Friday an engineer will ring you.",
        "Sign up before Christmas.",
        "Support stays open at Christmas.",
        "On Monday your first site is running.",
        "In January the errors are gone.",
        "On Sunday an expert answers you.",
        "On Thursday the box is at your door.",
        "You know the scanner called Falcon.",
        "Your scanner arrives on Monday.",
        "In January it becomes part of every plan.",
        "Who can wait? In March the new Larkfield Scan is here.",
        "Your team can count with three phones at once.",
        "Every second error goes away.",
        "Two of three sites stay for ever.",
        "That is half the work of before.",
    ],
)
def test_a_day_or_a_number_of_ours_is_an_invention_also_in_a_sentence_to_the_reader(said: str) -> None:
    verdict = judged(said)

    assert verdict.outcome == "rejected", verdict


def test_a_piece_is_judged_alike_whenever_it_is_judged() -> None:
    first = [judged("The scanner tells you when an item is wrong.") for _ in range(3)]

    assert first[0] == first[1] == first[2]
    assert first[0].reasons


def test_the_fast_search_for_wording_finds_what_the_patterns_find() -> None:
    wordings = load_copy_rules().wording
    texts = [plain(" · ".join(one.piece.texts.values())) for one in load_labelled("tuning")]

    found = {wording.name: {text for text in texts if AnyOf(wording.says).search(text)} for wording in wordings}

    assert found == {
        wording.name: {text for text in texts if whole_words(wording.says).search(text)} for wording in wordings
    }
    assert all(found.values())
