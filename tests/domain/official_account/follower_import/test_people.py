"""Bring in who follows, since when, how they came and who they are, and make the tags right by it."""

import logging
from datetime import datetime, timedelta

import pytest

from service.dev.demo.wechat_api.books.people import SUBSCRIBE_SCENES
from service.domain.followers.details import MAX_CONCURRENT_CALLS
from service.domain.people.identities import IdentityPair, link_identities
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind
from service.storage.users import UNKNOWN_TIME, users_by_ordinal
from tests.domain.official_account.follower_import.importer import DETAILS, LIST, Importer
from tests.support.database_state import logged_versions
from tests.support.runtime import published_notifications

NEW, OLD = DefaultTagRule.NEW_USER, DefaultTagRule.OLD_USER
TOUCHABLE, UNTOUCHABLE = DefaultTagRule.TOUCHABLE, DefaultTagRule.UNTOUCHABLE
AD, NO_AD = DefaultTagRule.ADVERTISING, DefaultTagRule.NON_ADVERTISING
NOT_OPENED = DefaultTagRule.NOT_OPENED


async def test_everybody_who_follows_becomes_known_with_few_calls(importer: Importer) -> None:
    crowd = importer.wechat.crowd(12_345)

    job = await importer.run()

    assert (job.done, job.total, job.progress) == (12_345, 12_345, 1.0)
    calls = importer.new_calls()
    assert (calls[LIST], calls[DETAILS]) == (3, 124)
    facts, scenes, unionids = (
        await importer.facts(),
        await importer.column("subscribe_scene"),
        await importer.column("unionid"),
    )
    first = importer.wechat.clock() - timedelta(days=30)
    for number, openid in enumerate(crowd):
        assert facts[openid].followed_at == first + timedelta(seconds=number)
        assert scenes[openid] == SUBSCRIBE_SCENES[number % len(SUBSCRIBE_SCENES)]
        assert unionids[openid] == f"o6_crowd{number:020d}"
    tags = await importer.tags()
    assert all(tags[openid] == {OLD, UNTOUCHABLE, NOT_OPENED, NO_AD} for openid in crowd)
    await importer.check()


async def test_the_log_counts_in_words_what_became_of_an_import(
    importer: Importer, caplog: pytest.LogCaptureFixture
) -> None:
    importer.wechat.crowd(3)

    with caplog.at_level(logging.INFO):
        await importer.run()

    counts = "3 read, 3 new, 0 unfollowed, 0 forgotten, 0 unanswered, 0 unionid conflicts"
    assert f"followers of channel {importer.channel.channel_id} are imported: {counts}" in caplog.messages


async def test_several_calls_at_once_are_made_but_not_many(importer: Importer) -> None:
    importer.wechat.crowd(4_000)
    importer.wechat.books.behaviour.answers_after = 0.02

    await importer.run()

    peaks = importer.wechat.books.calls.peaks
    assert peaks[importer.channel.app_id, LIST] == 1
    assert 1 < peaks[importer.channel.app_id, DETAILS] <= MAX_CONCURRENT_CALLS


async def test_importing_again_changes_nothing_but_what_is_new(importer: Importer) -> None:
    importer.wechat.crowd(2_100)
    await importer.run()
    before = await logged_versions(importer.runtime, importer.channel)
    importer.follow("oAda", timedelta(hours=1))

    job = await importer.run()

    assert (job.done, job.payload["new"]) == (2_101, 1)
    after = await logged_versions(importer.runtime, importer.channel)
    assert {block: len(after[block]) - len(before[block]) for block in after} == {0: 1}
    await importer.check()


async def test_a_follow_counts_since_when_wechat_says(importer: Importer) -> None:
    importer.follow("oNow", timedelta(minutes=30))
    importer.follow("oYesterday", timedelta(hours=30))
    importer.follow("oLong", timedelta(days=400))

    await importer.run()

    assert await importer.tags() == {
        "oNow": {NEW, TOUCHABLE, NOT_OPENED, NO_AD},
        "oYesterday": {NEW, UNTOUCHABLE, NOT_OPENED, NO_AD},
        "oLong": {OLD, UNTOUCHABLE, NOT_OPENED, NO_AD},
    }
    importer.wechat.clock.advance(timedelta(days=2))
    await importer.check()


async def test_who_came_through_an_ad_since_the_binding_is_from_an_ad(importer: Importer) -> None:
    importer.wechat.clock.advance(timedelta(days=9))
    for openid, ago in (("oBefore", 10), ("oSince", 8)):
        importer.follow(openid, timedelta(days=ago)).subscribe_scene = "ADD_SCENE_WECHAT_ADVERTISEMENT"
    importer.follow("oOther", timedelta(days=8)).subscribe_scene = "ADD_SCENE_QR_CODE"

    await importer.run()

    tags = await importer.tags()
    assert {openid: AD in found for openid, found in tags.items()} == {
        "oBefore": False,
        "oSince": True,
        "oOther": False,
    }
    await importer.check()


