"""Who is who: openids and unionids of one channel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.entities.users import ChannelUser
from service.storage.database import Connection
from service.storage.statements import STATEMENTS
from service.storage.users import user_of


@dataclass(frozen=True, slots=True)
class Identity:
    """One known openid; `unionid` is None until it is linked."""

    openid: str
    ordinal: int
    unionid: str | None


async def identities_of_openids(conn: Connection, channel_id: int, openids: Iterable[str]) -> dict[str, Identity]:
    """By openid, those that are known."""
    rows = await conn.fetch(STATEMENTS["identities_of_openids"], channel_id, list(openids))
    return {row["openid"]: Identity(row["openid"], row["ordinal"], row["unionid"]) for row in rows}


async def identities_of_unionids(conn: Connection, channel_id: int, unionids: Iterable[str]) -> dict[str, Identity]:
    """By unionid, those that somebody of the channel has."""
    rows = await conn.fetch(STATEMENTS["identities_of_unionids"], channel_id, list(unionids))
    return {row["unionid"]: Identity(row["openid"], row["ordinal"], row["unionid"]) for row in rows}


async def set_unionids(conn: Connection, channel_id: int, unionids: Mapping[int, str]) -> None:
    """Unionids by ordinal; the caller holds the channel's state and knows that nobody else has them."""
    await conn.execute(STATEMENTS["set_unionids"], channel_id, list(unionids), list(unionids.values()))


async def users_by_unionid(conn: Connection, channel_id: int, unionids: Iterable[str]) -> list[ChannelUser]:
    """The channel's people with these unionids."""
    return [user_of(row) for row in await conn.fetch(STATEMENTS["users_by_unionid"], channel_id, list(unionids))]
