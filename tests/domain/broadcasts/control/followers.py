"""Let people follow a channel, so that they are in audiences."""

from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.users import EventKind, UserEvent
from service.storage import users


async def follow(runtime: Runtime, channel: Channel, *openids: str) -> dict[str, int]:
    """Let people follow since now, and return their ordinals by openid."""
    await record_events(runtime, channel, [UserEvent(each, EventKind.FOLLOW, runtime.clock()) for each in openids])
    async with runtime.pool.acquire() as conn:
        return await users.ordinals_of(conn, channel.channel_id, openids)
