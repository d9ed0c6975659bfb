"""Make a remote tag that exactly the people of one broadcast have.

The name of the tag has the token of the broadcast, so that one is found of which the answer was lost. Who is known to
have it is the role TAGGED; a call whose answer was lost is made again, as tagging twice is tagging once. Before anybody
is sent to, everybody who has the tag is read: whoever others tagged, or WeChat forgot, is found then.

Source: docs/specification.md §6.6.
"""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, TypeAlias

from service.domain.broadcasts.sending.claims import claiming, take_from_planned
from service.domain.broadcasts.sending.judging import BACK_OFF, Stop
from service.domain.broadcasts.sending.outcomes import members_of
from service.domain.broadcasts.sending.remote_people import RemotePeople, read_remote_people
from service.domain.broadcasts.sending.selecting import Selection
from service.domain.broadcasts.sending.session import Session
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.series import CallSeries, call_series
from service.domain.official_account.sync.tagging import TOO_MANY_TAGS, UNKNOWN_TAG, Outcome, change_tags
from service.domain.runtime import Runtime
from service.entities.bitmaps import Bitmaps, bitmaps_of, both, count_people, first_people, ordinals_in, united, without
from service.entities.broadcasts import Broadcast, HeldReason, PeopleRole, WaitReason
from service.entities.channels import Channel
from service.entities.jobs import JobState
from service.storage.broadcasts import broadcast_ledger as ledger
from service.storage.broadcasts import broadcast_remote_tags
from service.storage.broadcasts.broadcast_remote_tags import TemporaryTag
from service.storage.database.pool import Connection
from service.storage.syncs import PersonToTag
from service.wechat.api.call import ApiCall
from service.wechat.api.decisions import Decision, decide
from service.wechat.api.errors import WechatError
from service.wechat.api.tag_calls import (
    MAX_OPENIDS_PER_TAGGING,
    TAGGING,
    UNTAGGING,
    create_tag,
    list_tags,
    tag_members,
    tag_users,
    untag_users,
)
from service.wechat.api.user_calls import MAX_USERS_PER_CALL, users_info

Change: TypeAlias = Callable[[int, Sequence[str]], ApiCall[None]]

NAME_PREFIX: Final = "bc-"
LOOK_AGAIN_AFTER: Final = timedelta(seconds=5)
NAME_TAKEN: Final = 45157
BLACKLISTED: Final = frozenset({43019, UNKNOWN_TAG})
# What WeChat says of people who do not follow, if anything; of some it names no reason.
GONE: Final = frozenset({Decision.SKIP_PERSON, Decision.PARTIAL})
# Seconds: a step is short, so that a worker can stop.
SECONDS_PER_STEP: Final = 1.0
PEOPLE_PER_STEP: Final = 1_000


def name_of(broadcast: Broadcast) -> str:
    """Return the name of the remote tag of a broadcast, at most WeChat's 30 bytes."""
    return f"{NAME_PREFIX}{broadcast.token}"


async def made_tag(session: Session) -> int | Stop:
    """Return the id of the remote tag of a broadcast, which is made unless it was. Raises what `call_wechat` raises."""
    runtime, channel, broadcast = session.runtime, session.channel, session.broadcast
    async with runtime.pool.acquire() as conn:
        await broadcast_remote_tags.insert_temporary_tag(
            conn, broadcast.channel_id, broadcast.job_id, name_of(broadcast), runtime.clock()
        )
        tag = await broadcast_remote_tags.temporary_tag(conn, broadcast.channel_id, broadcast.job_id)
    assert tag is not None  # noqa: S101 - it was inserted just now, or before
    if tag.remote_tag_id is not None:
        return tag.remote_tag_id
    found = await find_tag(runtime, channel, tag)
    if found is None:
        try:
            found = await call_wechat(runtime, channel, create_tag(tag.name))
        except WechatError as error:
            if error.errcode != NAME_TAKEN:
                raise
            # It was made, and is not listed yet.
            return Stop(JobState.WAITING, WaitReason.RATE, runtime.clock() + LOOK_AGAIN_AFTER)
    async with runtime.pool.acquire() as conn:
        await broadcast_remote_tags.set_temporary_tag(
            conn, broadcast.channel_id, broadcast.job_id, found, runtime.clock()
        )
    return found


