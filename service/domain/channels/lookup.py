"""Finding what a principal names. Whatever belongs to another robot is not found, like what does not exist."""

from collections.abc import Sequence

from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import ForbiddenError, NotFoundError
from service.entities.ids import channel_gid, parse_gid
from service.entities.principal import Permission, Principal
from service.foundation.batch_reader import BatchReader
from service.storage import channels
from service.storage.database.pool import Connection, Pool


def require_permission(principal: Principal, permission: Permission) -> None:
    """Raises ForbiddenError when the role may not do this."""
    if not principal.may(permission):
        raise ForbiddenError


def can_see_channel(principal: Principal, channel: Channel) -> bool:
    """Whether the channel is the robot's, and one of those the token is narrowed to."""
    if channel.robot_id != principal.robot_id:
        return False
    return principal.channel_ids is None or channel_gid(channel.channel_id) in principal.channel_ids


async def visible_channels(runtime: Runtime, principal: Principal) -> list[Channel]:
    """The robot's channels that the token may see, oldest first."""
    async with runtime.pool.acquire() as conn:
        found = await channels.channels_of_robot(conn, principal.robot_id)
    return [channel for channel in found if can_see_channel(principal, channel)]


async def channel_by_gid(conn: Connection, principal: Principal, gid: str) -> Channel:
    """The channel of a global id; raises NotFoundError."""
    parsed = parse_gid(gid, "Channel", 1)
    channel = None if parsed is None else await channels.channel_of_robot(conn, principal.robot_id, parsed[0])
    if channel is None or not can_see_channel(principal, channel):
        raise NotFoundError("channel")
    return channel


async def find_channel(runtime: Runtime, principal: Principal, gid: str) -> Channel:
    """The same on a connection of its own."""
    async with runtime.pool.acquire() as conn:
        return await channel_by_gid(conn, principal, gid)


class ChannelFinder:
    """The same for pages that open together: one statement for all that ask at once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._reader: BatchReader[tuple[str, int], Channel] = BatchReader(self._read)

    async def find(self, principal: Principal, gid: str) -> Channel:
        """The channel of a global id; raises NotFoundError."""
        parsed = parse_gid(gid, "Channel", 1)
        channel = None if parsed is None else await self._reader.get((principal.robot_id, parsed[0]))
        if channel is None or not can_see_channel(principal, channel):
            raise NotFoundError("channel")
        return channel

    async def _read(self, keys: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Channel]:
        async with self._pool.acquire() as conn:
            found = await channels.channels_by_id(conn, {channel_id for _, channel_id in keys})
        return {(each.robot_id, each.channel_id): each for each in found}
