"""Find the tag of a label however it was pasted, from before labels were tidied too (docs/specification.md, §4.6)."""

import pytest

from service.domain.return_data.submission import ReturnRecorder
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import BadInputError, NotFoundError
from service.entities.return_data import ReturnMode
from tests.support.tags import delete_tag_of, members_of, submission_of, submit


async def hand_back(
    runtime: Runtime, channel: Channel, openid: str, label: str, mode: ReturnMode = ReturnMode.ADD
) -> int:
    """Hand back one openid under a label, and return the id of the tag."""
    return (await submit(runtime, channel, submission_of([openid], mode, label=label))).tag_id


async def store_label(runtime: Runtime, channel: Channel, tag_id: int, label: str) -> None:
    """Give a tag a label as releases stored it before labels were tidied."""
    for statement in (
        "update return_tag set label = $3 where channel_id = $1 and tag_id = $2",
        "update tag set name = $3 where channel_id = $1 and tag_id = $2",
    ):
        await runtime.pool.execute(statement, channel.channel_id, tag_id, label)
    await runtime.pool.execute("update channel_state set tag_version = tag_version + 1")


async def test_labels_that_look_alike_are_one_tag(runtime: Runtime, channel: Channel) -> None:
    tag_id = await hand_back(runtime, channel, "ann", "\ufeffGold\u200b")

    assert await hand_back(runtime, channel, "bob", "Go\u00adld") == tag_id
    assert await hand_back(runtime, channel, "cat", " Gold") == tag_id
    assert await members_of(runtime, channel, tag_id) == {"ann", "bob", "cat"}
    assert await runtime.pool.fetchval("select label from return_tag") == "Gold"


@pytest.mark.parametrize(
    "label", ["", "\u200b\u2060", "\u200eGold", "Go\u2028ld", "\u202eGold", pytest.param("\u0301" * 40_000, id="long")]
)
async def test_a_label_that_cannot_be_seen_or_misleads_is_refused(
    runtime: Runtime, channel: Channel, label: str
) -> None:
    with pytest.raises(BadInputError) as refused:
        await hand_back(runtime, channel, "ann", label)

    assert [error.path for error in refused.value.fields] == [("label",)]
    assert await runtime.pool.fetchval("select count(*) from return_tag") == 0


@pytest.mark.parametrize("label", ["Gold\u200b", "\u200eGold", "\u200b", "Go\u2028ld"])
async def test_a_label_from_before_is_found_as_it_is_stored(runtime: Runtime, channel: Channel, label: str) -> None:
    tag_id = await hand_back(runtime, channel, "ann", "Gold")
    await store_label(runtime, channel, tag_id, label)

    assert await hand_back(runtime, channel, "bob", label) == tag_id
    assert await members_of(runtime, channel, tag_id) == {"ann", "bob"}


async def test_a_label_from_before_is_found_by_what_it_looks_like(runtime: Runtime, channel: Channel) -> None:
    tag_id = await hand_back(runtime, channel, "ann", "Gold")
    await store_label(runtime, channel, tag_id, "Gold\u200b")

    assert await hand_back(runtime, channel, "bob", "Gold") == tag_id
    assert await hand_back(runtime, channel, "ann", "Go\u2060ld", ReturnMode.REMOVE) == tag_id
    assert await members_of(runtime, channel, tag_id) == {"bob"}
    with pytest.raises(NotFoundError):
        await hand_back(runtime, channel, "ann", "Silver", ReturnMode.REMOVE)
    await delete_tag_of(runtime, channel, tag_id)
    assert await hand_back(runtime, channel, "cat", "Gold\u200b") != tag_id


async def test_twins_from_before_are_told_apart_by_their_stored_labels(runtime: Runtime, channel: Channel) -> None:
    first = await hand_back(runtime, channel, "ann", "Gold")
    twin = await hand_back(runtime, channel, "bob", "Silver")
    await store_label(runtime, channel, twin, "Gold\u200b")

    assert await hand_back(runtime, channel, "cat", "Gold\u200b") == twin
    assert await hand_back(runtime, channel, "dan", "Gold") == first
    assert await hand_back(runtime, channel, "eve", "Gold\u2060") == first


async def test_a_retry_is_answered_alike_when_the_tag_from_before_is_gone(runtime: Runtime, channel: Channel) -> None:
    tag_id = await hand_back(runtime, channel, "ann", "Gold")
    await store_label(runtime, channel, tag_id, "Gold\u200b")
    submission = submission_of(["bob"], label="Gold\u200b", key="night")
    first = await ReturnRecorder(runtime).submit(channel, submission)
    await delete_tag_of(runtime, channel, tag_id)

    again = await ReturnRecorder(runtime).submit(channel, submission)
    assert (again.receipt.batch_id, again.replayed) == (first.receipt.batch_id, True)
