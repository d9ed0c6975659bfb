"""Hold what entries say, where they are kept, and that they live and die with their act."""

from dataclasses import replace

import pytest

from service.domain.audit.recording import changes, record
from service.domain.audit.values import tag_ref
from service.domain.combos.tag_deletion import delete_tag, rename_tag
from service.domain.runtime import Runtime
from service.entities.audit import AuditOutcome, AuditValues, Hidden
from service.entities.channels import Channel
from service.entities.ids import tag_gid
from service.entities.principal import RequestOrigin
from tests.support.audit import audit_rows
from tests.support.clock import FrozenClock
from tests.support.runtime import admin, bind
from tests.support.tags import make_tag

ACTOR = replace(admin(), origin=RequestOrigin("a request", "203.0.113.7"))


async def test_an_entry_says_who_did_what_to_what_when_and_with_which_request(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    tag = await make_tag(runtime, channel, "Gold", "openid-1")
    await delete_tag(runtime, ACTOR, channel.channel_id, tag)
    entry = (await audit_rows(runtime))[-1]
    assert (entry["subject"], entry["role"], entry["action"]) == ("tests", "admin", "deleteTag")
    assert entry["target_id"] == tag_gid(channel.channel_id, tag)
    assert (entry["request_id"], entry["client_address"]) == ("a request", "203.0.113.7")
    assert (entry["outcome"], entry["error_code"], entry["count"]) == (AuditOutcome.DONE, None, 1)
    assert (entry["at"], entry["channel_id"], entry["number"]) == (clock(), channel.channel_id, None)


async def test_a_label_stands_there_as_a_hash_that_is_the_same_each_time(runtime: Runtime, channel: Channel) -> None:
    tag = await make_tag(runtime, channel, "Gold", "openid-1")
    await rename_tag(runtime, ACTOR, channel.channel_id, tag, "Silver")
    await rename_tag(runtime, ACTOR, channel.channel_id, tag, "Gold")
    first, second = (await audit_rows(runtime))[-2:]
    assert first["before"] == second["after"] != first["after"]
    assert first["before"].keys() == {"name"}
    assert "Gold" not in str((first, second))


async def test_what_changes_nothing_is_not_recorded(runtime: Runtime, channel: Channel) -> None:
    tag = await make_tag(runtime, channel, "Gold", "openid-1")
    before = await audit_rows(runtime)
    await rename_tag(runtime, ACTOR, channel.channel_id, tag, "Gold")
    assert await audit_rows(runtime) == before


async def test_an_act_that_is_rolled_back_leaves_no_entry(runtime: Runtime, channel: Channel) -> None:
    before = await audit_rows(runtime)

    async def break_off() -> None:
        async with runtime.pool.acquire() as conn, conn.transaction():
            await record(conn, runtime, ACTOR, "delete_tag", channel_id=channel.channel_id)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    assert await audit_rows(runtime) == before


async def test_what_concerns_the_whole_robot_is_kept_in_the_channel_it_bound_first(
    runtime: Runtime, channel: Channel
) -> None:
    await bind(runtime)
    async with runtime.pool.acquire() as conn:
        await record(conn, runtime, ACTOR, "reset_return_key", channel_id=None)
    assert (await audit_rows(runtime))[-1]["channel_id"] == channel.channel_id


async def test_a_robot_that_never_bound_an_account_has_no_log(runtime: Runtime) -> None:
    async with runtime.pool.acquire() as conn:
        await record(conn, runtime, ACTOR, "obtain_return_endpoint", channel_id=None)
    assert await audit_rows(runtime) == []


async def test_values_are_written_as_clients_know_them(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    values: AuditValues = {
        "tags": {tag_ref(1, 3), tag_ref(1, 2)},
        "at": clock(),
        "openid": Hidden("openid", "openid-1"),
        "in_a_row": {"none": None, "list": [True, 1]},
    }
    async with runtime.pool.acquire() as conn:
        await record(conn, runtime, ACTOR, "act", channel_id=channel.channel_id, after=values)
    after = (await audit_rows(runtime))[-1]["after"]
    assert after.pop("openid").startswith("openid:")
    assert after == {
        "tags": sorted([tag_gid(1, 2), tag_gid(1, 3)]),
        "at": "2026-03-01T12:00:00Z",
        "inARow": {"none": None, "list": [True, 1]},
    }


async def test_hashes_of_two_robots_or_two_sorts_of_text_differ(runtime: Runtime, channel: Channel) -> None:
    other = replace(ACTOR, robot_id="robot-2")
    await bind(runtime, robot_id="robot-2")
    async with runtime.pool.acquire() as conn:
        for actor in (ACTOR, other):
            after = {"a": Hidden("openid", "same"), "b": Hidden("label", "same")}
            await record(conn, runtime, actor, "act", channel_id=None, after=after)
    texts = [
        text for robot in ("robot-1", "robot-2") for text in (await audit_rows(runtime, robot))[-1]["after"].values()
    ]
    assert len({text.partition(":")[2] for text in texts}) == len(texts)


def test_only_what_differs_is_kept_of_before_and_after() -> None:
    before: AuditValues = {"name": "a", "kept": 1}
    after: AuditValues = {"name": "b", "kept": 1}
    assert changes(before, after) == {"before": {"name": "a"}, "after": {"name": "b"}}
