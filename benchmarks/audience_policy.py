"""Audience, consent and contact policy for 1 M people in SQL, against one plain update of the same rows.

`python -m benchmarks.audience_policy [PEOPLE]` fills a warehouse (people with contacts, a trigger each, messages of the
last days, suppression lists, another campaign's night, zones), runs the statements of the steps `select_audience`,
`apply_consent` and `apply_contact_policy` in turn, each committed, and prints seconds, people per second and the ratio to
an update that scans and rewrites the same rows without deciding anything. Medians of three rounds after a warm-up. The
last line is what a claim of 100 people pays for asking the policy again.
"""

import statistics
import sys
import time
from typing import Any

import psycopg

from benchmarks.repeated_night import NIGHT
from benchmarks.scratch_warehouse import warehouse
from nurture.consent.rules import load_rules
from nurture.contact_policy.rules import timing, withholding
from nurture.policy import load_policy
from nurture.warehouse.statements import statement

DAY, CAMPAIGN, ROUNDS = "2026-11-20", "lead_nurture", 3
FILL = """
INSERT INTO staging.contacts (crm_id, email, region, time_zone, site_user_id, lifecycle_stage, persona, industry,
                              consent_status, consent_at, is_opted_out, modified_at)
SELECT n::text, 'c' || n || '@example' || n % 500 || '.com', (ARRAY['DE', 'US', 'US-CA', 'FR', NULL])[1 + n % 5],
       CASE n % 3 WHEN 0 THEN 'Europe/Berlin' WHEN 1 THEN 'America/New_York' END, 'u' || n, 'lead', 'founder', 'retail',
       CASE WHEN n % 10 < 8 THEN 'granted' ELSE 'unknown' END, '2026-01-05', n % 25 = 0, '2026-11-01'
FROM generate_series(1, {people}) AS n;
INSERT INTO marts.person (person_id, crm_id, email, site_user_id, region, consent_status)
SELECT 'p_' || md5(crm_id), crm_id, email, site_user_id, region, consent_status FROM staging.contacts;
INSERT INTO marts.person_identity (kind, value, person_id)
SELECT 'crm_id', crm_id, person_id FROM marts.person UNION ALL SELECT 'user_id', site_user_id, person_id FROM marts.person;
INSERT INTO marts.person_features (day, person_id, crm_id, lifecycle_stage, persona, industry, events_7d, sessions_7d)
SELECT '{day}', person_id, crm_id, 'lead', 'founder', 'retail', 1, 1 FROM marts.person;
INSERT INTO staging.events (event_day, row_number, event_at, event_name, user_id)
SELECT '{day}', n, '{day} 12:00Z', 'form_submit', 'u' || n FROM generate_series(1, {people}) AS n;
INSERT INTO ops.consent_event (person_id, status, happened_at, source)
SELECT person_id, CASE WHEN crm_id::int % 40 = 0 THEN 'denied' ELSE 'granted' END, '2026-10-01', 'form'
FROM marts.person WHERE crm_id::int % 4 = 0;
INSERT INTO ops.copy (copy_id, request_hash, campaign, template_id, template_version, origin, parameters, context, fact_ids,
                      output, verdict)
VALUES ('c', 'r', 'x', 't', 1, 'static', '{{}}', '{{}}', '[]', '{{}}', 'clear');
INSERT INTO ops.push_ledger (campaign, person_id, slot, state, reason, crm_id, message_id, copy_id, day, claim_token, run_id,
                             claimed_at)
SELECT 'other', person_id, 's' || m, 'confirmed', '', crm_id, 'm', 'c', '2026-11-01', gen_random_uuid(), 'r',
       clock_timestamp() - m * interval '2 days'
FROM marts.person CROSS JOIN generate_series(1, 5) AS m WHERE crm_id::int % 10 = 0;
INSERT INTO ops.suppression (list, kind, value, source, added_by)
SELECT 'hard_bounce', 'email_sha256', encode(sha256(convert_to(email, 'UTF8')), 'hex'), 'b', 'b'
FROM (SELECT DISTINCT email FROM staging.contacts WHERE crm_id::int % 20 = 7) AS bounced
UNION ALL SELECT 'legal', 'crm_id', crm_id, 'b', 'b' FROM staging.contacts WHERE crm_id::int % 50 = 11
UNION ALL SELECT 'competitors', 'domain', 'example' || n || '.com', 'b', 'b' FROM generate_series(1, 5) AS n;
INSERT INTO marts.audience (campaign, day, person_id, slot, crm_id, trigger_event, trigger_at, trigger_event_day,
                            trigger_row_number, context, consent_basis, arm)
SELECT 'cart_recovery', '{day}', person_id, 's', crm_id, 'e', '{day}', '{day}', 1, '{{}}', 'opt-in', 'ai'
FROM marts.person WHERE crm_id::int % 7 = 3;
ANALYZE;
"""
PLAIN = (
    "UPDATE marts.audience SET suppressed_detail = 'x', send_after = now()"
    " WHERE campaign = %(campaign)s AND day = %(day)s::date"
)
STEPS = {step: NIGHT.get_task(step).statements for step in ("select_audience", "apply_consent", "apply_contact_policy")}


