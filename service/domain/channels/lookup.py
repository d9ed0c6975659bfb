"""Find the channels that a principal may use: the one place that checks permissions and the robot of a channel.

A channel of another robot, or one that the token is not for, is answered like one that does not exist.
"""

from collections.abc import Sequence
from typing import Final

from service.entities.channels import Channel
from service.entities.errors import ForbiddenError, NotFoundError
from service.entities.principal import Permission, Principal
from service.foundation.batch_reader import BatchReader
from service.storage import channels
from service.storage.database.pool import Connection, Pool

CHANNEL: Final = "channel"


def require_permission(principal: Principal, permission: Permission) -> None:
    """Raise ForbiddenError when the role lacks the permission; for a request about a channel use `find_channel`."""
    if not principal.may(permission):
        raise ForbiddenError


async def find_channel(
    conn: Connection, principal: Principal, channel_id: int, permission: Permission, *, sought: str = CHANNEL
) -> Channel:
    """Return a channel that the principal may use with this permission.

    Raises ForbiddenError when the role lacks the permission, and NotFoundError, whose message names `sought`, the kind
    of object that the request is about.
    """
    require_permission(principal, permission)
    return _require_visible(principal, await channels.channel_of_robot(conn, principal.robot_id, channel_id), sought)


async def visible_channels(conn: Connection, principal: Principal) -> list[Channel]:
    """Return the channels of the robot that the token is for, oldest first."""
    found = await channels.channels_of_robot(conn, principal.robot_id)
    return [channel for channel in found if _is_visible(principal, channel)]


class ChannelFinder:
    """Find channels for concurrent requests and pages, with one statement for all that wait."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._reader: BatchReader[int, Channel] = BatchReader(self._read)

    async def find(
        self, principal: Principal, channel_id: int, permission: Permission, *, sought: str = CHANNEL
    ) -> Channel:
        """Return a channel that the principal may use with this permission. Raises what `find_channel` raises."""
        require_permission(principal, permission)
        return _require_visible(principal, await self._reader.get(channel_id), sought)

    async def _read(self, channel_ids: Sequence[int]) -> dict[int, Channel]:
        async with self._pool.acquire() as conn:
            return {each.channel_id: each for each in await channels.channels_by_id(conn, channel_ids)}


def _require_visible(principal: Principal, channel: Channel | None, sought: str) -> Channel:
    if channel is None or not _is_visible(principal, channel):
        raise NotFoundError(sought)
    return channel


def _is_visible(principal: Principal, channel: Channel) -> bool:
    return channel.robot_id == principal.robot_id and principal.is_for_channel(channel.channel_id)
