"""Let a channel be another account of WeChat, to which its own was migrated (docs/specification.md §2).

The channel keeps everything but its app id and app secret. What it knows of tags at WeChat was of the account before.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from service.domain.channels.binding import APP_ID_PATTERN, APP_SECRET_PATTERN
from service.domain.channels.lookup import find_channel
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import BadInputError, ConflictError, FieldError, ForbiddenError
from service.entities.jobs import JobChangeNotification, JobKind
from service.entities.principal import Permission, Principal
from service.storage import account_migration, audiences, channels, jobs, remote_tags, wechat_accounts
from service.storage.broadcasts.broadcast_control import cancel_broadcasts
from service.storage.database.pool import Connection

ChangedAlongWith = Callable[[Connection, Channel, Channel], Awaitable[None]]
TAKEN: Final = "This app id is another channel's."
# Whoever the account is, they go on.
WITHOUT_WECHAT: Final = frozenset({JobKind.AUDIENCE_EXPORT, JobKind.TAG_MERGE})


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Name the account that a channel is from now on; without an app secret it cannot be called."""

    app_id: str
    app_secret: str | None = field(repr=False)


async def change_account(
    runtime: Runtime, principal: Principal, channel_id: int, new: NewAccount, along_with: ChangedAlongWith | None = None
) -> Channel:
    """Let a channel be another account, and return it; the same account again only takes the app secret.

    What is to be written `along_with` a change is written in its transaction, called with the channel before and after.

    Raises ForbiddenError, also for a token narrowed to some channels, which binds no new account; NotFoundError;
    BadInputError; ConflictError when another channel, of any robot, has the app id.
    """
    errors = _errors(new)
    if errors:
        raise BadInputError(*errors)
    cancelled: list[JobChangeNotification] = []
    async with runtime.pool.acquire() as conn, conn.transaction():
        await channels.lock_robot(conn, principal.robot_id, runtime.clock())
        known = await find_channel(conn, principal, channel_id, Permission.MANAGE_CHANNELS)
        # Whoever starts jobs and links tags holds this lock.
        await channels.lock_channel_state(conn, channel_id)
        if known.app_id != new.app_id:
            if principal.narrowed:
                raise ForbiddenError
            cancelled = await _change(conn, runtime, known, new)
        elif new.app_secret is not None:
            secret = _encrypted(runtime, new.app_secret)
            await account_migration.set_app_secret(conn, known, secret)
            await wechat_accounts.reset_account(conn, channel_id)
        changed = await find_channel(conn, principal, channel_id, Permission.MANAGE_CHANNELS)
        if along_with is not None and changed != known:
            await along_with(conn, known, changed)
    runtime.publisher.publish(cancelled)
    return changed


async def _change(conn: Connection, runtime: Runtime, channel: Channel, new: NewAccount) -> list[JobChangeNotification]:
    """Write another account, and return what was cancelled by that."""
    if await channels.channel_by_app_id(conn, channel.robot_id, new.app_id) is not None:
        raise ConflictError(TAKEN)
    secret = _encrypted(runtime, new.app_secret)
    try:
        await account_migration.change_account(conn, channel, new.app_id, secret, runtime.clock())
    except account_migration.AppIdTakenError:
        raise ConflictError(TAKEN) from None
    await wechat_accounts.reset_account(conn, channel.channel_id)
    cancelled = await _cancel_jobs(conn, runtime, channel.channel_id)
    linked = await remote_tags.linked_tags(conn, channel.channel_id)
    for tag_id in await remote_tags.lock_linked_tags(conn, channel.channel_id, linked):
        await remote_tags.unlink_tag(conn, channel.channel_id, tag_id)
    return cancelled


async def _cancel_jobs(conn: Connection, runtime: Runtime, channel_id: int) -> list[JobChangeNotification]:
    """Cancel the jobs that call WeChat, and end series of broadcasts: they are about the account before."""
    cancelled = await cancel_broadcasts(conn, channel_id, runtime.clock())
    for kind in sorted(set(JobKind) - {JobKind.BROADCAST, *WITHOUT_WECHAT}):
        while (unfinished := await jobs.unfinished_job(conn, channel_id, kind)) is not None:
            job = await jobs.cancel_job(conn, channel_id, unfinished.job_id, runtime.clock())
            if job is not None:
                await audiences.drop_leftovers_of_job(conn, channel_id, job.job_id)
                cancelled.append(job.job_id)
    return [JobChangeNotification(channel_id, job_id) for job_id in cancelled]


def _encrypted(runtime: Runtime, secret: str | None) -> bytes | None:
    return runtime.secret_box.encrypt(secret) if secret else None


def _errors(new: NewAccount) -> list[FieldError]:
    errors = []
    if APP_ID_PATTERN.fullmatch(new.app_id) is None:
        message = "An app id is wx followed by 4 to 62 letters and digits."
        errors.append(FieldError(("new_app_id",), "BAD_FORMAT", message))
    if new.app_secret and APP_SECRET_PATTERN.fullmatch(new.app_secret) is None:
        errors.append(FieldError(("new_app_secret",), "BAD_FORMAT", "Up to 128 printable characters."))
    return errors
