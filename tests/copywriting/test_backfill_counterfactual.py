"""A night that is run again says what it would have changed: real copy, the ledger as the first run left it."""

from typing import Any

import psycopg
import pytest
from copy_night import CAMPAIGN, DAY, RETAIL, Invite, Night

from nurture.copywriting.switch import AI_PERSONALIZATION, set_switch
from nurture.scorecard.counterfactual import counterfactual, in_words

FOUNDER = RETAIL | {"pain_point": "slow picking"}


def deliver(connection: psycopg.Connection, *, day: str = DAY, **columns: Any) -> None:
    """Everyone who has a message got it in the first run, whose people were selected an hour ago."""
    connection.execute("UPDATE marts.audience SET selected_at = selected_at - interval '1 hour'")
    connection.execute(
        "INSERT INTO marts.person (person_id, crm_id, consent_status)"
        " SELECT person_id, crm_id, 'granted' FROM marts.audience"
    )
    connection.execute(
        """
        INSERT INTO ops.push_ledger (campaign, person_id, slot, state, reason, crm_id, message_id, copy_id, day, claim_token,
                                     run_id, claimed_at)
        SELECT campaign, person_id, slot, 'confirmed', 'written', person_id, message_id, copy_id, %s, gen_random_uuid(),
               'r1', clock_timestamp() - interval '30 minutes'
        FROM ops.message
        """,
        (day,),
    )
    connection.execute(
        "INSERT INTO ops.assignment SELECT campaign, person_id, arm, day FROM marts.audience WHERE arm IS NOT NULL"
    )
    connection.commit()


def select_again(connection: psycopg.Connection, *, context: Any = None) -> None:
    """What the second run's first steps leave: the same people, who have their message."""
    connection.execute(
        "UPDATE marts.audience SET selected_at = now(), suppressed_reason = 'already_sent_this_slot', arm = NULL"
    )
    if context is not None:
        connection.execute("UPDATE marts.audience SET context = %s WHERE person_id = 'p_000000'", (context,))
    connection.commit()


def found(connection: psycopg.Connection) -> dict[str, Any]:
    changes = counterfactual(connection, campaign=CAMPAIGN, day=DAY)
    connection.commit()
    return changes or {}


def test_a_first_run_has_nothing_to_compare_with(night: Night, invite: Invite) -> None:
    invite(RETAIL, people=2)
    night.write()
    deliver(night.connection)
    night.connection.execute("UPDATE marts.audience SET selected_at = selected_at - interval '1 hour'")

    assert found(night.connection) == {}
    assert night.rows("SELECT count(*) FROM ops.counterfactual_copy") == [(0,)]


def test_the_same_night_again_would_send_the_same_bytes_and_asks_no_model_for_that(night: Night, invite: Invite) -> None:
    invite(RETAIL, people=3)
    invite(FOUNDER, arm="static", people=2)
    night.write()
    deliver(night.connection)
    select_again(night.connection)
    asked = len(night.prompts())

    night.write()

    changes = found(night.connection)
    assert changes == {"sent_before_this_run": 5, "same_message": 5}
    assert in_words(changes) == ["5 messages of this night were sent before: 5 would be the same today"]
    assert len(night.prompts()) == asked


def test_another_context_would_get_another_copy_and_the_report_names_what_changed_and_who(
    night: Night, invite: Invite
) -> None:
    invite(RETAIL, people=2)
    night.write()
    deliver(night.connection)
    select_again(night.connection, context='{"industry": "Retail", "pain_point": "slow picking", "persona": "founder"}')
    asked = len(night.prompts())

    night.write()

    changes = found(night.connection)
    assert (changes["sent_before_this_run"], changes["same_message"]) == (2, 1)
    assert changes["another_copy"]["people"] == 1
    assert changes["another_copy"]["sample"] == ["p_000000"]
    [because] = changes["another_copy"]["because"]
    assert because.startswith("a piece that nobody wrote yet; context: ") and "pain_point" in because
    assert len(night.prompts()) == asked, "what nobody is going to get is not paid for"


