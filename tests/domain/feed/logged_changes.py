"""Read the logged changes of one person without the code under test."""

from dataclasses import dataclass
from datetime import datetime

from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from tests.domain.feed.feed_process import FeedProcess
from tests.support.database_state import offsets_in


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """Hold one version that changed a person's tags."""

    version: int
    at: datetime
    cause: str
    added: frozenset[int]
    removed: frozenset[int]


async def changes_of(process: FeedProcess, channel: Channel, openid: str) -> list[LoggedChange]:
    """Return all that both logs hold of a person, oldest first."""
    ordinal = await process.runtime.pool.fetchval(
        "select ordinal from channel_user where channel_id = $1 and openid = $2", channel.channel_id, openid
    )
    block, offset = divmod(ordinal, BLOCK_SIZE)
    small = await process.runtime.pool.fetch(
        "select * from user_tag_change where channel_id = $1 and block = $2 and user_offset = $3",
        channel.channel_id,
        block,
        offset,
    )
    lines = {
        row["version"]: LoggedChange(
            row["version"], row["at"], row["cause"], frozenset(row["added"]), frozenset(row["removed"])
        )
        for row in small
    }
    for row in await process.runtime.pool.fetch(
        "select * from bulk_tag_change where channel_id = $1 and block = $2", channel.channel_id, block
    ):
        sides = [
            frozenset({row["tag_id"]})
            if offset in (row[f"{side}_offsets"] or ()) or (row[side] and offset in offsets_in(row[side].bytes))
            else frozenset[int]()
            for side in ("added", "removed")
        ]
        if any(sides):
            known = lines.get(
                row["version"], LoggedChange(row["version"], row["at"], row["cause"], frozenset(), frozenset())
            )
            lines[row["version"]] = LoggedChange(
                known.version, known.at, known.cause, known.added | sides[0], known.removed | sides[1]
            )
    return [lines[version] for version in sorted(lines)]
