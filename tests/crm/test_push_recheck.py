"""What was judged, shown and approved is held against the world once more, right before it goes out."""

import psycopg
import pytest
from campaign_night import (
    CAMPAIGN,
    DAY,
    MESSAGE_ID,
    OUTPUT,
    SLOT,
    add_copy,
    id_of,
    prepare,
    push,
    push_letters,
    reason_of,
    states,
)

from nurture.copywriting.switch import AI_PERSONALIZATION, MODEL, TEMPLATE, set_switch
from nurture.hooks.hubspot import HubSpotHook
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # a CRM over HTTP for each


def add_fact(
    warehouse: psycopg.Connection,
    fact_id: str,
    *,
    version: int = 1,
    valid_from: str = "2020-01-01",
    valid_until: str | None = None,
    is_current: bool = True,
) -> None:
    warehouse.execute(
        "INSERT INTO ops.fact (fact_id, version, text, source, approver, valid_from, valid_until, is_current)"
        " VALUES (%s, %s, 'Count counts.', 'a handbook', 'legal', %s, %s, %s)",
        (fact_id, version, valid_from, valid_until, is_current),
    )


def went_out(warehouse: psycopg.Connection) -> dict[str, tuple[str, str | None]]:
    """Person → the name of the copy that the ledger holds, and why static copy stands in."""
    rows = warehouse.execute(
        "SELECT person_id, replace(copy.request_hash, 'request of ', ''), fallback_reason"
        " FROM ops.push_ledger JOIN ops.copy AS copy USING (copy_id)"
    ).fetchall()
    warehouse.commit()
    return {person_id: (name, why) for person_id, name, why in rows}


def give(warehouse: psycopg.Connection, person_id: str, copy_id: str) -> None:
    warehouse.execute("UPDATE ops.message SET copy_id = %s WHERE person_id = %s", (copy_id, person_id))
    warehouse.commit()


def decide(warehouse: psycopg.Connection, decision: str, edited_copy_id: str | None = None) -> None:
    warehouse.execute(
        "INSERT INTO ops.approval (campaign, day, copy_id, decision, reason, edited_copy_id, decided_at, run_id)"
        " VALUES (%s, %s, %s, %s, 'so it is', %s, now(), 'run-1')",
        (CAMPAIGN, DAY, id_of(warehouse, "copy-ai"), decision, edited_copy_id),
    )
    warehouse.commit()


def test_each_piece_that_may_not_go_out_any_more_is_replaced_by_static_copy_and_the_ledger_says_why(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 9)
    add_fact(warehouse, "good")
    add_fact(warehouse, "withdrawn", is_current=False)
    add_fact(warehouse, "replaced", is_current=False)
    add_fact(warehouse, "replaced", version=2)
    add_fact(warehouse, "expired", valid_until="2021-12-31")
    add_fact(warehouse, "early", valid_from="2999-01-01")
    for number, fact_id in enumerate(["good", "withdrawn", "replaced", "expired", "early", "invented"], start=1):
        give(warehouse, f"p000{number}", add_copy(warehouse, fact_id, cites={fact_id: 1}))
    give(warehouse, "p0007", add_copy(warehouse, "tampered"))
    give(warehouse, "p0008", add_copy(warehouse, "rejected", verdict="rejected"))
    give(warehouse, "p0009", add_copy(warehouse, "flagged", verdict="flagged"))
    warehouse.execute(
        "UPDATE ops.copy SET output = output || '{\"cta\": \"Pay now\"}' WHERE request_hash = 'request of tampered'"
    )
    warehouse.commit()

    counts = push(warehouse, hook, crm_policy)

    ledger = went_out(warehouse)
    assert (counts.pushed, states(warehouse)) == (9, {"confirmed": 9})
    assert ledger.pop("p0001") == ("good", None)
    assert {name for name, _ in ledger.values()} == {"copy-static"}
    assert [(why or "").removeprefix("static copy, for the chosen piece may not go out: ") for _, why in
            (ledger[f"p000{n}"] for n in range(2, 10))] == [
        "it cites version 1 of withdrawn, which was withdrawn or replaced",
        "it cites version 1 of replaced, which was withdrawn or replaced",
        "it cites expired, which was valid until 2021-12-31",
        "it cites early, which is not valid before 2999-01-01",
        "it cites invented, which is no approved fact",
        "its bytes do not fit its hash: it was changed after it was judged",
        "the guardrails reject it by now",
        "the guardrails flag it by now, and nobody approved it",
    ]  # fmt: skip
    ids = dict(warehouse.execute("SELECT person_id, message_id FROM ops.push_ledger").fetchall())
    assert {write["contact_id"]: write["value"] for write in crm.writes(MESSAGE_ID)} == {
        person_id[-1]: message_id for person_id, message_id in ids.items()
    }
    assert len(set(ids.values())) == 2


