"""Write what WeChat told about a batch of people in one transaction, together with the progress of the import.

Facts are maxima, so whatever was recorded meanwhile and is newer wins. Source: docs/specification.md, §6.3.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from service.domain.default_tags.definitions import channel_rules, to_transitions
from service.domain.followers.details import AnsweredBatch
from service.domain.input_rules import MAX_TIME_AHEAD, time_rejection
from service.domain.jobs.running import save_progress
from service.domain.jobs.starting import publish_job_change
from service.domain.membership import write_transitions
from service.domain.people.identities import UNIONID_PATTERN
from service.domain.people.ordinals import when_forgotten
from service.domain.privacy.forgetting import forget_if_unfollowed
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeCause, ChangeNotification, bitmap_of, block_of, offset_of
from service.entities.channels import Channel
from service.entities.errors import ChannelNotBoundError
from service.entities.jobs import Job
from service.entities.users import Facts
from service.storage import channels, follower_imports, former_openids, users
from service.storage.blocks import heads
from service.storage.database.pool import Connection
from service.storage.default_tags import NewFacts, merge_facts
from service.storage.follower_imports import KnownFollower, ToldFollower
from service.storage.remote_tags import clear_remote_members
from service.wechat.api.user_calls import UserDetails

AD_SCENES: Final = frozenset({"ADD_SCENE_WECHAT_ADVERTISEMENT"})
SCENE_PATTERN: Final = re.compile(r"[A-Z0-9_]{1,64}")


@dataclass(frozen=True, slots=True)
class _Answers:
    """Hold a batch sorted by what there is to write of it.

    `known` has followers whom the channel knows, with what is known; `new` those it does not; `gone` the ordinals of
    people who do not follow. `links` are unionids that became known, `{openid: unionid}`. `seen` has the ordinals of
    all followers who were known, also of those of whom nothing is news.
    """

    known: list[tuple[KnownFollower, ToldFollower]]
    new: list[ToldFollower]
    gone: list[int]
    links: Mapping[str, str]
    seen: list[int]
    forgotten: int
    conflicts: int


class _Written(NamedTuple):
    """Hold the ordinals of who is new, who unfollowed, and whose remote tags are gone."""

    created: Sequence[int]
    unfollowed: list[int]
    moved: list[int]
    notifications: list[ChangeNotification]


async def land_batch(
    runtime: Runtime, channel: Channel, job: Job, batch: AnsweredBatch, position: Mapping[str, Any]
) -> Job:
    """Write a batch and where the import goes on, `position` in its payload, and return the job after it.

    Raises JobLeaseLostError, and ChannelNotBoundError where the gate was closed meanwhile; nothing is written then.
    """
    channel_id = channel.channel_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        # All that create, link or forget users hold this lock, so what is read next stays true.
        state = await channels.lock_channel_state(conn, channel_id)
        if not state.open:
            raise ChannelNotBoundError
        answers = await _sort(conn, runtime, channel_id, batch, some_forgotten=state.forgotten > 0)
        written = await _write(conn, runtime, channel, answers, scan_started_at(job))
        await follower_imports.mark_seen(conn, channel_id, job.job_id, _bitmaps([*answers.seen, *written.created]))
        counts = {
            "new": len(answers.new),
            "unfollowed": len(written.unfollowed),
            "forgotten": answers.forgotten,
            "unanswered": len(batch.openids) - len(batch.details),
            "unionid_conflicts": answers.conflicts,
        }
        job = await save_progress(conn, runtime, _advanced(job, len(batch.openids), counts, position))
        if written.moved:
            await clear_remote_members(conn, channel_id, written.moved)
    runtime.publisher.publish(written.notifications)
    publish_job_change(runtime, job)
    if written.unfollowed and runtime.settings.forget_unfollowed_after == timedelta(0):
        await forget_if_unfollowed(runtime, channel_id, written.unfollowed)
    return job


def scan_started_at(job: Job) -> datetime:
    """Return when an import that has begun asked WeChat first, in whole seconds."""
    return datetime.fromtimestamp(job.payload["started_at"], UTC)


def _advanced(job: Job, done: int, counts: Mapping[str, int], position: Mapping[str, Any]) -> Job:
    added = {name: job.payload[name] + count for name, count in counts.items()}
    return replace(
        job,
        done=job.done + done,
        total=max(job.total or 0, job.done + done),
        payload={**job.payload, **added, **position},
    )


async def _sort(
    conn: Connection, runtime: Runtime, channel_id: int, batch: AnsweredBatch, *, some_forgotten: bool
) -> _Answers:
    """Sort a batch, with the state of the channel locked."""
    now = runtime.clock()
    known = await follower_imports.known_followers(conn, channel_id, batch.openids)
    # Of whoever was migrated to another openid, the old one says nothing.
    former = await former_openids.former_openids(conn, channel_id, batch.openids)
    told = [_tidy(each, now) for each in batch.details if each.following and each.openid not in former]
    # Hashing costs much, and of a channel that is imported for the first time nobody was ever forgotten.
    old = await when_forgotten(conn, runtime, channel_id, [each.openid for each in told]) if some_forgotten else {}
    news = [each for each in told if each.openid not in old or _is_newer(each, old[each.openid])]
    links, conflicts = await _links(conn, channel_id, known, news)
    return _Answers(
        known=[(known[each.openid], each) for each in news if each.openid in known],
        new=[
            each if each.openid in links else each._replace(unionid=None) for each in news if each.openid not in known
        ],
        gone=[known[each.openid].ordinal for each in batch.details if not each.following and each.openid in known],
        links=links,
        seen=[known[each.openid].ordinal for each in told if each.openid in known] + list(former.values()),
        forgotten=len(told) - len(news),
        conflicts=conflicts,
    )


def _tidy(details: UserDetails, now: datetime) -> ToldFollower:
    """Return what is kept of an answer, without a time that no fact can have and texts that are none of WeChat's."""
    followed_at = details.followed_at
    if followed_at is not None and time_rejection(followed_at, now):
        followed_at = None
    unionid, scene = details.unionid, details.subscribe_scene
    return ToldFollower(
        openid=details.openid,
        unionid=unionid if unionid is not None and UNIONID_PATTERN.fullmatch(unionid) else None,
        followed_at=followed_at,
        ad_followed_at=followed_at if scene in AD_SCENES else None,
        subscribe_scene=scene if scene is not None and SCENE_PATTERN.fullmatch(scene) else None,
    )