async def tag_some(session: Session, remote_tag_id: int) -> bool:
    """Give the remote tag to the next people who are planned, or take it from others; True if nobody is left.

    Whoever cannot be given it is held. Raises what `claiming` and `call_wechat` raise.
    """
    async with session.runtime.pool.acquire() as conn:
        planned = await _people(conn, session, PeopleRole.PLANNED)
        tagged = await _people(conn, session, PeopleRole.TAGGED)
        missing = without(planned, tagged)
        next_people = first_people(missing or without(tagged, planned), PEOPLE_PER_STEP)
        ordinals = ordinals_in(next_people)
        openids = await ledger.openids_by_ordinal(conn, session.job.channel_id, ordinals)
    if not ordinals:
        return True
    people = [PersonToTag(each, openids[each], following=True, moved_at=None) for each in ordinals if each in openids]
    path, change = (TAGGING, tag_users) if missing else (UNTAGGING, untag_users)
    until = time.monotonic() + SECONDS_PER_STEP
    async with call_series(session.runtime, session.channel, path, _calls(people)) as series:
        for start in range(0, len(people), MAX_OPENIDS_PER_TAGGING):
            batch = people[start : start + MAX_OPENIDS_PER_TAGGING]
            outcome = await _change(session, series, change, remote_tag_id, batch)
            await _record(session, outcome, given=bool(missing))
            if time.monotonic() >= until:
                break
    return False


async def is_as_planned(session: Session, remote_tag_id: int) -> bool:
    """Read who has the remote tag; False, and the difference is known then, where it is not just who is planned.

    Raises what `claiming` and `call_wechat` raise.
    """
    read = await read_remote_people(session.runtime, session.channel, remote_tag_id)
    async with claiming(session.runtime, session.job) as claim:
        planned = await _people(claim.conn, session, PeopleRole.PLANNED)
        if read.are(planned):
            return True
        tagged = await _people(claim.conn, session, PeopleRole.TAGGED)
        await _change_role(claim.conn, session, without(read.people, tagged), without(tagged, read.people))
    await _change_all(session, UNTAGGING, untag_users, remote_tag_id, _strangers(read)[:PEOPLE_PER_STEP])
    await _hold_unfollowed(session, without(both(planned, tagged), read.people))
    return False


async def restore_tag(session: Session, remote_tag_id: int, people: Bitmaps) -> bool:
    """Take the remote tag from everybody but these people, and give it to who of them lost it.

    False while others have it all the same. True also if it is gone, and nobody can be reached by it. Raises what
    `call_wechat` raises.
    """
    try:
        read = await read_remote_people(session.runtime, session.channel, remote_tag_id)
        known = await _to_tag(session, without(read.people, people))
        strangers = [*known, *_strangers(read)]
        await _change_all(session, UNTAGGING, untag_users, remote_tag_id, strangers[:PEOPLE_PER_STEP])
        missing = await _to_tag(session, without(people, read.people))
        await _change_all(session, TAGGING, tag_users, remote_tag_id, missing[:PEOPLE_PER_STEP])
    except WechatError as error:
        if error.errcode != UNKNOWN_TAG:
            raise
        listed = await call_wechat(session.runtime, session.channel, list_tags())
        return all(each.remote_tag_id != remote_tag_id for each in listed)
    return not strangers


async def lost_tag(session: Session, error: WechatError) -> Stop:
    """Return how a broadcast goes on whose remote tag WeChat does not know: it is made anew, if it is gone.

    Right after it was made, and at times for no reason, WeChat says so of tags that are there. Raises `error` if it is
    another one, and what `call_wechat` raises.
    """
    if error.errcode != UNKNOWN_TAG:
        raise error
    runtime, channel, job = session.runtime, session.channel, session.job
    now = runtime.clock()
    async with runtime.pool.acquire() as conn:
        tag = await broadcast_remote_tags.temporary_tag(conn, job.channel_id, job.job_id)
    patience = runtime.settings.sync.new_tag_patience
    if tag is not None and now >= tag.made_at + patience and await find_tag(runtime, channel, tag) is None:
        async with claiming(runtime, job) as claim:
            await broadcast_remote_tags.set_temporary_tag(claim.conn, job.channel_id, job.job_id, None, now)
            tagged = await _people(claim.conn, session, PeopleRole.TAGGED)
            await _change_role(claim.conn, session, {}, tagged)
    return BACK_OFF


async def find_tag(runtime: Runtime, channel: Channel, tag: TemporaryTag) -> int | None:
    """Return the id of a remote tag by its name, None if WeChat lists none."""
    listed = await call_wechat(runtime, channel, list_tags())
    return next((each.remote_tag_id for each in listed if each.name == tag.name), None)