@pytest.mark.parametrize(
    ("name", "campaign", "pin", "why"),
    [
        (AI_PERSONALIZATION, CAMPAIGN, None, "ai_personalization is switched off"),
        (AI_PERSONALIZATION, "*", None, "ai_personalization is switched off"),
        (TEMPLATE, CAMPAIGN, "lead_nurture@v2",
         "the campaign is pinned to lead_nurture@v2, it was written with lead_nurture@v3"),
        (MODEL, "*", "writer-1", "the campaign is pinned to the model writer-1, it was written by writer-2"),
        (AI_PERSONALIZATION, "another_campaign", None, None),
        (TEMPLATE, CAMPAIGN, "lead_nurture@v3", None),
        (MODEL, CAMPAIGN, "writer-2", None),
    ],
)  # fmt: skip
def test_a_switch_that_is_pulled_before_the_push_counts(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm,
    name: str, campaign: str, pin: str | None, why: str | None,
) -> None:  # fmt: skip
    prepare(warehouse, crm, hook, 1, lane="approval")
    warehouse.execute("UPDATE ops.copy SET model = 'writer-2' WHERE origin = 'model'")
    decide(warehouse, "approved")
    set_switch(warehouse, name, campaign, is_on=pin is not None, value=pin, changed_by="someone")
    warehouse.commit()

    push(warehouse, hook, crm_policy, lane="approval")

    expected = ("copy-static", f"static copy, for the chosen piece may not go out: {why}") if why else ("copy-ai", None)
    assert went_out(warehouse) == {"p0001": expected}


def test_the_switch_pulled_in_the_middle_of_a_push_stops_model_copy_from_the_next_batch_on(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 6)

    class PullsAfterTheFirstBatch(HubSpotHook):
        def batch_update(self, inputs, **options):  # type: ignore[no-untyped-def]
            result = super().batch_update(inputs, **options)
            with psycopg.connect(warehouse_url) as someone:
                set_switch(someone, AI_PERSONALIZATION, CAMPAIGN, is_on=False, changed_by="someone")
            return result

    push(warehouse, PullsAfterTheFirstBatch("crm", policy=crm_policy), crm_policy.model_copy(update={"batch_size": 2}))

    names = [name for _, (name, _) in sorted(went_out(warehouse).items())]
    assert names == ["copy-ai"] * 2 + ["copy-static"] * 4


def test_static_copy_that_may_not_go_out_either_is_rejected_with_its_reason_and_sent_once_it_is_mended(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2, lane="approval")
    add_fact(warehouse, "price", is_current=False)
    stale = add_copy(warehouse, "stale", origin="static", cites={"price": 1})
    warehouse.execute("UPDATE ops.message SET fallback_copy_id = %s WHERE person_id = 'p0001'", (stale,))
    warehouse.execute(
        "UPDATE ops.message SET copy_id = %(x)s, fallback_copy_id = %(x)s WHERE person_id = 'p0002'", {"x": stale}
    )
    decide(warehouse, "rejected")
    # A person of the static arm: nobody decides on static copy.
    warehouse.execute("UPDATE ops.message SET lane = 'ready' WHERE person_id = 'p0002'")
    warehouse.commit()

    counts = push(warehouse, hook, crm_policy, lane="approval")
    of_static_arm = push(warehouse, hook, crm_policy, lane="ready")
    reasons = [reason_of(warehouse, person_id) for person_id in ("p0001", "p0002")]
    letters = push_letters(warehouse)
    warehouse.execute("UPDATE ops.fact SET is_current = true")
    warehouse.commit()
    mended = push(warehouse, hook, crm_policy, lane="approval", run_id="run-2")

    assert (counts.pushed, counts.rejected, of_static_arm.rejected, mended.pushed) == (0, 1, 1, 1)
    words = "the static copy cannot go out: it cites version 1 of price, which was withdrawn or replaced; mend it, or"
    assert [(state, why.startswith(words)) for state, why in reasons] == [("rejected", True)] * 2
    assert letters == {f"{CAMPAIGN}/{person_id}/{SLOT}": True for person_id in ("p0001", "p0002")}


@pytest.mark.parametrize("is_tampered", [False, True])
def test_an_edited_piece_goes_out_in_place_of_the_flagged_one(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, is_tampered: bool
) -> None:
    prepare(warehouse, crm, hook, 1, lane="approval")
    edited = add_copy(warehouse, "edited", origin="edited", output=OUTPUT | {"cta": "Take a look"})
    decide(warehouse, "edited", edited)
    if is_tampered:
        warehouse.execute("UPDATE ops.copy SET request_hash = 'request of edited by hand' WHERE copy_id = %s", (edited,))
        warehouse.commit()

    push(warehouse, hook, crm_policy, lane="approval")

    assert went_out(warehouse)["p0001"][0] == ("copy-static" if is_tampered else "edited")
    assert hook.batch_read(["1"], ["nurture_cta"])["1"].properties["nurture_cta"] == (
        "See how" if is_tampered else "Take a look"
    )


@pytest.mark.parametrize(
    ("decision", "why"), [("rejected", "the reviewer said no: so it is"), ("timed_out", "nobody answered: so it is")]
)
def test_the_ledger_says_why_static_copy_went_out_instead_of_flagged_copy(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, decision: str, why: str
) -> None:
    prepare(warehouse, crm, hook, 1, lane="approval")
    decide(warehouse, decision)

    push(warehouse, hook, crm_policy, lane="approval")

    assert went_out(warehouse) == {"p0001": ("copy-static", f"static copy, for {why}")}
