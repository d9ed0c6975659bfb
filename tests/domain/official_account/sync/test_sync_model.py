"""Whatever happened, one undisturbed sync makes both sides the same, but for people whom it names.

The rule: docs/specification.md §6.2.
"""

from hypothesis import given
from hypothesis import strategies as st

from service.dev.demo.wechat_api.behaviour import BadOpenid
from service.domain.runtime import Runtime
from service.entities.remote_tags import RemoteAdditions
from service.wechat.api.tag_calls import TAGGING, UNTAGGING
from tests.dev.wechat_api.wechat import Wechat
from tests.domain.official_account.sync.sync_model import LABELS, Step, SyncModel, behaviours, histories
from tests.support.examples import compared_with_model


@compared_with_model(examples=30)
@given(history=histories(), bad_openid=behaviours(), additions=st.sampled_from(RemoteAdditions))
async def test_one_undisturbed_sync_makes_both_sides_the_same(
    runtime: Runtime, wechat: Wechat, history: list[Step], bad_openid: BadOpenid, additions: RemoteAdditions
) -> None:
    wechat.books.behaviour.bad_openid = bad_openid
    model = await SyncModel.open(runtime, wechat)
    world = model.world
    await model.run(history)
    before = [world.calls(TAGGING), world.calls(UNTAGGING)]

    job = await model.undisturbed(additions)

    calls = [world.calls(TAGGING) - before[0], world.calls(UNTAGGING) - before[1]]
    for label in LABELS:
        extra = model.by_others[label] if additions is RemoteAdditions.KEEP else set()
        assert model.wanted(label) <= world.remote(label) <= model.wanted(label) | extra
    assert await model.unreported(job) == {label: set() for label in LABELS}
    results = await world.results(job)
    if not any(each.failed for each in results):
        assert calls == [sum(each.to_add > 0 for each in results), sum(each.to_remove > 0 for each in results)]
        again = await world.results(await model.undisturbed(additions))
        assert [(each.to_add, each.to_remove) for each in again] == [(0, 0)] * len(LABELS)
