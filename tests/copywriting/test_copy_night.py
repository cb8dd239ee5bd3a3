"""The whole stage against the sandbox model over HTTP: audience in, messages out."""

import hashlib
from decimal import Decimal

import psycopg
import pytest
from copy_night import CAMPAIGN, DAY, RETAIL, Invite, Night

from nurture.errors import NurtureError


def test_people_with_one_context_share_one_call_and_one_piece(night: Night, invite: Invite) -> None:
    invite(RETAIL, people=5)
    invite({**RETAIL, "industry": "RETAIL", "recent_product": "LF-COUNT"}, people=2)

    counts = night.write()

    assert (counts.audience, counts.contexts, counts.model_calls, counts.clear) == (7, 1, 1, 1)
    assert night.rows("SELECT count(*), count(DISTINCT copy_id), min(lane) FROM ops.message") == [(7, 1, "ready")]
    assert night.rows("SELECT origin, template_id, template_version FROM ops.copy ORDER BY origin") == [
        ("model", "lead_nurture", 1),
        ("static", "static_template", 3),
    ]


def test_only_people_who_may_be_written_to_and_drew_a_message_get_one(night: Night, invite: Invite) -> None:
    invite(RETAIL, arm="static", people=2)
    invite(RETAIL, arm="none")
    invite(RETAIL, arm="ai", suppressed_reason="opted out")

    counts = night.write()

    assert (counts.audience, counts.model_calls, counts.static) == (2, 0, 2)
    assert night.rows("SELECT person_id FROM ops.message ORDER BY 1") == [("p_000000",), ("p_000001",)]


def test_a_second_run_asks_for_nothing_and_gives_the_same_bytes(night: Night, invite: Invite) -> None:
    for industry in ("retail", "healthcare", "logistics"):
        invite({**RETAIL, "industry": industry}, people=2)
    night.write()
    copy = night.rows("SELECT copy_id, output::text FROM ops.copy ORDER BY 1")
    messages = night.rows("SELECT * FROM ops.message ORDER BY person_id")

    night.run_id = "manual__2"
    again = night.write()

    assert (again.contexts, again.from_store, again.model_calls, again.cost_usd) == (3, 3, 0, 0.0)
    assert night.rows("SELECT copy_id, output::text FROM ops.copy ORDER BY 1") == copy
    assert night.rows("SELECT * FROM ops.message ORDER BY person_id") == messages


def test_the_same_audience_in_another_warehouse_gives_the_same_message_ids(night: Night, invite: Invite) -> None:
    invite(RETAIL)
    night.write()
    first = night.rows("SELECT message_id, copy_id FROM ops.message")
    night.connection.execute(
        "TRUNCATE ops.copy, ops.copy_source, ops.message, ops.llm_call, ops.approval, ops.push_ledger, ops.push_output"
    )
    night.connection.commit()

    night.write()

    assert night.rows("SELECT message_id, copy_id FROM ops.message") == first
    expected = hashlib.sha256("\n".join([CAMPAIGN, "week-2026-W47", first[0][1]]).encode()).hexdigest()
    assert first[0][0] == expected


def test_a_rerun_replaces_the_night_when_the_audience_shrank(night: Night, invite: Invite) -> None:
    invite(RETAIL, people=3)
    night.write()
    night.connection.execute("DELETE FROM marts.audience WHERE person_id = 'p_000001'")
    night.connection.commit()

    night.write()

    assert night.rows("SELECT person_id FROM ops.message ORDER BY 1") == [("p_000000",), ("p_000002",)]


def test_every_call_is_noted_with_tokens_money_and_time(night: Night, invite: Invite) -> None:
    invite(RETAIL)

    counts = night.write()

    row = night.rows(
        "SELECT status, attempt, model, prompt_tokens, completion_tokens, cost_usd, latency_ms > 0, run_id FROM ops.llm_call"
    )
    money = (Decimal(counts.prompt_tokens) * Decimal("0.15") + Decimal(counts.completion_tokens) * Decimal("0.60")) / 10**6
    assert row == [("ok", 1, "sandbox-writer-1", counts.prompt_tokens, counts.completion_tokens, money, True, "manual__1")]
    assert counts.cost_usd == pytest.approx(float(money))


