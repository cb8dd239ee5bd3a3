"""The people and messages of one schedule, each schedule under a campaign of its own."""

import psycopg

FRESHNESS_DAYS = 10_000  # no schedule is about stale messages, and its clock may jump

COPY = """
INSERT INTO ops.copy (copy_id, request_hash, campaign, template_id, template_version, origin, parameters, context, fact_ids,
                      output, verdict)
SELECT ops.content_id('faults', output), 'faults', 'faults', 'static_template', 3, 'static', '{}', '{}', '[]',
       output, 'clear'
FROM (SELECT '{"headline": "h", "body": "b", "cta": "c", "cited_fact_ids": []}'::jsonb AS output) AS piece
ON CONFLICT DO NOTHING
"""
PEOPLE = """
WITH contact AS (
    INSERT INTO staging.contacts (crm_id, email, region, consent_status, is_opted_out, modified_at)
    SELECT crm_id, 'p' || crm_id || '@example.com', 'DE', 'granted', false, '2026-11-01Z'
    FROM unnest(%(crm_ids)s::text[]) AS new (crm_id)
    RETURNING crm_id
)
INSERT INTO marts.person (person_id, crm_id, consent_status) SELECT 'p-' || crm_id, crm_id, 'granted' FROM contact
"""
AUDIENCE = """
INSERT INTO marts.audience (campaign, day, person_id, slot, crm_id, trigger_event, trigger_at, trigger_event_day,
                            trigger_row_number, context, arm)
SELECT %(campaign)s, %(day)s::date, person_id, %(slot)s, crm_id, 'demo_request', %(day)s::date::timestamptz, %(day)s::date,
       1, '{}', 'static'
FROM marts.person WHERE crm_id = ANY (%(crm_ids)s::text[])
"""
MESSAGES = """
INSERT INTO ops.message (campaign, day, person_id, slot, message_id, copy_id, fallback_copy_id, lane)
SELECT audience.campaign, day, person_id, slot,
       encode(sha256(convert_to(concat_ws(E'\\n', audience.campaign, slot, copy_id), 'UTF8')), 'hex'),
       copy_id, copy_id, 'ready'
FROM marts.audience, ops.copy AS copy
WHERE audience.campaign = %(campaign)s AND day = %(day)s::date AND copy.request_hash = 'faults'
"""


def day_of(number: int) -> str:
    """Two nights of one schedule are a week apart: two slots."""
    return ("2026-11-13", "2026-11-20")[number]


def add(connection: psycopg.Connection, campaign: str, *, crm_ids: list[str], days: int) -> None:
    """Add consenting people, `p-` + CRM id, with a message a day."""
    with connection.transaction():
        connection.execute(COPY.encode())
        connection.execute(PEOPLE.encode(), {"crm_ids": crm_ids})
        for number in range(days):
            values = {"campaign": campaign, "day": day_of(number), "slot": f"slot-{number}", "crm_ids": crm_ids}
            connection.execute(AUDIENCE.encode(), values)
            connection.execute(MESSAGES.encode(), values)


def crm_ids_of(schedule: int, people: int) -> list[str]:
    """CRM ids that no other schedule uses."""
    return [str(schedule * 100 + number + 1) for number in range(people)]
