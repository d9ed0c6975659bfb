"""Link openids by unionid, and convert them between two channels of a robot."""

import asyncio
import random

import pytest

from service.domain.people.identities import IdentityPair, convert_openids, link_identities
from service.domain.runtime import Runtime
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import LimitExceededError, RejectionCode
from tests.support.runtime import bind


@pytest.fixture
async def mini_program(runtime: Runtime) -> Channel:
    return await bind(runtime, kind=ChannelKind.MINI_PROGRAM)


async def link(runtime: Runtime, channel: Channel, *pairs: tuple[str, str]) -> tuple[int, int, list[tuple[int, str]]]:
    """Link identities, and return (linked, unchanged, [(index, code)])."""
    done = await link_identities(runtime, channel, [IdentityPair(*pair) for pair in pairs])
    return done.linked, done.unchanged, [(each.index, each.code.value) for each in done.rejected]


async def unionids(runtime: Runtime, channel: Channel) -> dict[str, str | None]:
    query = "select openid, unionid from channel_user where channel_id = $1"
    return {row["openid"]: row["unionid"] for row in await runtime.pool.fetch(query, channel.channel_id)}


async def user_count(runtime: Runtime, channel: Channel) -> int:
    return int(
        await runtime.pool.fetchval("select user_count from channel_state where channel_id = $1", channel.channel_id)
    )


async def test_a_repeat_changes_nothing(runtime: Runtime, channel: Channel) -> None:
    assert await link(runtime, channel, ("ada", "u1"), ("bob", "u2"), ("ada", "u1")) == (2, 1, [])
    assert await link(runtime, channel, ("bob", "u2"), ("ada", "u1")) == (0, 2, [])
    assert await unionids(runtime, channel) == {"ada": "u1", "bob": "u2"}
    assert await user_count(runtime, channel) == 2


async def test_an_openid_keeps_its_unionid_and_a_unionid_its_openid(runtime: Runtime, channel: Channel) -> None:
    conflict = RejectionCode.UNIONID_CONFLICT.value
    await link(runtime, channel, ("ada", "u1"))

    assert await link(
        runtime, channel, ("ada", "u2"), ("bob", "u1"), ("cleo", "u3"), ("cleo", "u4"), ("dan", "u3")
    ) == (
        1,
        0,
        [(0, conflict), (1, conflict), (3, conflict), (4, conflict)],
    )
    assert await unionids(runtime, channel) == {"ada": "u1", "cleo": "u3"}


async def test_malformed_pairs_are_refused_one_by_one(runtime: Runtime, channel: Channel) -> None:
    done = await link(
        runtime, channel, ("", "u1"), ("ada", ""), ("a b", "u1"), ("ada", "ü"), ("x" * 129, "u"), ("eve", "u5")
    )

    assert done == (
        1,
        0,
        [
            (0, "MALFORMED_OPENID"),
            (1, "MALFORMED_UNIONID"),
            (2, "MALFORMED_OPENID"),
            (3, "MALFORMED_UNIONID"),
            (4, "MALFORMED_OPENID"),
        ],
    )
    assert await unionids(runtime, channel) == {"eve": "u5"}


async def test_too_many_pairs_are_refused_together(runtime: Runtime, channel: Channel) -> None:
    pairs = [(f"o{number}", f"u{number}") for number in range(10_001)]

    with pytest.raises(LimitExceededError):
        await link(runtime, channel, *pairs)
    assert await unionids(runtime, channel) == {}
    assert await link(runtime, channel, *pairs[1:]) == (10_000, 0, [])


async def test_whoever_links_at_the_same_time_the_two_never_share_a_unionid(runtime: Runtime, channel: Channel) -> None:
    done = await asyncio.gather(*(link(runtime, channel, (f"o{number % 4}", "u")) for number in range(12)))

    assert sum(linked for linked, _, _ in done) == 1
    assert sum(unchanged for _, unchanged, _ in done) == 2
    assert list((await unionids(runtime, channel)).values()).count("u") == 1


async def test_openids_are_converted_between_channels(
    runtime: Runtime, channel: Channel, mini_program: Channel
) -> None:
    await link(runtime, mini_program, ("m-ada", "u1"), ("m-bob", "u2"), ("m-cleo", "u3"))
    await link(runtime, channel, ("cleo", "u3"), ("ada", "u1"))

    found = await convert_openids(runtime, mini_program, channel, ["m-cleo", "m-bob", "m-eve", "m-ada", "m-bob"])
    assert found == ({"m-cleo": "cleo", "m-ada": "ada"}, ["m-bob", "m-eve"])
    assert await convert_openids(runtime, channel, mini_program, ["ada"]) == ({"ada": "m-ada"}, [])
    assert await convert_openids(runtime, channel, mini_program, []) == ({}, [])


async def test_nobody_converts_between_two_robots(runtime: Runtime, channel: Channel) -> None:
    foreign = await bind(runtime, robot_id="robot-2")

    with pytest.raises(ValueError, match="one robot"):
        await convert_openids(runtime, channel, foreign, ["ada"])


@pytest.mark.parametrize("seed", range(3))
async def test_any_sequence_of_links_gives_what_the_first_to_come_said(
    seed: int, runtime: Runtime, channel: Channel
) -> None:
    draw = random.Random(seed)
    model: dict[str, str] = {}
    for _ in range(15):
        pairs = [(f"o{draw.randrange(12)}", f"u{draw.randrange(12)}") for _ in range(draw.randrange(1, 8))]
        linked = unchanged = 0
        for openid, unionid in pairs:
            if model.get(openid) == unionid:
                unchanged += 1
            elif openid not in model and unionid not in model.values():
                model[openid] = unionid
                linked += 1
        done = await link(runtime, channel, *pairs)
        assert (done[0], done[1], len(done[2])) == (linked, unchanged, len(pairs) - linked - unchanged)
    assert await unionids(runtime, channel) == model
