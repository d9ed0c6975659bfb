"""Send as many messages a day, and in a while, as the account may, and the rest later."""

from collections import Counter
from datetime import timedelta

import pytest

from service.dev.demo.wechat_api.limits import Quota
from service.domain.official_account.days import wechat_day
from service.entities.broadcasts import MessageKind
from service.entities.jobs import JobState
from service.storage import wechat_quotas
from tests.dev.wechat_api.wechat import ACCOUNT
from tests.domain.broadcasts.sending.against_wechat.post import Post


def outcomes(post: Post, kind: MessageKind) -> Counter[int | str]:
    """Return how often each outcome was answered to calls that send."""
    told = post.wechat.books.calls.outcomes.items()
    return Counter(
        {code: count for (app, path, code), count in told if (app, path) == (ACCOUNT.app_id, post.path(kind))}
    )


async def know_quota(post: Post, kind: MessageKind, quota: Quota) -> None:
    """Set a quota at the platform, which has told it today."""
    post.wechat.account.quotas.set_quota(post.path(kind), quota)
    async with post.runtime.pool.acquire() as conn:
        channel_id, now = post.channel.channel_id, post.runtime.clock()
        day = wechat_day(post.runtime, now)
        await wechat_quotas.reserve_calls(conn, channel_id, post.path(kind), day, now, 0)
        await wechat_quotas.save_quota(
            conn,
            channel_id,
            post.path(kind),
            day,
            daily_limit=quota.daily,
            used=0,
            calls=quota.calls or None,
            period=timedelta(seconds=quota.seconds) if quota.calls else None,
            now=now,
        )


@pytest.mark.parametrize("quota", [Quota(5), Quota(100, calls=5, seconds=10)])
@pytest.mark.parametrize("kind", [MessageKind.TEMPLATE, MessageKind.CUSTOMER_SERVICE_TEXT])
async def test_what_is_left_of_a_quota_is_used_and_the_rest_waits(post: Post, kind: MessageKind, quota: Quota) -> None:
    people = await post.people(8)
    await know_quota(post, kind, quota)

    job = await post.send(kind, people)

    assert job.state is JobState.DONE
    assert (await post.book.counts(job))["sent"] == 8
    # None was made that the platform had to refuse.
    assert outcomes(post, kind) == {0: 8}
