"""Store the ads of ad tags, and find who should have the tags."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.entities.blocks import Transition
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


@dataclass(frozen=True, slots=True)
class AdListEdition:
    """Hold the edition of the list of ads of a living tag, and the one that every block has been compared with."""

    tag_id: int
    edition: int
    written_edition: int

    @property
    def up_to_date(self) -> bool:
        """Tell whether every block has been compared with the present list of ads."""
        return self.written_edition == self.edition


async def insert_ad_tag(conn: Connection, channel_id: int, tag_id: int, ad_ids: Sequence[str]) -> None:
    """Insert what a new ad tag has besides other tags: its ads, in the order they were typed."""
    await conn.execute(STATEMENTS["insert_ad_tag"], channel_id, tag_id)
    await conn.execute(STATEMENTS["insert_ad_tag_ads"], channel_id, tag_id, list(ad_ids))


async def replace_ads(conn: Connection, channel_id: int, tag_id: int, ad_ids: Sequence[str]) -> None:
    """Replace the list of ads of a tag; the caller holds the channel's state."""
    await conn.execute(STATEMENTS["increment_edition"], channel_id, tag_id)
    await conn.execute(STATEMENTS["clear_ad_tag_ads"], channel_id, tag_id)
    await conn.execute(STATEMENTS["insert_ad_tag_ads"], channel_id, tag_id, list(ad_ids))


async def ads_of_tags(conn: Connection, channel_id: int, tag_ids: Iterable[int]) -> dict[int, list[str]]:
    """Return the ads of tags, `{tag_id: ad ids in the order they were typed}`."""
    ads: dict[int, list[str]] = {}
    for row in await conn.fetch(STATEMENTS["ads_of_tags"], channel_id, list(tag_ids)):
        ads.setdefault(row["tag_id"], []).append(row["ad_id"])
    return ads


async def ad_list_editions(conn: Connection, channel_id: int) -> dict[int, AdListEdition]:
    """Return the editions of all living ad tags, `{tag_id: edition}`."""
    rows = await conn.fetch(STATEMENTS["ad_list_editions"], channel_id)
    return {row["tag_id"]: AdListEdition(row["tag_id"], row["edition"], row["written_edition"]) for row in rows}


async def set_written_edition(conn: Connection, channel_id: int, tag_id: int, edition: int) -> None:
    """Record that every block has been compared with an edition of the list of ads."""
    await conn.execute(STATEMENTS["set_written_edition"], channel_id, tag_id, edition)


async def blocks_touched_by_ad_tag(conn: Connection, channel_id: int, tag_id: int) -> set[int]:
    """Return the blocks in which a user has one of the tag's ads, or the tag."""
    return {row["block"] for row in await conn.fetch(STATEMENTS["blocks_touched_by_ad_tag"], channel_id, tag_id)}


async def ad_tags_gained(conn: Connection, channel_id: int, ads: Iterable[tuple[int, str]]) -> list[Transition]:
    """Return who gains ad tags through ads, (ordinal, ad id), that were just recorded in locked blocks."""
    pairs = sorted(set(ads))
    rows = await conn.fetch(
        STATEMENTS["ad_tags_gained"], channel_id, [ordinal for ordinal, _ in pairs], [ad_id for _, ad_id in pairs]
    )
    return [Transition(row["block"], (row["user_offset"],), tuple(row["tag_ids"]), ()) for row in rows]


async def ad_tag_differences(
    conn: Connection, channel_id: int, block: int, tag_id: int | None = None
) -> list[Transition]:
    """Return how the members of a living ad tag, or of all, differ from the known ads in a locked block.

    With several tags a user may be in more than one of the transitions.
    """
    found = []
    for row in await conn.fetch(STATEMENTS["ad_tag_differences"], channel_id, block, tag_id):
        if row["added"]:
            found.append(Transition(block, tuple(row["added"]), (row["tag_id"],), ()))
        if row["removed"]:
            found.append(Transition(block, tuple(row["removed"]), (), (row["tag_id"],)))
    return found