def test_a_switch_pulled_since_is_seen_as_another_template(night: Night, invite: Invite) -> None:
    invite(RETAIL)
    night.write()
    deliver(night.connection)
    select_again(night.connection)
    set_switch(night.connection, AI_PERSONALIZATION, CAMPAIGN, is_on=False, changed_by="someone")
    night.connection.commit()

    night.write()

    [because] = found(night.connection)["another_copy"]["because"]
    assert because.startswith("template static_template@v3, then lead_nurture@v1")


@pytest.mark.parametrize(("decision", "same"), [("approved", 1), ("rejected", 0)])
def test_what_a_reviewer_decided_on_a_piece_holds_for_it_again(
    night: Night, invite: Invite, decision: str, same: int
) -> None:
    invite(RETAIL)
    night.write()
    deliver(night.connection)
    select_again(night.connection)
    night.write()
    night.connection.execute("UPDATE ops.counterfactual_copy SET lane = 'approval'")
    night.connection.execute(
        "INSERT INTO ops.approval (campaign, day, copy_id, decision, decided_at, run_id)"
        " SELECT campaign, day, copy_id, %s, now(), 'r1' FROM ops.counterfactual_copy",
        (decision,),
    )

    assert found(night.connection)["same_message"] == same


def test_people_who_no_longer_qualify_and_people_who_newly_do_are_counted_with_reasons_and_ids(
    night: Night, invite: Invite
) -> None:
    invite(RETAIL, people=4)
    night.write()
    deliver(night.connection)
    select_again(night.connection)
    night.connection.execute("DELETE FROM marts.audience WHERE person_id = 'p_000000'")
    night.connection.execute("UPDATE marts.audience SET suppressed_reason = 'opted_out' WHERE person_id = 'p_000001'")
    night.connection.execute("UPDATE marts.audience SET slot = 'week-2026-W48' WHERE person_id = 'p_000002'")
    invite(RETAIL)

    night.write()

    changes = found(night.connection)
    assert (changes["sent_before_this_run"], changes["same_message"]) == (4, 1)
    assert changes["would_get_none_now"] == {
        "people": 3,
        "because": {"not selected any more": 1, "opted_out": 1, "selected for another slot": 1},
        "sample": ["p_000000", "p_000001", "p_000002"],
    }
    assert changes["got_none_before"] == {"people": 1, "sample": ["p_000004"]}
    assert "would get none: 1 not selected any more, 1 opted_out" in "\n".join(in_words(changes))


def test_a_survivor_is_compared_with_what_the_merged_contact_got(night: Night, invite: Invite) -> None:
    invite(RETAIL)
    night.write()
    deliver(night.connection)
    night.connection.execute(
        "INSERT INTO marts.person (person_id, consent_status, merged_into) VALUES ('p_old', 'granted', 'p_000000')"
    )
    night.connection.execute("UPDATE ops.push_ledger SET person_id = 'p_old'")
    select_again(night.connection)

    night.write()

    assert found(night.connection) == {"sent_before_this_run": 1, "same_message": 1}


def test_a_night_behind_a_later_one_says_who_has_the_slot_from_there_and_what_was_superseded(
    night: Night, invite: Invite
) -> None:
    invite(RETAIL, people=3)
    night.write()
    deliver(night.connection, day="2026-11-21")
    select_again(night.connection)
    night.connection.execute(
        "UPDATE ops.push_ledger SET state = 'superseded', day = %s, reason = 'too old' WHERE person_id = 'p_000000'", (DAY,)
    )
    night.connection.execute("UPDATE marts.audience SET suppressed_reason = NULL WHERE person_id = 'p_000000'")

    changes = found(night.connection)

    assert changes == {"have_the_slot_of_another_night": 2, "superseded": {"too old": 1}}
    assert in_words(changes) == ["2 people have this slot's message of another night", "1 superseded: too old"]


def test_a_run_that_ended_before_it_chose_copy_says_that_nothing_was_compared(night: Night, invite: Invite) -> None:
    invite(RETAIL)
    night.write()
    deliver(night.connection)
    select_again(night.connection)

    changes = found(night.connection)

    assert changes == {"sent_before_this_run": 1, "same_message": 0, "not_compared": 1}