def main() -> None:
    """Measure and print."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with warehouse(autocommit=True) as connection:
        connection.execute(FILL.format(people=people, day=DAY).encode())
        _report(connection, people)


def _report(connection: psycopg.Connection, people: int) -> None:
    policy = load_policy().contact.model_copy(update={"campaign_priority": ("cart_recovery", CAMPAIGN)})
    values = {
        "campaign": CAMPAIGN, "day": DAY, "run_id": "r", "is_rehearsal": "false",
        "trigger_events": ["form_submit"], "debounce_hours": [24],
        "lifecycle_stages": ["lead"], **load_rules().parameters(), **withholding(policy, CAMPAIGN), **timing(policy),
    }  # fmt: skip
    rounds = [_round(connection, values) for _ in range(1 + ROUNDS)][1:]
    times = {step: statistics.median(each[step] for each in rounds) for step in rounds[0]}
    plain = times.pop("a plain update")
    print(f"a plain update of the same rows  {plain:6.2f} s  {people / plain:10,.0f} people/s")
    for step, seconds in (times | {"all three": sum(times.values())}).items():
        print(f"{step:32} {seconds:6.2f} s  {people / seconds:10,.0f} people/s  {seconds / plain:5.2f} × a plain update")
    found = connection.execute(
        "SELECT coalesce(suppressed_reason, 'may be written to'), count(*) FROM marts.audience WHERE campaign = %(campaign)s"
        " GROUP BY 1 ORDER BY 2 DESC", values,
    ).fetchall()  # fmt: skip
    print("; ".join(f"{count:,} {reason}" for reason, count in found))
    print(f"asked again for a claim of 100   {1000 * _claim(connection, values):6.2f} ms")


def _round(connection: psycopg.Connection, values: dict[str, Any]) -> dict[str, float]:
    times = {}
    for step, names in STEPS.items():
        started = time.monotonic()
        with connection.transaction():
            for name in names:
                connection.execute(statement(name), values)
        times[step] = time.monotonic() - started
        connection.execute("VACUUM marts.audience")
    started = time.monotonic()
    connection.execute(PLAIN, values)
    times["a plain update"] = time.monotonic() - started
    connection.execute(statement("audience/apply_contact_policy.sql"), values)
    connection.execute("VACUUM marts.audience")
    return times


def _claim(connection: psycopg.Connection, values: dict[str, Any]) -> float:
    """Seconds of ledger/withheld.sql for 100 people, the median of 50."""
    query = "SELECT person_id FROM marts.audience WHERE campaign = %(campaign)s ORDER BY person_id LIMIT 5000"
    ids = [row[0] for row in connection.execute(query, values)]
    times = []
    for start in range(0, len(ids), 100):
        started = time.monotonic()
        connection.execute(statement("ledger/withheld.sql"), values | {"person_ids": ids[start : start + 100]}).fetchall()
        times.append(time.monotonic() - started)
    return statistics.median(times)


if __name__ == "__main__":
    main()
