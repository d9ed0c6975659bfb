"""Follow an account that was migrated, with the openids that WeChat tells (docs/specification.md §2)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.account_migration import asking
from service.domain.account_migration.account import NewAccount, change_account
from service.domain.account_migration.asking import ask_slice
from service.domain.account_migration.migrating import migrate_openids
from service.domain.account_migration.pairs import OpenidPair
from service.domain.account_migration.requests import FollowedMigration, follow_migration
from service.domain.jobs.running import run_job
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.errors import BadInputError, ConflictError, ForbiddenError
from service.entities.jobs import Job, JobKind, JobState
from service.entities.remote_tags import RemoteAdditions
from service.storage import jobs, remote_tags
from tests.dev.wechat_api.wechat import ACCOUNT, OTHER, Wechat
from tests.domain.official_account.conftest import SECRET
from tests.support.runtime import admin, bind, ordinals_for
from tests.support.tags import make_tag, members_of

CHANGE = "/cgi-bin/changeopenid"
# The imitated account of the channel is the one that the other was migrated to.
NEW = NewAccount(ACCOUNT.app_id, SECRET)


@pytest.fixture
async def old_channel(runtime: Runtime, wechat: Wechat) -> Channel:
    """Bind the account that will be migrated; it has three followers."""
    for number in range(3):
        wechat.books.accounts[OTHER.app_id].follow(f"old-{number}", wechat.clock())
    return await bind(runtime, OTHER.app_id)


async def ask(runtime: Runtime, channel: Channel, new: NewAccount | None = NEW) -> FollowedMigration:
    return await follow_migration(runtime, admin(), channel.channel_id, new, [])


async def work(runtime: Runtime, job: Job | None) -> Job:
    assert job is not None
    await run_job(runtime, {JobKind.OPENID_MIGRATION: ask_slice}, job.channel_id, job.job_id)
    return await stored(runtime, job)


async def stored(runtime: Runtime, job: Job) -> Job:
    async with runtime.pool.acquire() as conn:
        found = await jobs.job(conn, job.channel_id, job.job_id)
    assert found is not None
    return found


def counts(job: Job) -> dict[str, int]:
    return {name: job.payload[name] for name in ("moved", "united", "unknown", "rejected") if job.payload[name]}


async def openids(runtime: Runtime, channel: Channel) -> list[str]:
    rows = await runtime.pool.fetch(
        "select openid from channel_user where channel_id = $1 order by ordinal", channel.channel_id
    )
    return [row["openid"] for row in rows]


async def test_everybody_gets_the_openid_that_wechat_tells(
    runtime: Runtime, wechat: Wechat, old_channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MAX_USERS_PER_CALL", 2)
    tag_id = await make_tag(runtime, old_channel, "Gold", "old-0", "left", "old-1", "old-2")
    wechat.books.migrate(OTHER.app_id, ACCOUNT.app_id)
    told = wechat.account.migrated[OTHER.app_id]
    await ordinals_for(runtime, old_channel, [told["old-2"]])

    followed = await ask(runtime, old_channel)
    assert (followed.channel.app_id, followed.channel.former_app_id) == (ACCOUNT.app_id, OTHER.app_id)
    assert (await ask(runtime, old_channel, None)).job == followed.job, "the one that is at it"
    job = await work(runtime, followed.job)

    assert (job.state, job.done, job.total) == (JobState.DONE, 4, 5), "one of five was united with another"
    assert counts(job) == {"moved": 2, "united": 1, "unknown": 1}
    moved = [told["old-0"], "left", told["old-1"], told["old-2"]]
    assert await openids(runtime, old_channel) == moved
    assert await members_of(runtime, old_channel, tag_id) == set(moved)
    assert (await verify_channel(runtime, old_channel, repair=False)).clean

    wechat.books.calls.recent.clear()
    again = await work(runtime, (await ask(runtime, old_channel)).job)
    assert counts(again) == {"unknown": 1}
    (asked,) = [each.payload["openid_list"] for each in wechat.books.calls.recent if each.path == CHANGE]
    assert asked == ["left"], "nobody else is asked about"


async def test_a_crash_between_two_pages_neither_loses_nor_counts_anybody_twice(
    runtime: Runtime, wechat: Wechat, old_channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ordinals_for(runtime, old_channel, ["old-0", "old-1", "old-2"])
    wechat.books.migrate(OTHER.app_id, ACCOUNT.app_id)
    job = (await ask(runtime, old_channel)).job
    assert job is not None
    monkeypatch.setattr(asking, "MAX_USERS_PER_CALL", 2)

    async def dies(self: object, *_: int) -> Job:
        raise ConnectionError("the worker dies before it can write how far it came")

    with monkeypatch.context() as patch:
        patch.setattr("service.domain.account_migration.asking._Progress.finish", dies)
        waiting = await work(runtime, job)
    assert (waiting.state, counts(waiting)) == (JobState.WAITING, {"moved": 2})
    wechat.clock.advance(timedelta(minutes=1))

    done = await work(runtime, job)
    assert (done.state, counts(done)) == (JobState.DONE, {"moved": 3})


async def test_another_migration_later_asks_about_everybody_again(
    runtime: Runtime, wechat: Wechat, old_channel: Channel
) -> None:
    await ordinals_for(runtime, old_channel, ["old-0"])
    await migrate_openids(runtime, old_channel, [OpenidPair("old-0", "between")])
    wechat.clock.advance(timedelta(days=1))
    wechat.books.accounts[OTHER.app_id].follow("between", wechat.clock())
    wechat.books.migrate(OTHER.app_id, ACCOUNT.app_id)

    assert counts(await work(runtime, (await ask(runtime, old_channel)).job)) == {"moved": 1}
    assert await openids(runtime, old_channel) == [wechat.account.migrated[OTHER.app_id]["between"]]


async def test_what_wechat_refuses_is_said(runtime: Runtime, wechat: Wechat, old_channel: Channel) -> None:
    await ordinals_for(runtime, old_channel, ["old-0"])
    failed = await work(runtime, (await ask(runtime, old_channel)).job)

    assert (failed.state, failed.error_code) == (JobState.FAILED, "UPSTREAM")
    assert "63178" in str(failed.error)
    assert await openids(runtime, old_channel) == ["old-0"]


async def test_without_an_app_secret_or_another_account_before_wechat_is_not_asked(
    runtime: Runtime, wechat: Wechat, old_channel: Channel
) -> None:
    assert (await ask(runtime, old_channel, None)).job is None
    followed = await ask(runtime, old_channel, NewAccount(ACCOUNT.app_id, None))
    assert (followed.channel.app_id, followed.job) == (ACCOUNT.app_id, None)
    assert (await ask(runtime, old_channel)).job is not None
    assert wechat.books.calls.count(ACCOUNT.app_id, CHANGE) == 0


async def test_what_was_known_of_the_account_before_is_gone(
    runtime: Runtime, wechat: Wechat, old_channel: Channel
) -> None:
    tag_id = await make_tag(runtime, old_channel, "Gold", "old-0")
    channel_id = old_channel.channel_id
    async with runtime.pool.acquire() as conn:
        await remote_tags.link_tag(
            conn,
            channel_id,
            tag_id,
            remote_tag_id=100,
            remote_name="Gold",
            keep_in_sync=True,
            remote_additions=RemoteAdditions.KEEP,
            job_id=1,
            now=wechat.clock(),
        )
        await remote_tags.add_remote_members(conn, channel_id, tag_id, {0: None})
    await runtime.pool.execute(
        "insert into wechat_quota (channel_id, api, day, used, window_at, window_used)"
        " values ($1, 'x', now(), 1, now(), 1)",
        channel_id,
    )

    first = (await ask(runtime, old_channel)).job
    assert first is not None
    await change_account(runtime, admin(), channel_id, NewAccount(OTHER.app_id, None))
    assert (await stored(runtime, first)).state is JobState.CANCELLED

    async with runtime.pool.acquire() as conn:
        link = (await remote_tags.linked_tags(conn, channel_id))[tag_id]
    assert (link.remote_tag_id, link.keep_in_sync) == (None, False)
    assert await runtime.pool.fetchval("select count(*) from remote_members") == 0
    assert await runtime.pool.fetchval("select count(*) from wechat_quota") == 0
    again = await change_account(runtime, admin(), channel_id, NewAccount(OTHER.app_id, None))
    assert (again.app_id, again.former_app_id) == (OTHER.app_id, ACCOUNT.app_id)


async def test_the_account_before_is_known_for_ninety_days(
    runtime: Runtime, wechat: Wechat, old_channel: Channel
) -> None:
    assert old_channel.app_ids(wechat.clock()) == (OTHER.app_id,)
    channel = await change_account(runtime, admin(), old_channel.channel_id, NEW)
    days = timedelta(days=90)

    assert channel.app_ids(wechat.clock() + days - timedelta(seconds=1)) == (ACCOUNT.app_id, OTHER.app_id)
    assert channel.app_ids(wechat.clock() + days) == (ACCOUNT.app_id,)


async def test_an_account_that_cannot_be_taken_is_refused(runtime: Runtime, old_channel: Channel) -> None:
    taken, foreign = await bind(runtime, "wx0taken"), await bind(runtime, "wx0foreign", robot_id="robot-2")
    for app_id in (taken.app_id, foreign.app_id):
        with pytest.raises(ConflictError):
            await change_account(runtime, admin(), old_channel.channel_id, NewAccount(app_id, None))
    with pytest.raises(BadInputError) as refused:
        await change_account(runtime, admin(), old_channel.channel_id, NewAccount("gh_1", "se cret"))
    assert [field.path for field in refused.value.fields] == [("new_app_id",), ("new_app_secret",)]
    narrowed = replace(admin(), channel_ids=frozenset({old_channel.channel_id}))
    with pytest.raises(ForbiddenError):
        await change_account(runtime, narrowed, old_channel.channel_id, NEW)
    same = await change_account(runtime, narrowed, old_channel.channel_id, NewAccount(OTHER.app_id, SECRET))
    assert (same.app_id, same.former_app_id, same.encrypted_app_secret is None) == (OTHER.app_id, None, False)
