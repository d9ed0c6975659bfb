"""Read the change log of a block once for all subscribers that resume together, as after a lost web process.

The log of a block is read by one statement at a time. It answers all subscribers that asked before it began, each since
a revision of its own.
"""

from collections.abc import Sequence
from functools import partial
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from service.entities.blocks import BLOCK_SIZE
from service.entities.revision import Revision
from service.foundation.batch_reader import BatchReader
from service.storage.blocks import change_log
from service.storage.blocks.change_log import ChangesSince
from service.storage.database.pool import Pool


class ChangesKey(NamedTuple):
    """Name what is asked for: the changes of the user at `offset` of a block after the revision `known`."""

    channel_id: int
    block: int
    known: Revision
    offset: int


ChangeLogReader: TypeAlias = BatchReader[ChangesKey, ChangesSince]


def make_change_log_reader(pool: Pool) -> ChangeLogReader:
    """Return a reader that answers every key as of a moment after the question."""
    return BatchReader(
        partial(_read_changes, pool),
        group_of=attrgetter("channel_id", "block"),
        max_keys=BLOCK_SIZE,
        max_concurrent=1,
    )


async def _read_changes(pool: Pool, keys: Sequence[ChangesKey]) -> dict[ChangesKey, ChangesSince]:
    channel_id, block = keys[0].channel_id, keys[0].block
    async with pool.acquire() as conn:
        found = await change_log.changes_since_each(conn, channel_id, block, [(key.known, key.offset) for key in keys])
    return dict(zip(keys, found, strict=True))
