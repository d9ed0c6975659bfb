"""Seal entries of the audit log: seconds after they were written, give them their numbers and hashes.

An act writes its entry without looking at any other, so nobody waits. Here they are put into the chain of their robot,
in the order in which they are found: an act whose transaction ends late gets a later number, and there are no gaps.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from service.domain.audit.chain import hash_of
from service.domain.audit.reading import position_of
from service.domain.runtime import Runtime
from service.entities.audit_chain import ChainEnds, LoggedEntry
from service.storage import audit_chain
from service.storage.audit_chain import DueBefore, Seal
from service.storage.channels import home_channel_or_none
from service.storage.database.pool import Connection

# Most acts have ended by then, so that numbers mostly follow the times.
SEAL_AFTER: Final = timedelta(seconds=5)
# Refusals of a minute share an entry; processes write what they counted seconds later.
SEAL_MINUTE_AFTER: Final = timedelta(seconds=75)
# Further ahead than clocks differ: the clock was wrong, or somebody would keep an entry from being sealed.
SEAL_AHEAD_OF: Final = timedelta(minutes=5)
# As many as take some twenty milliseconds to hash.
ENTRIES_PER_SLICE: Final = 300

log = logging.getLogger(__name__)


async def seal_audit_logs(runtime: Runtime) -> int:
    """Seal what is due of all robots, a slice of each in turn, and return how many entries that were.

    A robot whose entries cannot be sealed is logged and left for the next run.
    """
    now = runtime.clock()
    due = DueBefore(now - SEAL_AFTER, now - SEAL_MINUTE_AFTER, now + SEAL_AHEAD_OF)
    async with runtime.pool.acquire() as conn:
        waiting = await audit_chain.channels_with_unsealed_entries(conn, due)
    sealed = 0
    while waiting:
        for robot_id, channel_ids in list(waiting.items()):
            try:
                count = await _seal_slice(runtime, robot_id, channel_ids, due)
            except Exception:
                log.exception("the audit log of robot %s cannot be sealed", robot_id)
                count = 0
            if count < ENTRIES_PER_SLICE:
                del waiting[robot_id]
            sealed += count
    return sealed


async def _seal_slice(runtime: Runtime, robot_id: str, channel_ids: Sequence[int], due: DueBefore) -> int:
    """Seal the oldest entries of a robot in one transaction, and return how many; 0 while another process does."""
    async with runtime.pool.acquire() as conn:
        home = await home_channel_or_none(conn, robot_id)
        if home is None:
            return 0
        await audit_chain.begin_chain(conn, home)
        async with conn.transaction():
            ends = await audit_chain.lock_chain(conn, home)
            return 0 if ends is None else await _seal(conn, ends, channel_ids, due)


async def _seal(conn: Connection, ends: ChainEnds, channel_ids: Sequence[int], due: DueBefore) -> int:
    number, previous = ends.last_number, ends.last_hash
    seals = []
    for entry, _, _ in await _lock_oldest(conn, channel_ids, due):
        number += 1
        previous = hash_of(entry, number, previous)
        seals.append(Seal(entry.channel_id, entry.entry_id, number, previous))
    if previous is not None and seals:
        await audit_chain.seal_entries(conn, seals)
        await audit_chain.advance_chain(conn, ends.home, number, previous)
    return len(seals)


async def _lock_oldest(conn: Connection, channel_ids: Sequence[int], due: DueBefore) -> list[LoggedEntry]:
    found: list[LoggedEntry] = []
    for channel_id in channel_ids:
        found += await audit_chain.lock_unsealed_entries(conn, channel_id, due, ENTRIES_PER_SLICE)
    return sorted(found, key=position_of)[:ENTRIES_PER_SLICE]
