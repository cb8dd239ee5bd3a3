-- Where every person of one campaign's night stands, and who is not accounted for: audience = confirmed + suppressed + rejected +
-- unknown + waiting + superseded + holdout, person by person, from the audience to the ledger and back.
-- Grain: one standing (with `hole` NULL) or one kind of hole. Reads marts.audience, ops.message, ops.push_ledger. Writes nothing.
-- Parameters: campaign, day (date). Ids only, at most 20 of a kind.
-- A holdout was drawn into the arm that gets nothing. Suppressed are those whom consent or contact policy held back before the push,
-- unless an earlier attempt of the night had reached them, and those whom the push held back. A message without a row in the ledger
-- waits. Rows of the ledger whose night has no message any more are settled history; only while their outcome is open are they a hole.
WITH audience AS (
    SELECT * FROM marts.audience WHERE campaign = %(campaign)s AND day = %(day)s::date
), message AS (
    SELECT * FROM ops.message WHERE campaign = %(campaign)s AND day = %(day)s::date
), judged AS (
    SELECT coalesce(audience.person_id, message.person_id) AS person_id,
           CASE
               WHEN audience.suppressed_reason IS NOT NULL
                   THEN CASE WHEN ledger.state IN ('confirmed', 'unknown') THEN ledger.state ELSE 'suppressed' END
               WHEN audience.arm = 'none' THEN 'holdout'
               WHEN ledger.state IS NULL OR ledger.state IN ('claimed', 'sent') THEN 'waiting'
               ELSE ledger.state
           END AS standing,
           CASE
               WHEN audience.person_id IS NULL THEN 'with a message and not in the audience'
               WHEN audience.suppressed_reason IS NOT NULL AND message.person_id IS NOT NULL
                   THEN 'with a message although held back before the push'
               WHEN audience.suppressed_reason IS NOT NULL THEN NULL
               WHEN audience.arm = 'none' AND message.person_id IS NOT NULL THEN 'with a message although drawn to get none'
               WHEN audience.arm = 'none' THEN NULL
               WHEN audience.arm IS NULL THEN 'neither held back nor drawn into an arm'
               WHEN message.person_id IS NULL THEN 'to be written to and without a message'
               WHEN message.slot <> audience.slot THEN 'with a message of another slot'
               WHEN ledger.state NOT IN ('claimed', 'sent', 'confirmed', 'unknown', 'rejected', 'suppressed', 'superseded')
                   THEN 'in a state of the ledger that nobody knows: ' || ledger.state
               WHEN btrim(ledger.reason) = '' THEN 'without words for where their message is'
           END AS hole
    FROM audience
    FULL JOIN message USING (person_id)
    LEFT JOIN ops.push_ledger AS ledger
        ON ledger.campaign = %(campaign)s AND ledger.person_id = coalesce(audience.person_id, message.person_id)
        AND ledger.slot = coalesce(message.slot, audience.slot)
    UNION ALL
    SELECT ledger.person_id, NULL, 'with a message on its way that no night has any more'
    FROM ops.push_ledger AS ledger
    WHERE ledger.campaign = %(campaign)s AND ledger.day = %(day)s::date AND ledger.state IN ('sent', 'unknown')
      AND NOT EXISTS (
          SELECT FROM marts.audience AS own
          WHERE own.campaign = ledger.campaign AND own.day = ledger.day AND own.person_id = ledger.person_id)
      AND NOT EXISTS (
          SELECT FROM ops.message AS any_night
          WHERE any_night.campaign = ledger.campaign AND any_night.person_id = ledger.person_id AND any_night.slot = ledger.slot)
)
SELECT hole, CASE WHEN hole IS NULL THEN standing END AS standing, count(*)::int AS people,
       CASE WHEN hole IS NOT NULL THEN (array_agg(person_id ORDER BY person_id))[:20] END AS person_ids
FROM judged
GROUP BY 1, 2
ORDER BY 1 NULLS FIRST, 2
