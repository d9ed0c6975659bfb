"""Find out who unfollowed unnoticed, never against what was heard since, and leave the forgotten forgotten."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.domain.account_migration.migrating import migrate_openids
from service.domain.account_migration.pairs import OpenidPair
from service.domain.privacy.forgetting import forget_openid, forget_unfollowed
from service.entities.jobs import JobState
from service.entities.users import EventKind
from service.foundation.settings import Settings
from tests.domain.official_account.follower_import.importer import DETAILS, LIST, Importer
from tests.support.waiting import wait_until

HOUR = timedelta(hours=1)


async def test_who_unfollowed_unnoticed_is_found_at_the_end(importer: Importer) -> None:
    crowd = importer.wechat.crowd(250)
    await importer.run()
    for openid in crowd[:120]:
        importer.wechat.account.unfollow(openid)
    importer.wechat.clock.advance(HOUR)
    importer.new_calls()

    job = await importer.run()

    assert await importer.following() == set(crowd[120:])
    facts = await importer.facts()
    assert {facts[openid].unfollowed_at for openid in crowd[:120]} == {importer.wechat.clock()}
    assert {facts[openid].unfollowed_at for openid in crowd[120:]} == {None}
    assert job.payload["unfollowed"] == 120
    calls = importer.new_calls()
    assert (calls[LIST], calls[DETAILS]) == (2, 2 + 2)
    await importer.check()
    assert (await importer.run()).payload["unfollowed"] == 0


async def test_nobody_counts_as_gone_only_because_no_page_had_them(importer: Importer) -> None:
    importer.follow("oAda")
    await importer.run()
    page_without_her = Fault(kind=FaultKind.ERROR, code=0, message="ok")
    importer.wechat.books.faults.add(LIST, page_without_her)
    importer.new_calls()

    job = await importer.run()

    assert importer.new_calls() == {LIST: 1, DETAILS: 1}
    assert (await importer.following(), job.payload["unfollowed"]) == ({"oAda"}, 0)


async def test_an_old_openid_on_a_page_is_nobody_new(importer: Importer) -> None:
    importer.follow("oOld")
    await importer.run()
    await migrate_openids(importer.runtime, importer.channel, [OpenidPair("oOld", "oNew")])

    job = await importer.run()

    assert (job.payload["new"], job.payload["unfollowed"]) == (0, 0)
    assert set(await importer.facts()) == await importer.following() == {"oNew"}
    await importer.check()


async def test_what_is_heard_since_the_import_began_wins(importer: Importer) -> None:
    for openid in ("oBack", "oWrote", "oLeft", "oGone"):
        importer.follow(openid)
    await importer.run()
    importer.wechat.clock.advance(HOUR)
    for openid in ("oBack", "oWrote", "oGone"):
        importer.wechat.account.unfollow(openid)
    # WeChat is asked, and its answer is held back while pushes arrive.
    importer.wechat.books.faults.add(DETAILS, Fault(kind=FaultKind.HOLD, times=None))
    job = await importer.start()
    begun = importer.wechat.clock()
    with importer.working(job) as working:
        await wait_until(lambda: importer.wechat.books.calls.running[importer.channel.app_id, DETAILS])
        importer.wechat.clock.advance(timedelta(seconds=5))
        await importer.record("oBack", EventKind.FOLLOW)
        await importer.record("oWrote", EventKind.MESSAGE)
        await importer.record("oLeft", EventKind.UNFOLLOW)
        importer.wechat.books.faults.clear()
        await working

    assert (await importer.stored(job)).state is JobState.DONE
    assert await importer.following() == {"oBack", "oWrote"}
    facts = await importer.facts()
    assert facts["oGone"].unfollowed_at == begun
    assert facts["oBack"].unfollowed_at is None
    await importer.check()


async def test_who_follows_while_the_import_runs_is_not_asked_about(importer: Importer) -> None:
    importer.wechat.clock.advance(HOUR)
    await importer.record("oNew", EventKind.FOLLOW, importer.wechat.clock() + timedelta(seconds=1))

    await importer.run()

    assert importer.new_calls().get(DETAILS, 0) == 0
    assert await importer.following() == {"oNew"}


async def test_one_whom_wechat_does_not_know_does_not_hide_the_others(importer: Importer) -> None:
    crowd = importer.wechat.crowd(60)
    await importer.run()
    await importer.record("oStranger", EventKind.FOLLOW, importer.wechat.clock() - HOUR)
    for openid in crowd:
        importer.wechat.account.unfollow(openid)
    importer.wechat.clock.advance(HOUR)
    importer.new_calls()

    job = await importer.run()

    assert (job.payload["unanswered"], job.payload["unfollowed"]) == (1, 60)
    assert await importer.following() == {"oStranger"}
    # Twelve: the whole list, and its halves down to the stranger.
    assert importer.new_calls()[DETAILS] <= 13


async def test_who_was_forgotten_while_following_is_counted_and_never_stored(importer: Importer) -> None:
    importer.follow("oAda")
    await importer.record("oAda", EventKind.FOLLOW, importer.wechat.clock() - timedelta(days=30))
    await forget_openid(importer.runtime, importer.channel.channel_id, "oAda")
    importer.follow("oBob")

    for _ in range(2):
        job = await importer.run()
        assert job.payload["forgotten"] == 1
    assert set(await importer.facts()) == {"oBob"}
    await importer.check()


async def test_who_was_forgotten_and_followed_since_is_a_new_person(importer: Importer) -> None:
    await importer.record("oAda", EventKind.FOLLOW, importer.wechat.clock() - HOUR)
    await importer.record("oAda", EventKind.UNFOLLOW)
    importer.wechat.clock.advance(timedelta(days=40))
    assert await forget_unfollowed(importer.runtime, importer.channel.channel_id) == 1
    importer.follow("oAda", HOUR)

    job = await importer.run()

    assert (job.payload["new"], job.payload["forgotten"]) == (1, 0)
    assert await importer.following() == {"oAda"}


async def test_a_known_person_of_whom_only_what_was_forgotten_is_told_stays_as_they_are(importer: Importer) -> None:
    importer.follow("oAda", timedelta(days=30))
    await forget_and_write(importer, "oAda")

    job = await importer.run()

    facts = (await importer.facts())["oAda"]
    assert (facts.followed_at, facts.messaged_at) == (None, importer.wechat.clock())
    assert (job.payload["forgotten"], importer.new_calls()[DETAILS]) == (1, 1), "seen, so not asked about again"
    await importer.check()


async def forget_and_write(importer: Importer, openid: str) -> None:
    await importer.record(openid, EventKind.FOLLOW, importer.wechat.clock() - timedelta(days=30))
    await forget_openid(importer.runtime, importer.channel.channel_id, openid)
    importer.wechat.clock.advance(HOUR)
    await importer.record(openid, EventKind.MESSAGE)


class TestWithoutRetention:
    """Forget at once whoever unfollows."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, forget_unfollowed_after=timedelta(0))

    async def test_who_turns_out_to_have_unfollowed_is_forgotten(self, importer: Importer) -> None:
        importer.follow("oAda")
        importer.follow("oBob")
        await importer.run()
        importer.wechat.account.unfollow("oAda")
        importer.wechat.clock.advance(HOUR)

        await importer.run()

        assert set(await importer.facts()) == {"oBob"}
        await importer.check()
