"""What must hold once calm has returned: nobody twice, nobody lost, nobody after a withdrawal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from tests.faults.simulated_crm import Write

SETTLED = {"confirmed", "suppressed", "superseded", "rejected"}


@dataclass
class Verdict:
    """What went wrong, in words; empty lists are what we want."""

    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether all is well."""
        return not (self.twice or self.lost or self.withdrawn or self.untrue)


def judge(
    connection: psycopg.Connection,
    campaign: str,
    *,
    writes: Sequence[Write],
    withdrawals: Mapping[str, tuple[str, int]],
    poisoned: str | None,
) -> Verdict:
    """Hold the ledger and what the CRM saw against each other.

    Args:
        withdrawals: by CRM id, where (`crm` or `warehouse`) and when.
        poisoned: the contact that the CRM always refuses, if there is one.
    """
    verdict = Verdict()
    seen = Counter((write.crm_id, write.message_id) for write in writes)
    verdict.twice = [f"{crm_id}: {times} writes of one message" for (crm_id, _), times in seen.items() if times > 1]
    for write in writes:
        where, moment = withdrawals.get(write.crm_id, ("", 0))
        looked_at = write.read_at if where == "crm" else write.claimed_at
        if where and moment < looked_at:
            verdict.withdrawn.append(f"{write.crm_id}: written although withdrawn in the {where} before it was looked at")
    rows = connection.execute(
        """
        SELECT coalesce(ledger.crm_id, audience.crm_id), message.message_id, coalesce(ledger.state, 'no row'), ledger.reason
        FROM ops.message AS message
        JOIN marts.audience AS audience USING (campaign, day, person_id)
        LEFT JOIN ops.push_ledger AS ledger ON ledger.campaign = message.campaign AND ledger.person_id = message.person_id
            AND ledger.slot = message.slot
        WHERE message.campaign = %s
        """,
        (campaign,),
    ).fetchall()
    connection.commit()
    for crm_id, message_id, state, reason in rows:
        has_it = seen[crm_id, message_id] > 0
        if state not in SETTLED:
            verdict.lost.append(f"{crm_id}: {state}: {reason}")
        elif has_it != (state == "confirmed"):
            verdict.untrue.append(
                f"{crm_id}: the ledger says {state} ({reason}), the CRM saw {seen[crm_id, message_id]} writes"
            )
        elif state == "rejected" and crm_id != poisoned:
            verdict.lost.append(f"{crm_id}: rejected: {reason}")
        elif state == "suppressed" and crm_id not in withdrawals:
            verdict.lost.append(f"{crm_id}: suppressed without a withdrawal: {reason}")
    return verdict