async def test_a_follower_of_whom_no_time_is_told_is_an_old_one(importer: Importer) -> None:
    importer.follow("oSparse").sparse = True
    importer.follow("oKnown").sparse = True
    await importer.record("oKnown", EventKind.FOLLOW)
    importer.follow("oTimed", timedelta(days=-3000)).followed_at = datetime(
        1999, 1, 1, tzinfo=importer.wechat.clock().tzinfo
    )

    await importer.run()

    tags = await importer.tags()
    assert tags["oSparse"] == tags["oTimed"] == {OLD, UNTOUCHABLE, NOT_OPENED, NO_AD}
    assert tags["oKnown"] == {NEW, TOUCHABLE, NOT_OPENED, NO_AD}
    assert (await importer.facts())["oSparse"].followed_at == UNKNOWN_TIME
    ordinal = (await importer.column("ordinal"))["oSparse"]
    async with importer.runtime.pool.acquire() as conn:
        (shown,) = await users_by_ordinal(conn, importer.channel.channel_id, [int(str(ordinal))])
    assert (shown.following, shown.facts.followed_at, shown.touchable_until) == (True, None, None)
    await importer.check()
    await importer.record("oSparse", EventKind.FOLLOW)
    assert (await importer.tags())["oSparse"] == {NEW, TOUCHABLE, NOT_OPENED, NO_AD}


async def test_who_came_back_unnoticed_follows_since_they_left(importer: Importer) -> None:
    left_at = importer.wechat.clock() - timedelta(hours=20)
    for openid in ("oSparse", "oWrong"):
        await importer.record(openid, EventKind.FOLLOW, left_at - timedelta(days=1))
        await importer.record(openid, EventKind.UNFOLLOW, left_at)
    importer.follow("oSparse").sparse = True
    importer.follow("oWrong", timedelta(days=5))
    importer.follow("oBack", timedelta(hours=1))
    await importer.record("oBack", EventKind.UNFOLLOW, left_at)

    await importer.run()

    assert await importer.following() == {"oSparse", "oWrong", "oBack"}
    facts = await importer.facts()
    assert facts["oSparse"].followed_at == facts["oWrong"].followed_at == left_at
    assert facts["oBack"].followed_at == importer.wechat.clock() - timedelta(hours=1)
    await importer.check()


async def test_unionids_are_linked_and_contradictions_change_nothing(importer: Importer) -> None:
    for openid, unionid in (("oAda", "uAda"), ("oBob", "uBob"), ("oEve", "uEve"), ("oTwin", "uAda"), ("oOdd", "u?")):
        importer.follow(openid).unionid = unionid
    await link_identities(
        importer.runtime, importer.channel, [IdentityPair("oBob", "uBob"), IdentityPair("oEve", "uOther")]
    )

    job = await importer.run()

    assert await importer.column("unionid") == {
        "oAda": "uAda",
        "oBob": "uBob",
        "oEve": "uOther",
        "oTwin": None,
        "oOdd": None,
    }
    assert job.payload["unionid_conflicts"] == 2
    again = await importer.run()
    assert again.payload["unionid_conflicts"] == 2


async def test_an_answer_without_unionid_or_scene_erases_none(importer: Importer) -> None:
    for openid in ("oAda", "oLeft"):
        importer.follow(openid).unionid = f"u{openid}"
    await importer.run()
    importer.wechat.account.people.user("oAda").sparse = True
    importer.wechat.account.unfollow("oLeft")
    importer.wechat.clock.advance(timedelta(hours=1))

    await importer.run()

    assert await importer.column("unionid") == {"oAda": "uoAda", "oLeft": "uoLeft"}
    assert await importer.column("subscribe_scene") == dict.fromkeys(("oAda", "oLeft"), "ADD_SCENE_SEARCH")
    assert await importer.following() == {"oAda"}


async def test_open_pages_hear_of_each_batch_with_its_cause(importer: Importer) -> None:
    importer.wechat.crowd(2_500)

    await importer.run()

    versions = (await logged_versions(importer.runtime, importer.channel))[0]
    assert sorted(versions) == [1, 2, 3]
    assert {cause.value for each in versions.values() for cause in each.causes} == {"IMPORT"}
    sent = [(each.block, each.version) for each in published_notifications(importer.runtime) if each.block is not None]
    assert sent == [(0, 1), (0, 2), (0, 3)]
