"""Draw the histories of the people of the demo."""

import random
import re
from datetime import UTC, datetime, timedelta

import pytest

from service.dev.demo.simulated_users import BACKLOG_DURATION, Action, draw_history, new_openid
from service.dev.demo.wechat_api.books.people import PlatformUser
from service.entities.channels import ChannelKind

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_openids_look_like_wechats() -> None:
    rng = random.Random(1)
    openids = {new_openid("wx1", rng) for _ in range(100)}

    assert len(openids) == 100
    assert all(re.fullmatch(r"o[A-Za-z0-9_-]{27}", openid) for openid in openids)
    assert len({openid[:6] for openid in openids}) == 1
    assert new_openid("wx2", rng)[:6] not in {openid[:6] for openid in openids}


@pytest.mark.parametrize("seed", range(50))
def test_nobody_acts_before_following_or_leaves_twice(seed: int) -> None:
    moments = draw_history(ChannelKind.SERVICE_ACCOUNT, PlatformUser("o1"), NOW, random.Random(seed))

    following = False
    for moment in moments:
        assert (moment.action in {Action.FOLLOW, Action.FOLLOW_BY_SCAN}) is not following
        following = moment.action is not Action.UNFOLLOW
    times = [moment.at for moment in moments]
    assert moments
    assert times == sorted(times)
    assert NOW - BACKLOG_DURATION - timedelta(seconds=1) <= times[0] <= times[-1] <= NOW
    assert all(at.microsecond == 0 for at in times)


@pytest.mark.parametrize("seed", range(50))
def test_who_is_known_goes_on_from_there(seed: int) -> None:
    last = NOW - timedelta(days=1)
    for following in (True, False):
        user = PlatformUser("o1", following=following, acted_at=last)
        moments = draw_history(ChannelKind.SERVICE_ACCOUNT, user, NOW, random.Random(seed))
        assert all(moment.at > last for moment in moments)
        if moments:
            assert (moments[0].action in {Action.FOLLOW, Action.FOLLOW_BY_SCAN}) is not following


def test_nobody_follows_a_mini_program() -> None:
    rng = random.Random(1)
    user = PlatformUser("o1")
    acts = {moment.action for _ in range(50) for moment in draw_history(ChannelKind.MINI_PROGRAM, user, NOW, rng)}

    assert acts == {Action.TEXT, Action.IMAGE, Action.CARD, Action.ENTER, Action.ANSWER}
