"""Delete what is older than the retention from the beginning of a robot's audit log, so that the rest can be checked.

The number and hash of the last entry that was deleted stay. Only what follows the chain is deleted, so that no break
disappears with age.
"""

import logging
from datetime import datetime
from functools import partial
from itertools import takewhile
from typing import Final

from service.domain.audit.checking import intact_run
from service.domain.audit.in_order import entries_between
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.storage import audit_chain
from service.storage.channels import channels_of_robot

ENTRIES_PER_SLICE: Final = 300

log = logging.getLogger(__name__)


async def prune_audit_log(runtime: Runtime, channel: Channel) -> int:
    """Delete the oldest entries of the log that is kept in a channel, and return how many; 0 if none is kept there."""
    before = runtime.clock() - runtime.settings.audit_retention
    deleted = 0
    while True:
        count = await _prune_slice(runtime, channel, before)
        deleted += count
        if count < ENTRIES_PER_SLICE:
            return deleted


async def _prune_slice(runtime: Runtime, channel: Channel, before: datetime) -> int:
    async with runtime.pool.acquire() as conn, conn.transaction():
        if (await audit_chain.chain_ends(conn, channel.channel_id)).last_number == 0:
            return 0
        ends = await audit_chain.lock_chain(conn, channel.channel_id)
        if ends is None:
            return 0
        channel_ids = [each.channel_id for each in await channels_of_robot(conn, channel.robot_id)]
        last = min(ends.base_number + ENTRIES_PER_SLICE, ends.last_number)
        oldest = await entries_between(channel_ids, ends.base_number, last, partial(audit_chain.sealed_entries, conn))
        old = list(takewhile(lambda each: each.entry.at < before, oldest))
        run = intact_run(ends, old)
        if len(run) < len(old):
            number = ends.base_number + len(run) + 1
            log.error(
                "the audit log of robot %s is broken at entry %d; it is kept from there on", channel.robot_id, number
            )
        if run and run[-1].hash is not None:
            number = ends.base_number + len(run)
            await audit_chain.delete_sealed_entries(conn, ends, channel_ids, number, run[-1].hash)
        return len(run)