async def _change(
    session: Session,
    series: CallSeries,
    change: Change,
    remote_tag_id: int,
    people: Sequence[PersonToTag],
) -> Outcome:
    async def call(openids: Sequence[str]) -> None:
        await call_wechat(session.runtime, session.channel, change(remote_tag_id, openids), series=series)

    try:
        return await change_tags(call, people)
    except WechatError as error:
        if error.errcode != UNKNOWN_TAG:
            raise
        # It is said of tags that are gone, and of people who are on the blacklist.
        await call_wechat(session.runtime, session.channel, tag_members(remote_tag_id))
    return await change_tags(call, people, unknown_tag_is_known=True)


async def _record(session: Session, outcome: Outcome, *, given: bool) -> None:
    """Write down who has the remote tag now, and hold whoever cannot be given it."""
    done = bitmaps_of(each.ordinal for each in outcome.done)
    failed = bitmaps_of(outcome.failed)
    async with claiming(session.runtime, session.job) as claim:
        if not given:
            # Who cannot lose it has it no more, or reading it will tell.
            await _change_role(claim.conn, session, {}, united(done, failed))
            return
        await _change_role(claim.conn, session, done, {})
        planned = both(failed, await _people(claim.conn, session, PeopleRole.PLANNED))
        held = Selection()
        for ordinal in ordinals_in(planned):
            held.hold({_reason(outcome.failed[ordinal]): bitmaps_of([ordinal])})
        await take_from_planned(claim, held)


def _reason(errcode: int) -> HeldReason:
    """Return why somebody is held who cannot be given a remote tag."""
    if errcode == TOO_MANY_TAGS:
        return HeldReason.REMOTE_TAG_LIMIT
    if errcode in BLACKLISTED:
        return HeldReason.BLACKLISTED
    return HeldReason.NOT_FOLLOWING if decide(errcode) in GONE else HeldReason.REMOTE_TAG_LIMIT


def _strangers(read: RemotePeople) -> list[PersonToTag]:
    """Return the people who have a remote tag and whom the channel does not know, or who were forgotten."""
    return [PersonToTag(number, openid, following=True, moved_at=None) for number, openid in enumerate(read.unknown)]


async def _change_all(
    session: Session, path: str, change: Change, remote_tag_id: int, people: Sequence[PersonToTag]
) -> None:
    async with call_series(session.runtime, session.channel, path, _calls(people)) as series:
        for start in range(0, len(people), MAX_OPENIDS_PER_TAGGING):
            await _change(session, series, change, remote_tag_id, people[start : start + MAX_OPENIDS_PER_TAGGING])


async def _to_tag(session: Session, people: Bitmaps) -> list[PersonToTag]:
    async with session.runtime.pool.acquire() as conn:
        openids = await ledger.openids_by_ordinal(conn, session.job.channel_id, ordinals_in(people))
    return [PersonToTag(ordinal, each, following=True, moved_at=None) for ordinal, each in openids.items()]


async def _hold_unfollowed(session: Session, missing: Bitmaps) -> None:
    """Hold who of some people, whom WeChat said to have tagged and did not, does not follow as it says now."""
    ordinals = ordinals_in(first_people(missing, MAX_USERS_PER_CALL))
    if not ordinals:
        return
    async with session.runtime.pool.acquire() as conn:
        openids = await ledger.openids_by_ordinal(conn, session.job.channel_id, ordinals)
    found = await call_wechat(session.runtime, session.channel, users_info(list(openids.values())))
    following = {each.openid for each in found if each.following}
    gone = bitmaps_of(ordinal for ordinal, openid in openids.items() if openid not in following)
    async with claiming(session.runtime, session.job) as claim:
        held = Selection()
        held.hold({HeldReason.NOT_FOLLOWING: both(gone, await _people(claim.conn, session, PeopleRole.PLANNED))})
        await take_from_planned(claim, held)


async def _people(conn: Connection, session: Session, role: PeopleRole) -> dict[int, int]:
    return members_of(await ledger.people_of_role(conn, session.job.channel_id, session.job.job_id, role))


async def _change_role(conn: Connection, session: Session, added: Bitmaps, removed: Bitmaps) -> None:
    channel_id, job_id, role = session.job.channel_id, session.job.job_id, PeopleRole.TAGGED
    await ledger.take_out_people(conn, channel_id, job_id, role, removed)
    await ledger.drop_empty_roles(conn, channel_id, job_id, role, removed)
    if count_people(added):
        await ledger.add_people(conn, channel_id, job_id, {role: added})


def _calls(people: Sequence[PersonToTag]) -> int:
    return -(-len(people) // MAX_OPENIDS_PER_TAGGING)
