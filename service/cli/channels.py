"""Find channels for the operator: those of any robot, by their global ids."""

from service.entities.channels import Channel
from service.entities.errors import NotFoundError
from service.entities.ids import parse_channel_gid
from service.resources import Resources
from service.storage.channels import all_channels, channels_by_id


async def every_channel(resources: Resources) -> list[Channel]:
    """Return the channels of all robots, oldest first."""
    async with resources.runtime.pool.acquire() as conn:
        return await all_channels(conn)


async def find_channel(resources: Resources, gid: str) -> Channel:
    """Return the channel of a global id, of any robot. Raises NotFoundError."""
    channel_id = parse_channel_gid(gid)
    async with resources.runtime.pool.acquire() as conn:
        found = await channels_by_id(conn, [channel_id])
    if not found:
        raise NotFoundError("channel")
    return found[0]
