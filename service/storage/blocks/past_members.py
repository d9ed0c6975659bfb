"""Read what the members of tags were at an earlier instant: their present bits, and what the change log did since."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from service.entities.blocks import ChangeCause
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

# More blocks than a channel can have.
MAX_BLOCKS: Final = 2**31 - 1


@dataclass(slots=True)
class PastMembers:
    """Hold the present members of a tag in a block, and what to flip of them to come back to the past.

    `offsets` are lists of two bytes each, big-endian. What stands an even number of times in all of them and in the
    bitmap `flips` is as it is now.
    """

    members: bytes = b""
    offsets: list[bytes] = field(default_factory=list)
    flips: bytes = b""


@dataclass(slots=True)
class PastBlock:
    """Hold the past members of tags in one block, `{tag_id: members}`; absent if nobody had the tag then or since.

    Without `reached` the log of the block no longer reaches back so far, and the rest says nothing.
    """

    block: int
    reached: bool
    tags: dict[int, PastMembers] = field(default_factory=dict)


class ShownStep(NamedTuple):
    """Hold a structural change by which a tag came to be shown, or no longer was."""

    tag_id: int
    at: datetime
    cause: ChangeCause | None
    shown_after: bool


class Moved(NamedTuple):
    """Count who got and who lost a tag for one cause, after the first `passed` of some instants."""

    cause: ChangeCause
    passed: int
    entered: int
    left: int


@dataclass(slots=True)
class LoggedFlow:
    """Hold how many people have a tag now, and who got and lost it since an earlier instant."""

    members: int = 0
    moved: list[Moved] = field(default_factory=list)


async def log_reach(conn: Connection, channel_id: int) -> datetime:
    """Return the earliest instant at which the logs of a channel still tell who had which tag."""
    reach: datetime = await conn.fetchval(STATEMENTS["log_reach"], channel_id)
    return reach


async def shown_steps(
    conn: Connection, channel_id: int, tag_ids: Iterable[int], since: datetime
) -> dict[int, list[ShownStep]]:
    """Return by which steps tags came to be shown, or no longer were, after an instant, in order, `{tag_id: steps}`."""
    steps: dict[int, list[ShownStep]] = {}
    for row in await conn.fetch(STATEMENTS["shown_steps"], channel_id, list(tag_ids), since):
        cause = None if row["cause"] is None else ChangeCause(row["cause"])
        steps.setdefault(row["tag_id"], []).append(ShownStep(row["tag_id"], row["at"], cause, row["shown_after"]))
    return steps


async def versions_at(
    conn: Connection, channel_id: int, at: datetime, *, start: int = 0, limit: int = MAX_BLOCKS
) -> dict[int, int | None]:
    """Return the versions that the first `limit` blocks from `start` on had at an instant, ascending by block.

    None where the log no longer reaches the instant.
    """
    rows = await conn.fetch(STATEMENTS["versions_at"], channel_id, start, limit, at)
    return {row["block"]: row["version"] for row in rows}


async def past_members(
    conn: Connection, channel_id: int, tag_ids: Iterable[int], versions: Mapping[int, int]
) -> list[PastBlock]:
    """Return the members that tags had in blocks at versions, `{block: version}`, ascending by block."""
    blocks, since = list(versions), list(versions.values())
    rows = await conn.fetch(STATEMENTS["past_members"], channel_id, blocks, since, list(tag_ids))
    found = {row["block"]: PastBlock(row["block"], row["reached"]) for row in rows if row["tag_id"] is None}
    for row in rows:
        if row["tag_id"] is None:
            continue
        members = found[row["block"]].tags.setdefault(row["tag_id"], PastMembers())
        if row["members"] is not None:
            members.members = row["members"].bytes
        if row["offsets"] is not None:
            members.offsets.append(row["offsets"])
        if row["flips"] is not None:
            members.flips = row["flips"].bytes
    return [found[block] for block in sorted(found)]


async def tag_flow(
    conn: Connection,
    channel_id: int,
    tag_ids: Iterable[int],
    versions: Mapping[int, int],
    instants: Sequence[datetime] = (),
) -> dict[int, LoggedFlow]:
    """Count who got and who lost tags since blocks were at versions, `{tag_id: flow}`; absent if nobody has been near.

    Changes are told apart by how many of the ascending `instants` had come; one at an instant itself is after it.
    """
    blocks, since = list(versions), list(versions.values())
    flows: dict[int, LoggedFlow] = {}
    for row in await conn.fetch(STATEMENTS["tag_flow"], channel_id, blocks, since, list(tag_ids), list(instants)):
        flow = flows.setdefault(row["tag_id"], LoggedFlow())
        if row["cause"] is None:
            flow.members = row["entered"]
        else:
            moved = Moved(ChangeCause(row["cause"]), row["passed"], row["entered"] or 0, row["gone"] or 0)
            flow.moved.append(moved)
    return flows
