"""Open and close the gates of a robot's channels, as its bindings have it (docs/specification.md §2)."""

from datetime import datetime

from service.entities.blocks import ChangeNotification
from service.entities.errors import ChannelNotBoundError
from service.entities.jobs import JobChangeNotification
from service.entities.tags import TagChange
from service.storage import channels, tags
from service.storage.broadcasts.broadcast_control import fail_broadcasts
from service.storage.database.pool import Connection


async def update_gates(
    conn: Connection, robot_id: str, now: datetime
) -> list[ChangeNotification | JobChangeNotification]:
    """Open or close every channel of a robot according to its bindings, locking them in ascending order.

    Broadcasts of a channel that closes fail.
    """
    every = await channels.channels_of_robot(conn, robot_id)
    gate = any(channel.opens_gate for channel in every)
    changes: list[ChangeNotification | JobChangeNotification] = []
    for channel in every:
        state = await channels.lock_channel_state(conn, channel.channel_id)
        is_open = gate and channel.usable
        if state.open == is_open:
            continue
        revision = await channels.bump_tag_version(conn, channel.channel_id, now, is_open=is_open)
        change = TagChange(*revision, 0, "GATE", None, state.open, is_open)
        await tags.log_tag_changes(conn, channel.channel_id, [change], None)
        changes.append(ChangeNotification(channel.channel_id, None, revision.version))
        if not is_open:
            refusal = ChannelNotBoundError()
            failed = await fail_broadcasts(conn, channel.channel_id, refusal.code, refusal.message, now)
            changes += [JobChangeNotification(channel.channel_id, job_id) for job_id in failed]
    return changes