def test_copy_keeps_the_source_of_every_fact_that_it_cites(night: Night, invite: Invite) -> None:
    invite(RETAIL)

    night.write()

    cited = night.rows("SELECT output -> 'cited_fact_ids' FROM ops.copy WHERE origin = 'model'")[0][0]
    sources = night.rows(
        "SELECT fact_id, fact_version, source <> '' FROM ops.copy_source JOIN ops.copy USING (copy_id)"
        " WHERE origin = 'model'"
    )
    assert cited
    assert sorted(sources) == [(fact_id, 1, True) for fact_id in sorted(cited)]


def test_a_discount_waits_for_a_person_with_static_copy_behind_it(night: Night, invite: Invite) -> None:
    night.server.misbehave("flagged_claim")
    invite(RETAIL, people=2)

    counts = night.write()

    assert (counts.flagged, counts.static) == (1, 0)
    assert night.rows(
        "SELECT DISTINCT lane, written.verdict, fallback.origin FROM ops.message "
        "JOIN ops.copy AS written USING (copy_id) JOIN ops.copy AS fallback ON fallback.copy_id = fallback_copy_id"
    ) == [("approval", "flagged", "static")]
    assert night.rows("SELECT reasons -> 0 ->> 'name' FROM ops.copy WHERE verdict = 'flagged'") == [("discount",)]


def test_the_switch_turns_everyone_static_and_back(night: Night, invite: Invite) -> None:
    invite(RETAIL, people=2)
    night.write()
    night.connection.execute("UPDATE ops.switch SET is_on = false")
    night.connection.commit()

    off = night.write()
    origins_off = night.rows("SELECT DISTINCT origin FROM ops.message JOIN ops.copy USING (copy_id)")
    night.connection.execute("UPDATE ops.switch SET is_on = true")
    night.connection.commit()
    on = night.write()

    assert (off.switched_off, off.static, off.model_calls, origins_off) == (True, 2, 0, [("static",)])
    assert (on.switched_off, on.static, on.model_calls) == (False, 0, 0)


def test_a_stored_piece_is_held_against_todays_guardrails(night: Night, invite: Invite) -> None:
    invite(RETAIL)
    night.write()
    night.connection.execute(
        "UPDATE ops.copy SET output = output || jsonb_build_object('body', 'Only $1 today.') WHERE origin = 'model'"
    )
    night.connection.commit()

    counts = night.write()

    assert (counts.model_calls, counts.rejected, counts.static) == (0, 1, 1)
    assert night.rows("SELECT verdict FROM ops.copy WHERE origin = 'model'") == [("rejected",)]


def test_an_audience_that_changes_meanwhile_writes_no_message(night: Night, invite: Invite, warehouse_url: str) -> None:
    invite(RETAIL)
    with psycopg.connect(warehouse_url) as other:
        other.execute(
            b"CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS "
            b"$$BEGIN UPDATE marts.audience SET context = '{}'; RETURN NULL; END$$"
        )
        other.execute("CREATE TRIGGER change AFTER INSERT ON ops.llm_call FOR EACH ROW EXECUTE FUNCTION change()")

    with pytest.raises(NurtureError, match=f"{CAMPAIGN} {DAY}: 0 messages for 1 people"):
        night.write()

    assert night.rows("SELECT count(*) FROM ops.message") == [(0,)]


def test_an_empty_audience_is_no_error_and_clears_the_night(night: Night, invite: Invite) -> None:
    invite(RETAIL)
    night.write()
    night.connection.execute("DELETE FROM marts.audience")
    night.connection.commit()

    counts = night.write()

    assert (counts.audience, counts.model_calls) == (0, 0)
    assert night.rows("SELECT count(*) FROM ops.message") == [(0,)]
