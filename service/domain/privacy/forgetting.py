"""Forget people: those who unfollowed, after a while, and any person on request.

WeChat asks that people who unfollow be forgotten (developers.weixin.qq.com
/doc/service/Account_Management/Wechat_Accreditation_Event_Push.html). Deleted are the openid, the unionid, the facts,
the ads, what the change log says of the person, which tags WeChat is known to have given them, what broadcasts keep of
them (`broadcasts.py`), and what was copied of them (`copies.py`). The bits are removed first and in the usual way, so
that counts and open pages are right; the ordinal is never used again. A keyed hash of the openid stays for a while with
the time until which events are old, so that a late repeat does not bring the person back. A newer event makes a new
user.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final, NamedTuple

from service.domain.audit.recording import record
from service.domain.audit.values import channel_ref
from service.domain.channels.lookup import find_channel
from service.domain.membership import MAX_USERS_LOGGED_INDIVIDUALLY, write_transitions
from service.domain.privacy.broadcasts import forget_in_broadcasts
from service.domain.privacy.copies import forget_in_exports, forget_in_receipts
from service.domain.return_data.members import forget_batch_members
from service.domain.runtime import Runtime
from service.entities.audit import Hidden, ObjectRef
from service.entities.blocks import ChangeCause, ChangeNotification, Transition, block_of, offset_of
from service.entities.principal import Permission, Principal
from service.storage import channels, former_openids, users
from service.storage import users as forgetting
from service.storage.audiences import lock_exports
from service.storage.blocks import heads
from service.storage.change_feed import delete_notices_of_users
from service.storage.database.pool import Connection
from service.storage.remote_tags import clear_remote_members
from service.storage.users import UserToForget

AlongWith = Callable[[Connection, Sequence[int]], Awaitable[None]]
ForgetHook = Callable[[Connection, int, int, Sequence[int]], Awaitable[None]]
# Functions that delete what other features keep by ordinal: called with (conn, channel id, block, ordinals) under the
# lock of the block.
FORGET_HOOKS: Final[tuple[ForgetHook, ...]] = (forget_batch_members, forget_in_broadcasts)

FORGOTTEN_HASH_RETENTION: Final = timedelta(days=90)
# Up to so many users a block are logged one by one, so that the log says of each what was taken.
USERS_PER_TRANSACTION: Final = MAX_USERS_LOGGED_INDIVIDUALLY
USERS_PER_QUERY: Final = 1_000


class _Forgotten(NamedTuple):
    ordinals: list[int]
    notifications: list[ChangeNotification]


async def forget_unfollowed(runtime: Runtime, channel_id: int) -> int:
    """Forget the users who unfollowed long enough ago and have not come back; return how many those were."""
    until = runtime.clock() - runtime.settings.forget_unfollowed_after
    forgotten = 0
    while True:
        async with runtime.pool.acquire() as conn:
            ordinals = await forgetting.unfollowed_until(conn, channel_id, until, USERS_PER_QUERY)
        if not ordinals:
            return forgotten
        forgotten += len(await _forget(runtime, channel_id, ordinals, unfollowed=until))


async def forget_if_unfollowed(runtime: Runtime, channel_id: int, ordinals: Iterable[int]) -> None:
    """Forget those of `ordinals` who do not follow, at once; for a retention of 0."""
    await _forget(runtime, channel_id, ordinals, unfollowed=runtime.clock() + timedelta(days=1))


async def forget_user(runtime: Runtime, principal: Principal, channel_id: int, openid: str) -> int | None:
    """Forget one user, following or not; return the ordinal, None where the openid is unknown.

    Raises ForbiddenError, NotFoundError.
    """
    async with runtime.pool.acquire() as conn:
        await find_channel(conn, principal, channel_id, Permission.MANAGE_CHANNELS)

    async def record_request(conn: Connection, forgotten: Sequence[int]) -> None:
        user = ObjectRef("User", (channel_id, forgotten[0])) if forgotten else None
        await record(
            conn,
            runtime,
            principal,
            "forget_user",
            channel_id=channel_id,
            target=user or channel_ref(channel_id),
            after={"openid": Hidden("openid", openid), "forgotten": bool(forgotten)},
        )

    return await forget_openid(runtime, channel_id, openid, along_with=record_request)


async def forget_openid(
    runtime: Runtime, channel_id: int, openid: str, *, along_with: AlongWith | None = None
) -> int | None:
    """Forget one user as `forget_user` does, without a check of rights: for WeChat's pushes.

    What is to be written `along_with` it is written in its transaction, called with the ordinals that were forgotten.
    """
    while True:
        async with runtime.pool.acquire() as conn:
            known = await users.ordinals_of(conn, channel_id, [openid])
            if not known:
                async with conn.transaction():
                    await forget_in_receipts(conn, channel_id, [openid])
                    if along_with is not None:
                        await along_with(conn, ())
                return None
        forgotten = await _forget(runtime, channel_id, known.values(), unfollowed=None, along_with=along_with)
        if forgotten:
            return forgotten[0]
        # United with another user meanwhile, or forgotten: look again.


async def _forget(
    runtime: Runtime,
    channel_id: int,
    ordinals: Iterable[int],
    *,
    unfollowed: datetime | None,
    along_with: AlongWith | None = None,
) -> list[int]:
    """Forget users in small transactions, and return their ordinals.

    With `unfollowed` forget only those who unfollowed by then and have not followed since.
    """
    forgotten = []
    for block, group in groupby(sorted(ordinals), block_of):
        people = list(group)
        for first in range(0, len(people), USERS_PER_TRANSACTION):
            some = people[first : first + USERS_PER_TRANSACTION]
            async with runtime.pool.acquire() as conn, conn.transaction():
                # Slices that are being written are waited for before anything is locked that others wait for.
                await lock_exports(conn, channel_id, runtime.clock())
                gone, notifications = await _forget_in_block(conn, runtime, channel_id, block, some, unfollowed)
                if gone and along_with is not None:
                    await along_with(conn, gone)
            runtime.publisher.publish(notifications)
            forgotten += gone
    return forgotten


async def _forget_in_block(
    conn: Connection,
    runtime: Runtime,
    channel_id: int,
    block: int,
    ordinals: Sequence[int],
    unfollowed: datetime | None,
) -> _Forgotten:
    await channels.lock_channel_state(conn, channel_id)
    locked = await heads.lock_heads(conn, channel_id, [block])
    leaving = await forgetting.users_to_forget(conn, channel_id, ordinals, unfollowed)
    if not leaving:
        return _Forgotten([], [])
    gone = [each.ordinal for each in leaving]
    former = await former_openids.former_openids_of_users(conn, channel_id, gone)
    openids = [openid for each in leaving for openid in (each.openid, *former.get(each.ordinal, ()))]
    now = runtime.clock()
    await forget_in_exports(conn, channel_id, block, openids, now)
    await forget_in_receipts(conn, channel_id, openids)
    for forget in FORGET_HOOKS:
        await forget(conn, channel_id, block, gone)
    had = await users.tags_of_users(conn, channel_id, gone)
    logged = await forgetting.redact_change_log(conn, channel_id, block, [offset_of(ordinal) for ordinal in gone])
    # A version for every user, even without a tag: a subscriber may not have read the versions that were just redacted.
    transitions = [Transition(block, (offset_of(each),), (), tuple(sorted(had[each]))) for each in gone]
    notifications = await write_transitions(conn, channel_id, locked, transitions, cause=ChangeCause.FORGOTTEN, now=now)
    taken = {offset_of(each): had[each] | logged.get(offset_of(each), set()) for each in gone}
    await forgetting.extend_removed_tags(conn, channel_id, block, notifications[0].version, taken)
    last_facts = _last_facts(runtime, leaving, former, unfollowed, now)
    await forgetting.remember_forgotten(conn, channel_id, last_facts, now)
    await former_openids.delete_former_openids_of_users(conn, channel_id, gone)
    await delete_notices_of_users(conn, channel_id, gone)
    await forgetting.delete_users(conn, channel_id, gone)
    await clear_remote_members(conn, channel_id, gone)
    return _Forgotten(gone, notifications)


def _last_facts(
    runtime: Runtime,
    leaving: Iterable[UserToForget],
    former: Mapping[int, Sequence[str]],
    unfollowed: datetime | None,
    now: datetime,
) -> dict[bytes, datetime]:
    """Return until when events of the users are late repeats, `{keyed hash: time}`; `ordinals.is_newer` reads it.

    So are those under the openids that they had before a migration, `{ordinal: openids}`.

    A user who unfollowed may have come back in that very second, which is news. On request everything is old that
    happened before the present second; what happens in it may be new.
    """
    second = now.replace(microsecond=0)
    return {
        runtime.secret_box.fingerprints(openid)[0]: second - timedelta(microseconds=1)
        if unfollowed is None or each.last_fact_at is None
        else each.last_fact_at.replace(microsecond=0)
        for each in leaving
        for openid in (each.openid, *former.get(each.ordinal, ()))
    }