def _is_newer(told: ToldFollower, old: datetime) -> bool:
    """Tell whether somebody who was forgotten followed since, as `is_newer` does of a follow; no time is no news."""
    return told.followed_at is not None and told.followed_at >= old


async def _links(
    conn: Connection, channel_id: int, known: Mapping[str, KnownFollower], told: Sequence[ToldFollower]
) -> tuple[dict[str, str], int]:
    """Return the unionids that become known, `{openid: unionid}`, and how many contradict what is known."""
    unionid_of = {openid: each.unionid for openid, each in known.items()}
    unlinked = [
        (each.openid, each.unionid)
        for each in told
        if each.unionid is not None and unionid_of.get(each.openid) != each.unionid
    ]
    holders = await follower_imports.holders_of_unionids(conn, channel_id, [unionid for _, unionid in unlinked])
    links: dict[str, str] = {}
    for openid, unionid in unlinked:
        if unionid_of.get(openid) is None and unionid not in holders:
            links[openid] = unionid
            holders[unionid] = openid
    return links, len(unlinked) - len(links)


async def _write(
    conn: Connection, runtime: Runtime, channel: Channel, answers: _Answers, started_at: datetime
) -> _Written:
    """Write what is new, and nothing where all is known."""
    channel_id, rules, now = channel.channel_id, channel_rules(channel), runtime.clock()
    first = await channels.allocate_ordinals(conn, channel_id, len(answers.new)) if answers.new else 0
    created = range(first, first + len(answers.new))
    if created:
        await heads.insert_heads(conn, channel_id, {block_of(created[0]), block_of(created[-1])}, now)
    facts, doubtful = _news_of(answers.known)
    blocks = {block_of(each) for each in (*created, *facts, *doubtful, *answers.gone)}
    locked = await heads.lock_heads(conn, channel_id, blocks)
    for ordinal, at in (
        await follower_imports.returned_unnoticed(conn, channel_id, doubtful, started_at - MAX_TIME_AHEAD)
    ).items():
        facts[ordinal] = replace(facts.get(ordinal, Facts()), followed_at=at)
    unfollowed = [
        each.ordinal for each in await follower_imports.followers_before(conn, channel_id, answers.gone, started_at)
    ]
    facts |= dict.fromkeys(unfollowed, Facts(unfollowed_at=started_at))
    merging = {
        ordinal: NewFacts(each, locked[block_of(ordinal)].evaluation_instant(now)) for ordinal, each in facts.items()
    }
    differences, moved = await merge_facts(conn, rules, merging)
    if created:
        differences += await follower_imports.insert_followers(conn, rules, answers.new, first_ordinal=first, now=now)
    await _write_identities(conn, channel_id, answers)
    notifications = await write_transitions(
        conn, channel_id, locked, to_transitions(differences), cause=ChangeCause.IMPORT, now=now
    )
    return _Written(created, unfollowed, moved, notifications)


def _news_of(known: Sequence[tuple[KnownFollower, ToldFollower]]) -> tuple[dict[int, Facts], list[int]]:
    """Return the facts that are news, `{ordinal: facts}`, and the ordinals of those who may not follow even so."""
    facts: dict[int, Facts] = {}
    doubtful = []
    for before, told in known:
        followed_at = _if_later(told.followed_at, before.followed_at)
        ad_followed_at = _if_later(told.ad_followed_at, before.ad_followed_at)
        if followed_at is not None or ad_followed_at is not None:
            facts[before.ordinal] = Facts(followed_at=followed_at, ad_followed_at=ad_followed_at)
        if told.followed_at is None or (before.unfollowed_at is not None and told.followed_at < before.unfollowed_at):
            doubtful.append(before.ordinal)
    return facts, doubtful


def _if_later(told: datetime | None, before: datetime | None) -> datetime | None:
    return None if told is None or (before is not None and told <= before) else told


async def _write_identities(conn: Connection, channel_id: int, answers: _Answers) -> None:
    """Write the unionids and scenes of people who were known before."""
    unionids = {
        before.ordinal: answers.links[told.openid] for before, told in answers.known if told.openid in answers.links
    }
    if unionids:
        await users.set_unionids(conn, channel_id, unionids)
    scenes = {
        before.ordinal: told.subscribe_scene
        for before, told in answers.known
        if told.subscribe_scene is not None and told.subscribe_scene != before.subscribe_scene
    }
    if scenes:
        await follower_imports.set_subscribe_scenes(conn, channel_id, scenes)


def _bitmaps(ordinals: Sequence[int]) -> dict[int, bytes]:
    """Return the bitmaps of ordinals, `{block: bitmap}`, by ascending block."""
    offsets: dict[int, list[int]] = defaultdict(list)
    for ordinal in sorted(ordinals):
        offsets[block_of(ordinal)].append(offset_of(ordinal))
    return {block: bitmap_of(found) for block, found in offsets.items()}
