-- Take slots for one attempt: the row in the ledger is the right to send, and only one attempt gets it.
-- Grain: one slot of `person_ids` that this attempt got, in the order of person_id.
-- Reads ops.message, ops.approval, ops.copy, ops.run_report, marts.audience, marts.person, marts.person_member, marts.person_kin, staging.contacts,
-- ops.consent_event, ops.privacy_subject, ops.push_ledger. Writes ops.push_ledger. Parameters: campaign, lane, day (date), run_id, token (uuid of this
-- attempt), abandoned (uuid[]: tokens of attempts that are gone), person_ids (text[]), freshness_days (int), and what
-- copy_problems.sql and withheld.sql found a moment ago: problem_copy_ids, problems; withheld_person_ids, withheld_words (text[] of
-- one length); quiet_from, quiet_to (time), is_weekend_quiet (boolean), default_zone: for when the message may be sent.
-- A slot without a row is claimed; a row is claimed again only under the conditions of candidates.sql, and only when it is still
-- as it was seen. A second run with the same token claims nothing.
-- A message is superseded when a later night has one for the person, sent or waiting for approval, or when its trigger is older
-- than `freshness_days` by the warehouse's clock (UTC days). A superseded slot is judged again whenever its night, or a later one, is pushed.
-- `kin` are all persons who are the same human as far as anyone knows: merged into the person, or of the same address. What
-- one of them got, or may be getting right now, the person gets no more; nor what somebody got while both were taken for one.
-- What another contact of the address says in the CRM by now is not known here: `twin_crm_ids` are to be asked with the person's own.
WITH wanted AS (
    SELECT message.*, audience.suppressed_reason, audience.crm_id AS audience_crm_id, audience.trigger_at,
           audience.time_zone,
           person.crm_id AS living_crm_id, person.merged_into, contact.email, ledger.claim_token AS seen_token
    FROM ops.message AS message
    JOIN marts.audience AS audience USING (campaign, day, person_id)
    JOIN marts.person AS person USING (person_id)
    LEFT JOIN staging.contacts AS contact ON contact.crm_id = person.crm_id
    LEFT JOIN ops.push_ledger AS ledger
        ON ledger.campaign = message.campaign AND ledger.person_id = message.person_id AND ledger.slot = message.slot
    WHERE message.campaign = %(campaign)s AND message.day = %(day)s::date AND message.lane = %(lane)s
      AND message.person_id = ANY (%(person_ids)s::text[])
      AND (ledger.state IS NULL
           OR (ledger.state = 'claimed' AND ledger.claim_token = ANY (%(abandoned)s::uuid[]))
           OR (ledger.state = 'rejected' AND ledger.claim_token <> %(token)s::uuid)
           OR (ledger.state = 'superseded' AND ledger.claim_token <> %(token)s::uuid AND ledger.day <= message.day))
), twin AS (
    SELECT wanted.person_id, person.person_id AS twin_id, contact.crm_id,
           contact.is_opted_out OR contact.consent_status = 'denied' AS says_no
    FROM wanted
    JOIN staging.contacts AS contact ON contact.email = wanted.email AND contact.crm_id <> wanted.living_crm_id
    LEFT JOIN marts.person AS person ON person.crm_id = contact.crm_id
), twins AS MATERIALIZED (
    SELECT person_id, array_agg(crm_id ORDER BY crm_id) AS crm_ids, bool_or(says_no) AS say_no FROM twin GROUP BY person_id
), same AS MATERIALIZED (
    SELECT person_id, person_id AS kin_id FROM wanted UNION SELECT person_id, twin_id FROM twin WHERE twin_id IS NOT NULL
), denial AS MATERIALIZED (
    -- As in audience/apply_consent.sql: only the later grant of whom a denial is of lifts it, not one given by another of the address.
    SELECT same.person_id, bool_or(same.kin_id = same.person_id) AS is_own
    FROM same
    CROSS JOIN LATERAL (
        SELECT max(event.happened_at) FILTER (WHERE event.status = 'denied') AS denied_at,
               max(event.happened_at) FILTER (WHERE event.status = 'granted' AND event.person_id = same.kin_id) AS granted_at
        FROM (SELECT member_id FROM marts.person_member WHERE person_member.person_id = same.kin_id OFFSET 0) AS member
        JOIN ops.consent_event AS event ON event.person_id = member.member_id
    ) AS said
    WHERE said.denied_at >= coalesce(said.granted_at, '-infinity')
    GROUP BY same.person_id
), kin AS MATERIALIZED (
    SELECT same.person_id, member.member_id, member.counts_until
    FROM same
    CROSS JOIN LATERAL (
        SELECT kin_id AS member_id, counts_until FROM marts.person_kin WHERE person_kin.person_id = same.kin_id
        OFFSET 0  -- one look into the index for each: without it the planner reads all persons
    ) AS member
), past AS MATERIALIZED (
    SELECT wanted.person_id,
           bool_or(ledger.state IN ('claimed', 'sent', 'unknown')) AS is_open,
           bool_or(ledger.state = 'confirmed' AND ledger.slot = wanted.slot) AS has_slot,
           max(ledger.day) FILTER (WHERE ledger.state = 'confirmed' AND ledger.slot <> wanted.slot) AS later_day
    FROM wanted
    JOIN kin USING (person_id)
    JOIN ops.push_ledger AS ledger ON ledger.campaign = wanted.campaign AND ledger.person_id = kin.member_id
    -- Another slot's message in flight, of whatever night, is waited for: two at once may arrive in the wrong order.
    WHERE ledger.claimed_at < kin.counts_until
      AND ((ledger.state = 'confirmed' AND (ledger.slot = wanted.slot OR ledger.day > wanted.day))
           OR ledger.state IN ('sent', 'unknown')
           OR (ledger.state = 'claimed' AND ledger.claim_token <> ALL (%(abandoned)s::uuid[])))
    GROUP BY wanted.person_id
), awaited AS MATERIALIZED (
    -- A night that has reported since it selected its people waits for nobody any more.
    SELECT wanted.person_id, max(later.day) AS later_day
    FROM wanted
    JOIN kin USING (person_id)
    JOIN ops.message AS later
        ON later.campaign = wanted.campaign AND later.person_id = kin.member_id AND later.lane = 'approval' AND later.day > wanted.day
        AND kin.counts_until = 'infinity'
    JOIN marts.audience AS chosen
        ON chosen.campaign = later.campaign AND chosen.day = later.day AND chosen.person_id = later.person_id
    WHERE NOT EXISTS (
            SELECT FROM ops.push_ledger AS settled
            WHERE settled.campaign = later.campaign AND settled.person_id = later.person_id AND settled.slot = later.slot
              AND NOT (settled.state = 'superseded' AND settled.day < later.day))
      AND NOT EXISTS (
            SELECT FROM ops.run_report AS report
            WHERE report.dag_id = later.campaign AND report.day = later.day AND report.made_at > chosen.selected_at)
    GROUP BY wanted.person_id
), age AS (
    SELECT person_id,
           (clock_timestamp() AT TIME ZONE 'UTC')::date - (trigger_at AT TIME ZONE 'UTC')::date AS days
    FROM wanted
), judged AS (
    SELECT wanted.*,
           CASE
               WHEN wanted.slot LIKE 'seed-%%' THEN NULL  -- a test send is never late
               WHEN past.later_day IS NOT NULL THEN 'a message of a later night was sent before this one: day ' || past.later_day
               WHEN awaited.later_day IS NOT NULL THEN 'a message of a later night waits for approval: day ' || awaited.later_day
               WHEN age.days > %(freshness_days)s::int
                   THEN format('the trigger is %%s days old, and %%s writes within %%s days: what it says is out of date',
                               age.days, wanted.campaign, %(freshness_days)s::int)
           END AS superseded,
           CASE
               WHEN EXISTS (SELECT FROM ops.privacy_subject AS leaving JOIN ops.privacy_request AS request USING (request_id)
                            WHERE leaving.kind = 'person_id' AND leaving.value = wanted.person_id AND request.action = 'erase')
                   THEN 'erased: the person asked for it'
               WHEN wanted.merged_into IS NOT NULL THEN 'merged into another person, who has slots of their own'
               WHEN wanted.living_crm_id IS NULL THEN 'no living CRM contact'
               WHEN wanted.suppressed_reason IS NOT NULL THEN 'not in the audience any more: ' || wanted.suppressed_reason
               WHEN denial.is_own THEN 'consent was withdrawn (ops.consent_event)'
               WHEN twins.say_no THEN 'another contact of the same address opted out or denied consent'
               WHEN denial.person_id IS NOT NULL
                   THEN 'another contact of the same address withdrew consent (ops.consent_event)'
               WHEN past.has_slot THEN 'sent before: to a contact that was merged into this one, or to one of the same address'
           END AS blocked
    FROM wanted
    JOIN age USING (person_id)
    LEFT JOIN past USING (person_id)
    LEFT JOIN awaited USING (person_id)
    LEFT JOIN denial USING (person_id)
    LEFT JOIN twins USING (person_id)
    WHERE past.is_open IS NOT TRUE
), problem AS (
    SELECT * FROM unnest(%(problem_copy_ids)s::text[], %(problems)s::text[]) AS found (copy_id, words)
), candidate AS (
    SELECT judged.campaign, judged.day, judged.person_id, judged.slot, chosen.copy_id, judged.seen_token,
           chosen.fallback_reason, 'the static copy cannot go out: ' || fallback_problem.words AS unfit,
           -- Edited copy, and static copy in place of what was chosen, is a message of its own.
           CASE WHEN chosen.copy_id = judged.copy_id THEN judged.message_id
                ELSE encode(sha256(convert_to(concat_ws(E'\n', judged.campaign, judged.slot, chosen.copy_id), 'UTF8')), 'hex')
           END AS message_id,
           coalesce(judged.living_crm_id, judged.audience_crm_id) AS crm_id,
           judged.time_zone,
           CASE WHEN judged.blocked IS NOT NULL THEN judged.blocked
                WHEN judged.superseded IS NULL AND withheld.words IS NOT NULL THEN withheld.words
                WHEN judged.email IS NOT NULL AND row_number() OVER (
                    PARTITION BY judged.slot, judged.email, judged.blocked IS NULL AND judged.superseded IS NULL
                    ORDER BY judged.person_id) > 1
                    AND judged.superseded IS NULL THEN 'another contact of the same address gets it'
           END AS blocked,
           judged.superseded
    FROM judged
    LEFT JOIN unnest(%(withheld_person_ids)s::text[], %(withheld_words)s::text[]) AS withheld (person_id, words) USING (person_id)
    LEFT JOIN ops.approval AS approval
        ON approval.campaign = judged.campaign AND approval.day = judged.day AND approval.copy_id = judged.copy_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN judged.lane = 'ready' OR approval.decision = 'approved' THEN judged.copy_id
                    WHEN approval.decision = 'edited' THEN approval.edited_copy_id END AS copy_id
    ) AS decided
    LEFT JOIN problem AS decided_problem ON decided_problem.copy_id = decided.copy_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN decided.copy_id IS NULL OR decided_problem.copy_id IS NOT NULL THEN judged.fallback_copy_id
                    ELSE decided.copy_id END AS copy_id,
               CASE WHEN decided.copy_id = judged.fallback_copy_id THEN NULL
                    WHEN decided_problem.copy_id IS NOT NULL THEN 'static copy, for the chosen piece may not go out: ' || decided_problem.words
                    WHEN approval.decision = 'timed_out' THEN 'static copy, for nobody answered' || coalesce(': ' || approval.reason, '')
                    WHEN approval.decision = 'rejected' THEN 'static copy, for the reviewer said no' || coalesce(': ' || approval.reason, '')
                    WHEN decided.copy_id IS NULL THEN 'static copy, for nobody decided on the chosen piece' END AS fallback_reason
    ) AS chosen
    LEFT JOIN problem AS fallback_problem ON fallback_problem.copy_id = chosen.copy_id
), fresh AS (
    INSERT INTO ops.push_ledger (campaign, person_id, slot, state, reason, crm_id, message_id, copy_id, day, claim_token, run_id,
                                 fallback_reason)
    SELECT campaign, person_id, slot, 'claimed', 'claimed, not sent yet', crm_id, message_id, copy_id, day,
           %(token)s::uuid, %(run_id)s, fallback_reason
    FROM candidate
    WHERE seen_token IS NULL
    ORDER BY person_id
    ON CONFLICT (campaign, person_id, slot) DO NOTHING
    RETURNING person_id
), again AS (
    UPDATE ops.push_ledger AS ledger
    SET state = 'claimed', reason = 'claimed again, not sent yet; before: ' || regexp_replace(ledger.reason, '^.*; before: ', ''),
        crm_id = candidate.crm_id,
        message_id = candidate.message_id, copy_id = candidate.copy_id, fallback_reason = candidate.fallback_reason,
        day = candidate.day, claim_token = %(token)s::uuid,
        run_id = %(run_id)s, attempts = ledger.attempts + 1, claimed_at = clock_timestamp(), changed_at = clock_timestamp()
    FROM candidate
    WHERE ledger.campaign = candidate.campaign AND ledger.person_id = candidate.person_id AND ledger.slot = candidate.slot
      AND candidate.seen_token IS NOT NULL AND ledger.claim_token = candidate.seen_token
      AND ledger.state IN ('claimed', 'rejected', 'superseded')
    RETURNING ledger.person_id
)
SELECT candidate.person_id, candidate.slot, candidate.crm_id, candidate.message_id, candidate.blocked, candidate.superseded,
       candidate.unfit, coalesce(twins.crm_ids, '{}') AS twin_crm_ids, copy.template_id || '@v' || copy.template_version AS template,
       copy.output,
       jsonb_build_object('first_name', contact.first_name, 'last_name', contact.last_name, 'company', contact.company,
                          'job_title', contact.job_title, 'persona', contact.persona, 'industry', contact.industry
       ) AS placeholder_values,
       ops.next_allowed(clock_timestamp(), coalesce(candidate.time_zone, %(default_zone)s), %(quiet_from)s::time, %(quiet_to)s::time,
                        %(is_weekend_quiet)s::boolean) AS send_after
FROM (SELECT person_id FROM fresh UNION ALL SELECT person_id FROM again) AS mine
JOIN candidate USING (person_id)
JOIN ops.copy AS copy USING (copy_id)
LEFT JOIN twins USING (person_id)
LEFT JOIN staging.contacts AS contact ON contact.crm_id = candidate.crm_id
ORDER BY candidate.person_id
