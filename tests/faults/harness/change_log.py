"""Read every change of the people of a channel, pruned or not, without the code under test."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service.entities.blocks import BLOCK_SIZE
from tests.faults.harness.installation import Installation
from tests.support.database_state import offsets_in

USERS: Final = """
select u.openid, c.version, c.at, c.cause, c.added, c.removed
from (select * from user_tag_change union all select * from pruned_user_change) c
join channel_user u on u.channel_id = c.channel_id and u.ordinal = c.block * 32000 + c.user_offset
where c.channel_id = $1
"""
BULK: Final = """
select u.openid, c.version, c.at, c.cause,
    case when o.o = any(c.added_offsets) or get_bit(c.added, o.o) = 1 then array[c.tag_id] else '{}' end as added,
    case when o.o = any(c.removed_offsets) or get_bit(c.removed, o.o) = 1 then array[c.tag_id] else '{}' end as removed
from (select * from bulk_tag_change union all select * from pruned_bulk_change) c
join channel_user u on u.channel_id = c.channel_id and u.ordinal / 32000 = c.block
cross join lateral (select u.ordinal % 32000 as o) o
where c.channel_id = $1
  and (
    o.o = any(c.added_offsets) or o.o = any(c.removed_offsets)
    or get_bit(c.added, o.o) = 1 or get_bit(c.removed, o.o) = 1
  )
"""


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """Hold one version that changed a person's tags."""

    version: int
    at: datetime
    cause: str
    added: frozenset[int]
    removed: frozenset[int]


async def changes_by_openid(installation: Installation) -> dict[str, list[LoggedChange]]:
    """Return each person's changes in order; needs the tables that keep what is pruned."""
    lines: dict[str, dict[int, LoggedChange]] = {}
    channel_id = installation.channel.channel_id
    for row in (*await installation.rows(USERS, channel_id), *await installation.rows(BULK, channel_id)):
        of_person = lines.setdefault(row["openid"], {})
        known = of_person.get(row["version"])
        assert known is None or (known.at, known.cause) == (row["at"], row["cause"])
        of_person[row["version"]] = LoggedChange(
            row["version"],
            row["at"],
            row["cause"],
            frozenset(row["added"]) | (known.added if known else frozenset()),
            frozenset(row["removed"]) | (known.removed if known else frozenset()),
        )
    return {openid: [versions[each] for each in sorted(versions)] for openid, versions in lines.items()}


async def tags_by_openid(installation: Installation) -> dict[str, frozenset[int]]:
    """Return the tags of each person by the stored bits."""
    channel_id = installation.channel.channel_id
    people = await installation.rows("select openid, ordinal from channel_user where channel_id = $1", channel_id)
    tags: dict[int, set[int]] = {row["ordinal"]: set() for row in people}
    for row in await installation.rows("select * from tag_members where channel_id = $1", channel_id):
        for offset in offsets_in(row["members"].bytes):
            tags[row["block"] * BLOCK_SIZE + offset].add(row["tag_id"])
    return {row["openid"]: frozenset(tags[row["ordinal"]]) for row in people}


def tags_at_version(lines: list[LoggedChange], version: int) -> frozenset[int]:
    """Return the tags after a version."""
    tags: frozenset[int] = frozenset()
    for line in lines:
        if line.version <= version:
            tags = (tags | line.added) - line.removed
    return tags
