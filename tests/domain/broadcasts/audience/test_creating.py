"""Make broadcasts: all that is wrong is said at once, and one key makes one broadcast.

The rule: docs/specification.md §6.6.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.domain.broadcasts.creating import CreatedBroadcast, NewBroadcast, create_broadcast
from service.domain.broadcasts.planning import BroadcastRequest, RepeatRequest
from service.domain.channels.binding import unbind_channel
from service.domain.combos.expressions import to_draft
from service.domain.runtime import Runtime
from service.entities.broadcast_messages import (
    ArticleMessage,
    TemplateField,
    TemplateMessage,
    TextMessage,
)
from service.entities.broadcasts import MessageKind, WaitReason
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import (
    ChannelNotBoundError,
    ConflictError,
    ErrorCode,
    ForbiddenError,
    RequestError,
    UpstreamError,
)
from service.entities.expressions import FOLLOWERS, Expression, any_of, from_json, tag
from service.entities.jobs import Job, JobState
from service.entities.principal import Principal, Role
from service.entities.repeats import RepeatEvery, repeat_from_json
from service.entities.tags import TagState
from service.storage import jobs
from tests.domain.broadcasts.audience.starting import Starter
from tests.support.broadcast_rows import stored_broadcast
from tests.support.runtime import admin, bind
from tests.support.tags import populate, set_state

NOT_OPENED, OTHER = 4, 20
TEXT = TextMessage(MessageKind.MASS_TEXT, "Spring tea is here.")
CREATOR = replace(admin(), role=Role.CREATOR)
HOUR = timedelta(hours=1)


def new(channel: Channel, key: str = "key", audience: Expression = FOLLOWERS, **given: Any) -> NewBroadcast:
    """Return a broadcast to make: a text to all followers, unless something else is given."""
    outside = {name: given.pop(name) for name in ("confirm_duplicate", "ignore_quiet_hours") if name in given}
    draft = to_draft(channel.channel_id, audience)
    return NewBroadcast(BroadcastRequest(**{"audience": draft, "message": TEXT} | given), key, **outside)


async def create(starter: Starter, given: NewBroadcast, principal: Principal | None = None) -> CreatedBroadcast:
    return await create_broadcast(starter.runtime, principal or admin(), starter.channel.channel_id, given)


async def made(starter: Starter, given: NewBroadcast) -> Job:
    """Return the job of a broadcast that was made anew."""
    created = await create(starter, given)
    assert not created.replayed
    async with starter.runtime.pool.acquire() as conn:
        found = await jobs.job(conn, created.channel_id, created.job_id)
    assert found is not None
    return found


async def refused(starter: Starter, given: NewBroadcast) -> RequestError:
    """Return why a broadcast is not made, of which nothing is stored."""
    with pytest.raises(RequestError) as error:
        await create(starter, given)
    assert await count_rows(starter.runtime) == (0, 0, 0)
    return error.value


async def count_rows(runtime: Runtime) -> tuple[int, ...]:
    row = await runtime.pool.fetchrow(
        "select (select count(*) from broadcast), (select count(*) from job where kind = 'Broadcast'),"
        " (select count(*) from broadcast_policy)"
    )
    assert row is not None
    return tuple(row)


def codes(error: RequestError) -> set[tuple[str, str]]:
    return {(".".join(map(str, each.path)), each.code) for each in error.fields}


@pytest.fixture
async def starter(starter: Starter) -> Starter:
    """Let ten people follow, and give a tag to one of them."""
    await populate(starter.runtime, starter.channel, {NOT_OPENED: range(10), OTHER: {3}})
    return starter


async def test_a_broadcast_is_queued_with_everything_that_it_is(starter: Starter) -> None:
    given = new(starter.channel, name="  Spring ", hold_out_percent=10, once_only=" sale ", confirm_duplicate=True)

    job = await made(starter, given)

    found = await stored_broadcast(starter.runtime, job)
    assert (job.state, job.created_by, job.resumes_at) == (JobState.QUEUED, "tests", None)
    assert (found.name, found.kind, found.hold_out_percent, found.once_only) == (
        "Spring",
        MessageKind.MASS_TEXT,
        10,
        "sale",
    )
    assert from_json(found.audience) == FOLLOWERS
    assert (found.audience_text, found.message["text"], found.confirm_duplicate) == ("Followers", TEXT.text, True)
    assert (found.start_at, found.waiting_for, found.frozen_at) == (starter.clock(), None, None)
    assert len(found.token) <= 20
    assert found.token.isalnum()
    assert (await starter.start(job)).state is JobState.RUNNING


async def test_one_with_a_start_ahead_waits_for_it(starter: Starter) -> None:
    due = starter.clock() + 3 * HOUR
    job = await made(starter, new(starter.channel, start_at=due))

    assert (job.state, job.resumes_at) == (JobState.WAITING, due)
    assert await starter.waits_for(job) is WaitReason.START_TIME
    assert (await starter.start_when_due(job)).state is JobState.RUNNING


async def test_a_key_makes_one_broadcast_however_often_and_whatever_happened_since(starter: Starter) -> None:
    given = new(starter.channel)
    first = await create(starter, given)
    await populate(starter.runtime, starter.channel, {NOT_OPENED: ()})
    await unbind_channel(starter.runtime, admin(), starter.channel.channel_id)

    assert await create(starter, given) == first._replace(replayed=True)
    with pytest.raises(ConflictError):
        await create(starter, new(starter.channel, hold_out_percent=1))


async def test_of_many_requests_at_once_with_a_key_one_makes_it(starter: Starter) -> None:
    given = new(starter.channel)

    answers = await asyncio.gather(*(create(starter, given) for _ in range(6)))

    assert {each.job_id for each in answers} == {answers[0].job_id}
    assert sorted(each.replayed for each in answers) == [False] + [True] * 5
    assert (await count_rows(starter.runtime))[0] == 1


async def test_everything_that_is_wrong_is_said_at_once(starter: Starter) -> None:
    await set_state(starter.runtime, starter.channel, OTHER, TagState.PENDING)
    message = TemplateMessage("no id!", (TemplateField("thing1", "x" * 21),), None, None)
    error = await refused(
        starter,
        new(
            starter.channel,
            audience=any_of(tag(OTHER), tag(99)),
            message=message,
            name="x" * 65,
            start_at=starter.clock() - HOUR,
            hold_out_percent=51,
            once_only="\n",
            temporary_tag=True,
            repeat=RepeatRequest(RepeatEvery.WEEK, "25:00"),
        ),
    )

    assert error.code is ErrorCode.BAD_USER_INPUT
    assert codes(error) == {
        ("audience.any.0.tag", "TAG_NOT_USABLE"),
        ("audience.any.1.tag", "NOT_FOUND"),
        ("message.template.template_id", "BAD_FORMAT"),
        ("message.template.data.0.value", "BAD_LENGTH"),
        ("name", "BAD_LENGTH"),
        ("start_at", "IN_PAST"),
        ("hold_out_percent", "OUT_OF_RANGE"),
        ("once_only", "BAD_FORMAT"),
        ("temporary_tag", "NOT_ALLOWED"),
        ("repeat.at", "BAD_FORMAT"),
        ("repeat.weekday", "OUT_OF_RANGE"),
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"audience": tag(OTHER)}, {("audience", "TOO_FEW")}),
        ({"hold_out_percent": -1}, {("hold_out_percent", "OUT_OF_RANGE")}),
        ({"key": ""}, {("idempotency_key", "BAD_FORMAT")}),
        ({"key": "x" * 129}, {("idempotency_key", "BAD_FORMAT")}),
        (
            {
                "message": ArticleMessage("media", ignore_reprint=False),
                "repeat": RepeatRequest(RepeatEvery.DAY, "09:00"),
            },
            {("repeat", "NOT_FOR_ARTICLES")},
        ),
        (
            {"message": TextMessage(MessageKind.MASS_TEXT, "Hello {{openid}}")},
            {("message.mass_text.text", "PLACEHOLDER")},
        ),
    ],
)
async def test_what_cannot_be_sent_is_refused(
    starter: Starter, given: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    error = await refused(starter, new(starter.channel, **given))

    assert (error.code, codes(error)) == (ErrorCode.BAD_USER_INPUT, expected)


async def test_a_start_is_neither_over_nor_absurdly_far_ahead(starter: Starter) -> None:
    now = starter.clock()
    error = await refused(starter, new(starter.channel, start_at=now + timedelta(days=366, seconds=1)))
    assert codes(error) == {("start_at", "TOO_FAR")}
    await made(starter, new(starter.channel, "far", start_at=now + timedelta(days=366)))

    job = await made(starter, new(starter.channel, "just now", start_at=now - timedelta(minutes=5)))
    assert job.state is JobState.QUEUED
    assert (await stored_broadcast(starter.runtime, job)).start_at == now


@pytest.mark.parametrize(
    ("account", "kinds"),
    [
        (
            ChannelKind.SUBSCRIPTION_ACCOUNT,
            {MessageKind.TEMPLATE, MessageKind.SERVICE_SUBSCRIPTION, MessageKind.MINI_PROGRAM_SUBSCRIPTION},
        ),
        (
            ChannelKind.MINI_PROGRAM,
            {MessageKind.MASS_TEXT, MessageKind.TEMPLATE, MessageKind.SERVICE_SUBSCRIPTION},
        ),
    ],
)
async def test_a_kind_that_the_account_does_not_have_is_refused(
    starter: Starter, account: ChannelKind, kinds: Iterable[MessageKind]
) -> None:
    other = await bind(starter.runtime, kind=account)
    given = {
        MessageKind.MASS_TEXT: TEXT,
        MessageKind.TEMPLATE: TemplateMessage("t1", (TemplateField("thing1", "x"),), None, None),
    }
    for kind in kinds & given.keys():
        with pytest.raises(RequestError) as error:
            await create_broadcast(starter.runtime, admin(), other.channel_id, new(other, message=given[kind]))
        assert "KIND_NOT_ALLOWED" in {each.code for each in error.value.fields}


async def test_without_a_way_to_wechat_nothing_is_made(starter: Starter) -> None:
    bare = await bind(starter.runtime)
    await populate(starter.runtime, bare, {NOT_OPENED: range(10)})
    with pytest.raises(RequestError) as error:
        await create_broadcast(starter.runtime, admin(), bare.channel_id, new(bare))
    assert [each.code for each in error.value.fields] == ["NO_APP_SECRET"]

    off = replace(starter.runtime, settings=replace(starter.runtime.settings, acting=False))
    with pytest.raises(UpstreamError):
        await create_broadcast(off, admin(), starter.channel.channel_id, new(starter.channel))
    await unbind_channel(starter.runtime, admin(), starter.channel.channel_id)
    await unbind_channel(starter.runtime, admin(), bare.channel_id)
    with pytest.raises(ChannelNotBoundError):
        await create(starter, new(starter.channel))
    assert await count_rows(starter.runtime) == (0, 0, 0)


@pytest.mark.parametrize("override", ["ignore_caps", "ignore_quiet_hours"])
async def test_only_a_creator_sends_against_the_policy(starter: Starter, override: str) -> None:
    options: dict[str, Any] = {override: True}
    given = new(starter.channel, **options)

    with pytest.raises(ForbiddenError):
        await create(starter, given)
    await create(starter, given, CREATOR)


async def test_the_same_content_to_the_same_people_is_paused(starter: Starter) -> None:
    first = await made(starter, new(starter.channel, "first"))
    assert (await starter.start(first)).state is JobState.RUNNING

    again = await made(starter, new(starter.channel, "again"))
    assert again.state is JobState.PAUSED
    assert await starter.waits_for(again) is WaitReason.DUPLICATE
    assert (await made(starter, new(starter.channel, "sure", confirm_duplicate=True))).state is JobState.QUEUED


async def test_more_people_than_the_policy_allows_wait_for_a_second_admin(starter: Starter) -> None:
    await starter.set_policy(approval_above=9)
    due = starter.clock() + HOUR
    job = await made(starter, new(starter.channel, start_at=due))
    assert job.state is JobState.WAITING_FOR_APPROVAL
    assert await starter.waits_for(job) is WaitReason.SECOND_ADMIN

    # The threshold of now does not count where that of then was stricter, and the start is waited for after approval.
    await starter.set_policy(approval_above=None)
    await starter.claim_again(job)
    assert (await starter.start(job)).state is JobState.WAITING_FOR_APPROVAL
    await starter.change(job, approved_by="boss", approved_at=starter.clock(), approved_for=10)
    await starter.claim_again(job)
    job = await starter.start(job)
    assert (job.state, job.resumes_at) == (JobState.WAITING, due)
    assert (await starter.start_when_due(job)).state is JobState.RUNNING


async def test_a_series_knows_when_it_goes_on(starter: Starter) -> None:
    """The clock of the policy is eight hours ahead of UTC."""
    start = starter.clock() + HOUR
    job = await made(starter, new(starter.channel, start_at=start, repeat=RepeatRequest(RepeatEvery.DAY, "09:00")))

    found = await stored_broadcast(starter.runtime, job)
    assert found.repeat is not None
    assert repeat_from_json(found.repeat).every is RepeatEvery.DAY
    assert found.next_run_at == start.replace(hour=1, minute=0, second=0) + timedelta(days=1)
