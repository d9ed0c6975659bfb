"""Hold the change log against the bits: it fits after anything that happens, and whatever is done to it is noticed.

The rule: docs/architecture/17-looking-back.md.
"""

from datetime import timedelta

import pytest

from service.domain.audiences.counting import count_audience_as_of
from service.domain.combos.expressions import to_draft
from service.domain.privacy.forgetting import forget_openid
from service.domain.privacy.retention import prune_channel
from service.domain.runtime import Runtime
from service.domain.verification.change_log import SAMPLED_BLOCKS, verify_log
from service.domain.verification.channel import verify_channel
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.errors import BadInputError
from service.entities.expressions import tag
from tests.support.clock import FrozenClock
from tests.support.database_state import skip_ordinals, tags_by_ordinal
from tests.support.runtime import admin
from tests.support.tags import add_members, make_tag, remove_members

CROWD = tuple(f"crowd{number}" for number in range(400))
# What is done to the log, and how many of its lines no longer fit.
DAMAGES = {
    "somebody's gain is gone": ("update user_tag_change set added = '{}' where version = 2", 1),
    "somebody's loss is gone": ("update user_tag_change set removed = '{}' where version = 4", 1),
    "a gain was a loss": ("update user_tag_change set added = removed, removed = added where version = 2", 2),
    "it was somebody else": ("update user_tag_change set user_offset = 7 where version = 2", 2),
    "a version is missing": ("delete from user_tag_change where version = 5", 1),
    "the newest version is missing": ("delete from user_tag_change where version = 6", 2),
    "the oldest version is missing": ("delete from user_tag_change where version = 1", 2),
    "an instant is out of order": ("update user_tag_change set at = at + interval '1 day' where version = 2", 1),
    "a crowd gained less": ("update bulk_tag_change set added = set_bit(added, 20, 0)", 1),
    "a crowd gained another tag": ("update bulk_tag_change set tag_id = 900", 798),
}


@pytest.fixture
async def gold(runtime: Runtime, channel: Channel, clock: FrozenClock) -> int:
    """Make six versions of a block: lists of few and of many, with somebody who lost the tag and one forgotten."""
    gold = await make_tag(runtime, channel, "Gold", "ada")
    for names in (("bob",), CROWD):
        clock.advance(timedelta(hours=1))
        await add_members(runtime, channel, gold, *names)
    clock.advance(timedelta(hours=1))
    await remove_members(runtime, channel, gold, "bob")
    await forget_openid(runtime, channel.channel_id, "crowd7")
    await add_members(runtime, channel, gold, "cyd")
    assert await verify_log(runtime, channel.channel_id, [0], whole=True, repair=False) == 0
    return gold


@pytest.mark.parametrize("name", DAMAGES)
async def test_what_does_not_fit_is_counted_and_cut_off_on_request(
    runtime: Runtime, channel: Channel, gold: int, clock: FrozenClock, name: str
) -> None:
    damage, wrong = DAMAGES[name]
    before = await tags_by_ordinal(runtime, channel)
    await runtime.pool.execute(damage)

    assert (await verify_channel(runtime, channel, repair=False)).wrong_log == wrong
    assert (await verify_channel(runtime, channel, repair=True)).wrong_log == wrong
    assert (await verify_channel(runtime, channel, repair=False)).clean
    assert await tags_by_ordinal(runtime, channel) == before
    with pytest.raises(BadInputError):
        await count_audience_as_of(
            runtime, admin(), channel.channel_id, to_draft(channel.channel_id, tag(gold)), channel.bound_at
        )


async def test_a_log_that_was_pruned_need_not_begin_with_nobody(
    runtime: Runtime, channel: Channel, gold: int, clock: FrozenClock
) -> None:
    del gold
    await prune_channel(runtime, channel.channel_id, clock() - timedelta(minutes=30))

    assert await verify_log(runtime, channel.channel_id, [0], whole=True, repair=False) == 0
    await runtime.pool.execute("update user_tag_change set added = '{}' where cause = 'RETURN_DATA'")
    assert await verify_log(runtime, channel.channel_id, [0], whole=True, repair=False) == 0
    await runtime.pool.execute("update user_tag_change set version = version + 9 where cause = 'RETURN_DATA'")
    assert await verify_log(runtime, channel.channel_id, [0], whole=True, repair=False) > 0


async def test_a_sample_is_looked_at_unless_all_is_asked_for(runtime: Runtime, channel: Channel) -> None:
    many = SAMPLED_BLOCKS + 3
    gold = await make_tag(runtime, channel, "Gold", "p0")
    for block in range(1, many):
        await skip_ordinals(runtime, channel, block * BLOCK_SIZE)
        await add_members(runtime, channel, gold, f"p{block}")
    await runtime.pool.execute("update user_tag_change set added = '{}'")

    assert (await verify_channel(runtime, channel, repair=False)).wrong_log == SAMPLED_BLOCKS
    assert (await verify_channel(runtime, channel, repair=False, whole_log=True)).wrong_log == many
