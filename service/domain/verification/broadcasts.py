"""Recompute from its ledger what is counted of every broadcast (docs/specification.md §6.6)."""

from functools import reduce
from typing import Final

from service.domain.runtime import Runtime
from service.entities.bitmaps import Bitmaps, count_people, united, without
from service.entities.broadcasts import Broadcast, PeopleRole, SendState
from service.storage.broadcasts import broadcast_checks, broadcasts
from service.storage.broadcasts.broadcast_checks import LedgerFacts
from service.storage.database.pool import Connection

UNCERTAIN: Final = (SendState.CLAIMED, SendState.UNKNOWN)


async def verify_broadcasts(runtime: Runtime, channel_id: int, *, repair: bool) -> int:
    """Compare every broadcast of a channel with its ledger, one after the other; return how many differ.

    With `repair` the counts are corrected. Who is in which role is not: what became of somebody cannot be made up.
    """
    async with runtime.pool.acquire() as conn:
        wrong = 0
        for job_id in await broadcast_checks.frozen_broadcasts(conn, channel_id):
            async with conn.transaction():
                broadcast = await broadcasts.lock_broadcast(conn, channel_id, job_id)
                if broadcast is None:
                    continue
                facts = await broadcast_checks.ledger_facts(conn, channel_id, job_id)
                if differs(broadcast, facts):
                    wrong += 1
                    if repair:
                        await _correct(conn, broadcast, facts)
    return wrong


def differs(broadcast: Broadcast, facts: LedgerFacts) -> bool:
    """Tell whether what is counted of a broadcast, or who is in its roles, is not as its ledger says."""
    counted = (broadcast.planned, broadcast.sent, broadcast.failed, broadcast.uncertain)
    return (
        counted != _counts(facts)
        or broadcast.delivered != facts.delivered
        or facts.failures != facts.refused_by_code
        or facts.miscounted_chunks > 0
        or facts.surplus != 0
        or _people_differ(broadcast, facts)
    )


def _counts(facts: LedgerFacts) -> tuple[int, int, int, int]:
    """Return how many are planned, sent to, failed and uncertain."""
    uncertain = sum(facts.people.get(state, 0) for state in UNCERTAIN)
    sent, failed = facts.people.get(SendState.SENT, 0), facts.people.get(SendState.REFUSED, 0)
    return facts.count(PeopleRole.PLANNED), sent, failed, uncertain


def _people_differ(broadcast: Broadcast, facts: LedgerFacts) -> bool:
    """Tell whether somebody of the audience is in no part of it, or in two, or a part has somebody else."""
    planned, sent, failed, uncertain = _counts(facts)
    left_out = [role for role in facts.roles if role.startswith(("HELD:", "UNSENDABLE:"))]
    total = planned + sent + failed + uncertain + sum(map(facts.count, left_out))
    taken = facts.members(PeopleRole.TAKEN)
    parts = [facts.members(PeopleRole.PLANNED), taken, facts.refused, *map(facts.members, left_out)]
    everybody: Bitmaps = reduce(united, parts)
    return (
        total != broadcast.matched
        or facts.count(PeopleRole.FROZEN) != broadcast.matched
        or facts.count(PeopleRole.TAKEN) != sent + uncertain
        or taken != facts.reached
        or sum(map(count_people, parts)) != count_people(everybody)
        or count_people(without(everybody, facts.members(PeopleRole.FROZEN))) > 0
    )


async def _correct(conn: Connection, broadcast: Broadcast, facts: LedgerFacts) -> None:
    planned, sent, failed, uncertain = _counts(facts)
    key = (broadcast.channel_id, broadcast.job_id)
    await broadcast_checks.correct_counts(
        conn, *key, planned=planned, sent=sent, failed=failed, uncertain=uncertain, delivered=facts.delivered
    )
    if facts.failures != facts.refused_by_code:
        await broadcast_checks.correct_failures(conn, *key, facts.refused_by_code)
