"""The change log played back from the beginning, version by version."""

from collections import defaultdict
from dataclasses import dataclass, field

from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE, ChangeCause
from service.entities.channels import Channel
from tests.support.database_state import heads_of, offsets_in, tags_by_ordinal


@dataclass(slots=True)
class Version:
    """What one version of a block did, as (ordinal, tag id)."""

    causes: set[ChangeCause] = field(default_factory=set)
    added: set[tuple[int, int]] = field(default_factory=set)
    removed: set[tuple[int, int]] = field(default_factory=set)
    bulk: bool = False


async def logged_versions(runtime: Runtime, channel: Channel) -> dict[int, dict[int, Version]]:
    """Everything in both logs, by block and version."""
    blocks: dict[int, dict[int, Version]] = defaultdict(lambda: defaultdict(Version))
    for row in await runtime.pool.fetch("select * from user_tag_change where channel_id = $1", channel.channel_id):
        version = blocks[row["block"]][row["version"]]
        version.causes.add(ChangeCause(row["cause"]))
        ordinal = row["block"] * BLOCK_SIZE + row["user_offset"]
        version.added |= {(ordinal, tag_id) for tag_id in row["added"]}
        version.removed |= {(ordinal, tag_id) for tag_id in row["removed"]}
    for row in await runtime.pool.fetch("select * from bulk_tag_change where channel_id = $1", channel.channel_id):
        version = blocks[row["block"]][row["version"]]
        version.causes.add(ChangeCause(row["cause"]))
        version.bulk = True
        for side, kept in ((version.added, "added"), (version.removed, "removed")):
            assert row[kept] is None or row[f"{kept}_offsets"] is None, "one form of a side, never both"
            bits = offsets_in(row[kept].bytes) if row[kept] else []
            offsets = {*(row[f"{kept}_offsets"] or ()), *bits}
            assert offsets or (row[kept], row[f"{kept}_offsets"]) == (None, None), "an empty side is null"
            side |= {(row["block"] * BLOCK_SIZE + offset, row["tag_id"]) for offset in offsets}
    return blocks


async def replay_and_check(runtime: Runtime, channel: Channel) -> dict[int, dict[int, Version]]:
    """Replay the log: no version is missing, each is a difference of bits, and the last gives the bits there are."""
    blocks = await logged_versions(runtime, channel)
    members: set[tuple[int, int]] = set()
    for head in await heads_of(runtime, channel):
        versions = blocks.get(head.block, {})
        assert sorted(versions) == list(range(1, head.version + 1))
        for number in range(1, head.version + 1):
            version = versions[number]
            assert len(version.causes) == 1
            assert version.added or version.removed
            assert not version.added & members, f"version {number} adds what was there"
            assert version.removed <= members, f"version {number} removes what was not there"
            members = (members | version.added) - version.removed
    bits = await tags_by_ordinal(runtime, channel)
    assert members == {(ordinal, tag_id) for ordinal, tag_ids in bits.items() for tag_id in tag_ids}
    return blocks
