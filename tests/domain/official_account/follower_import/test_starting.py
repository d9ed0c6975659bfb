"""Start an import as soon as WeChat can be asked, one at a time, and only where it can."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.audiences.exports import purge_expired_exports
from service.domain.channels.binding import (
    ChannelDetails,
    ChannelUpdate,
    Credentials,
    unbind_channel,
)
from service.domain.followers.starting import bind_and_import, import_followers, update_and_import
from service.domain.runtime import Runtime
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import BadInputError, ChannelNotBoundError, ForbiddenError, NotFoundError, UpstreamError
from service.entities.jobs import Job, JobKind, JobState
from service.entities.principal import Role
from service.foundation.settings import Settings
from tests.dev.wechat_api.wechat import ACCOUNT
from tests.domain.official_account.conftest import SECRET
from tests.domain.official_account.follower_import.importer import LIST, Importer
from tests.support.runtime import RecordingQueue, admin, bind

ROBOT = "robot-2"


def account(
    *,
    kind: ChannelKind = ChannelKind.SERVICE_ACCOUNT,
    verified: bool = True,
    secret: str | None = SECRET,
    app_id: str = "wx0000000000000009",
) -> ChannelDetails:
    return ChannelDetails(kind, app_id, "Another", verified, Credentials(app_secret=secret))


def update(*, verified: bool | None = None, secret: str | None = None, name: str | None = None) -> ChannelUpdate:
    return ChannelUpdate(name, verified, Credentials(app_secret=secret))


async def imports(runtime: Runtime, channel: Channel) -> list[JobState]:
    rows = await runtime.pool.fetch(
        "select state from job where channel_id = $1 and kind = $2 order by job_id",
        channel.channel_id,
        JobKind.FOLLOWER_IMPORT,
    )
    return [JobState(row["state"]) for row in rows]


async def test_binding_with_an_app_secret_starts_an_import(runtime: Runtime) -> None:
    channel, job = await bind_and_import(runtime, admin(ROBOT), account())

    assert job is not None
    assert (job.channel_id, job.kind, job.state) == (channel.channel_id, JobKind.FOLLOWER_IMPORT, JobState.QUEUED)
    assert isinstance(runtime.queue, RecordingQueue)
    assert [task_id for _, _, task_id in runtime.queue.tasks] == [f"job:{channel.channel_id}:{job.job_id}:0"]


async def test_binding_again_with_an_app_secret_shows_the_import_that_runs(runtime: Runtime) -> None:
    _, first = await bind_and_import(runtime, admin(ROBOT), account())
    channel, again = await bind_and_import(runtime, admin(ROBOT), account())
    _, without = await bind_and_import(runtime, admin(ROBOT), account(secret=None))

    assert (again, without) == (first, None)
    assert await imports(runtime, channel) == [JobState.QUEUED]


@pytest.mark.parametrize(
    "details",
    [
        account(secret=None),
        account(secret=""),
        account(verified=False),
        account(kind=ChannelKind.SUBSCRIPTION_ACCOUNT, verified=False),
        account(kind=ChannelKind.MINI_PROGRAM),
    ],
)
async def test_nothing_is_started_where_wechat_cannot_be_asked(runtime: Runtime, details: ChannelDetails) -> None:
    channel, job = await bind_and_import(runtime, admin(ROBOT), details)

    assert job is None
    assert await imports(runtime, channel) == []


@pytest.mark.parametrize(
    ("before", "change"),
    [
        (account(secret=None), update(secret=SECRET)),
        (account(verified=False), update(verified=True)),
        (account(kind=ChannelKind.SUBSCRIPTION_ACCOUNT, verified=False), update(verified=True)),
    ],
)
async def test_the_change_that_makes_it_possible_starts_an_import_and_later_ones_do_not(
    runtime: Runtime, before: ChannelDetails, change: ChannelUpdate
) -> None:
    channel, _ = await bind_and_import(runtime, admin(ROBOT), before)
    await update_and_import(runtime, admin(ROBOT), channel.channel_id, update(name="A name"))
    assert await imports(runtime, channel) == []

    await update_and_import(runtime, admin(ROBOT), channel.channel_id, change)
    assert await imports(runtime, channel) == [JobState.QUEUED]

    await runtime.pool.execute("update job set state = 'DONE'")
    for later in (update(name="Another name"), update(secret=SECRET), change):
        await update_and_import(runtime, admin(ROBOT), channel.channel_id, later)
    assert await imports(runtime, channel) == [JobState.DONE]


async def test_an_account_that_opens_the_gate_starts_the_imports_that_waited_behind_it(runtime: Runtime) -> None:
    waiting, _ = await bind_and_import(runtime, admin(ROBOT), account(verified=False))
    mini, _ = await bind_and_import(
        runtime, admin(ROBOT), account(kind=ChannelKind.MINI_PROGRAM, app_id="wx0000000000000008")
    )

    opening, job = await bind_and_import(runtime, admin(ROBOT), account(secret=None, app_id="wx0000000000000007"))

    assert job is None
    assert [await imports(runtime, each) for each in (waiting, mini, opening)] == [[JobState.QUEUED], [], []]


async def test_the_right_app_secret_after_a_wrong_one_starts_an_import_again(importer: Importer) -> None:
    importer.follow("oAda")
    channel_id = importer.channel.channel_id
    await update_and_import(importer.runtime, admin(), channel_id, update(secret="0" * 32))
    failed = await importer.work(await importer.start())
    assert (failed.state, failed.error_code) == (JobState.FAILED, "UPSTREAM")

    await update_and_import(importer.runtime, admin(), channel_id, update(name="Renamed"))
    assert await imports(importer.runtime, importer.channel) == [JobState.FAILED]
    await update_and_import(importer.runtime, admin(), channel_id, update(secret=SECRET))

    assert await imports(importer.runtime, importer.channel) == [JobState.FAILED, JobState.QUEUED]
    assert (await importer.work(await importer.start())).state is JobState.DONE
    assert await importer.following() == {"oAda"}


async def test_an_import_that_waits_goes_on_at_once_with_the_app_secret_that_is_given(importer: Importer) -> None:
    importer.follow("oAda")
    importer.refuse(LIST, 89506, times=None)
    assert (await importer.work(await importer.start())).state is JobState.FAILED
    job = await importer.start()
    waiting = await importer.work(job)
    assert (waiting.state, waiting.resumes_at) == (JobState.WAITING, importer.wechat.clock() + timedelta(hours=24))
    importer.wechat.books.faults.clear()

    await update_and_import(importer.runtime, admin(), importer.channel.channel_id, update(name="Renamed"))
    assert (await importer.work(job)).state is JobState.WAITING
    await update_and_import(importer.runtime, admin(), importer.channel.channel_id, update(secret=SECRET))

    assert isinstance(importer.runtime.queue, RecordingQueue)
    assert importer.runtime.queue.tasks[-1][2] == f"job:{job.channel_id}:{job.job_id}:{waiting.claim}"
    assert (await importer.work(job)).state is JobState.DONE


async def test_an_import_is_refused_where_it_cannot_be_made(runtime: Runtime) -> None:
    mini, _ = await bind_and_import(
        runtime, admin(ROBOT), account(kind=ChannelKind.MINI_PROGRAM, app_id="wx0000000000000008")
    )
    unverified, _ = await bind_and_import(runtime, admin(ROBOT), account(verified=False))
    with pytest.raises(ChannelNotBoundError):
        await import_followers(runtime, admin(ROBOT), unverified.channel_id)
    for channel, code in ((mini, "MINI_PROGRAM"), (await bind(runtime), "NO_APP_SECRET")):
        with pytest.raises(BadInputError) as raised:
            await import_followers(runtime, admin(channel.robot_id), channel.channel_id)
        assert [each.code for each in raised.value.fields] == [code]


async def test_an_import_is_for_those_who_manage_the_channel(importer: Importer) -> None:
    channel_id = importer.channel.channel_id
    for role in (Role.AGENT, Role.INTEGRATOR):
        with pytest.raises(ForbiddenError):
            await import_followers(importer.runtime, replace(admin(), role=role), channel_id)
    for stranger in (admin("robot-9"), replace(admin(), channel_ids=frozenset({channel_id + 1}))):
        with pytest.raises(NotFoundError):
            await import_followers(importer.runtime, stranger, channel_id)
    assert await imports(importer.runtime, importer.channel) == []
    assert importer.new_calls() == {}


async def test_an_unbound_channel_is_not_imported(importer: Importer) -> None:
    job = await importer.start()
    await unbind_channel(importer.runtime, admin(), importer.channel.channel_id)

    with pytest.raises(ChannelNotBoundError):
        await importer.start()
    stopped = await importer.work(job)
    assert (stopped.state, stopped.error_code) == (JobState.FAILED, "CHANNEL_NOT_BOUND")
    assert importer.new_calls() == {}
    details = ChannelDetails(ChannelKind.SERVICE_ACCOUNT, ACCOUNT.app_id, "An account", True, Credentials())
    _, again = await bind_and_import(importer.runtime, admin(), details)
    assert again is not None, "the secret was kept"


async def test_an_import_is_kept_for_a_month(importer: Importer) -> None:
    await importer.run()
    for days, kept in ((29, [JobState.DONE]), (2, [])):
        importer.wechat.clock.advance(timedelta(days=days))
        await purge_expired_exports(importer.runtime, importer.channel.channel_id)
        assert await imports(importer.runtime, importer.channel) == kept


class TestWithoutActing:
    """Make no calls to WeChat at all."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, acting=False)

    async def test_nothing_is_imported(self, importer: Importer) -> None:
        with pytest.raises(UpstreamError, match="makes no calls"):
            await importer.start()
        channel, job = await bind_and_import(importer.runtime, admin(ROBOT), account())
        assert job is None
        assert await imports(importer.runtime, channel) == []

    async def test_an_import_that_was_started_before_fails_and_asks_nothing(self, importer: Importer) -> None:
        job = await self.made_before(importer)

        assert (job.state, job.error_code) == (JobState.FAILED, "UPSTREAM")
        assert importer.new_calls() == {}

    async def made_before(self, importer: Importer) -> Job:
        acting = replace(importer.runtime, settings=replace(importer.runtime.settings, acting=True))
        started = await import_followers(acting, admin(), importer.channel.channel_id)
        return await importer.work(started.job)
