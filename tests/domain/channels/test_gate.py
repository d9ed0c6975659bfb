"""Allow tags only while a verified Official Account of the robot is bound, and delete nothing.

The rule: docs/specification.md §2.
"""

import asyncio
from datetime import timedelta

import pytest

from service.domain.channels.binding import (
    ChannelUpdate,
    Credentials,
    bind_channel,
    push_url,
    reset_addresses,
    unbind_channel,
    update_channel,
)
from service.domain.events.recorder import EventRecorder
from service.domain.runtime import Runtime
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import BadInputError, ConflictError, ForbiddenError, LimitExceededError, NotFoundError
from service.entities.principal import Principal, Role
from service.entities.revision import Revision
from service.entities.users import EventKind, UserEvent
from service.foundation.settings import ClientLimits, Settings
from service.storage import tags
from service.storage.channels import channel_state
from tests.support.clock import START, FrozenClock
from tests.support.database_state import facts_by_openid, tags_by_openid
from tests.support.runtime import FAR_FUTURE, admin, bind, channel_details, open_runtime, published_notifications

OFFICIAL = (ChannelKind.SERVICE_ACCOUNT, ChannelKind.SUBSCRIPTION_ACCOUNT)


async def is_open(runtime: Runtime, channel: Channel) -> bool:
    async with runtime.pool.acquire() as conn:
        return (await channel_state(conn, channel.channel_id)).open


async def unbind(runtime: Runtime, channel: Channel) -> Channel:
    return (await unbind_channel(runtime, admin(channel.robot_id), channel.channel_id)).channel


async def shown(runtime: Runtime, channel: Channel) -> tuple[int, int]:
    """Return how many tags the panel lists, and how many of all tags a person could show."""
    async with runtime.pool.acquire() as conn:
        catalogue = await tags.catalogue(conn, channel.channel_id)
    return len(catalogue.living()), len(catalogue.shown(catalogue.tags))


async def logged(runtime: Runtime, channel: Channel) -> list[tuple[int, int, str, bool, bool]]:
    rows = await runtime.pool.fetch(
        "select version, tag_id, kind, shown_before, shown_after from tag_change where channel_id = $1 order by 1, 2",
        channel.channel_id,
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


@pytest.mark.parametrize("kind", OFFICIAL)
async def test_a_verified_official_account_opens_the_gate(runtime: Runtime, kind: ChannelKind) -> None:
    channel = await bind(runtime, kind=kind)

    assert await is_open(runtime, channel)
    assert await shown(runtime, channel) == (8, 8)


@pytest.mark.parametrize("kind", OFFICIAL)
async def test_an_unverified_one_keeps_it_closed(runtime: Runtime, kind: ChannelKind) -> None:
    channel = await bind(runtime, kind=kind, verified=False)

    assert not await is_open(runtime, channel)
    assert await shown(runtime, channel) == (0, 0)


async def test_a_mini_program_alone_keeps_it_closed_and_opens_with_an_official_account(runtime: Runtime) -> None:
    mini_program = await bind(runtime, kind=ChannelKind.MINI_PROGRAM)
    assert not await is_open(runtime, mini_program)

    await bind(runtime)

    assert await is_open(runtime, mini_program)
    assert await shown(runtime, mini_program) == (4, 4)


async def test_verification_opens_and_losing_it_closes(runtime: Runtime) -> None:
    channel = await bind(runtime, verified=False)
    for verified in (True, False):
        change = ChannelUpdate(name=None, verified=verified, credentials=Credentials())
        updated = await update_channel(runtime, admin(), channel.channel_id, change)
        assert updated.verified is verified
        assert await is_open(runtime, channel) is verified


async def test_unbinding_the_last_verified_account_closes_every_channel(runtime: Runtime) -> None:
    account, mini_program = await bind(runtime), await bind(runtime, kind=ChannelKind.MINI_PROGRAM)

    await unbind(runtime, account)

    assert not await is_open(runtime, account)
    assert not await is_open(runtime, mini_program)


async def test_unbinding_one_channel_closes_that_channel_only(runtime: Runtime) -> None:
    first, second, mini_program = await bind(runtime), await bind(runtime), await bind(runtime, kind=OFFICIAL[1])

    await unbind(runtime, first)

    assert [await is_open(runtime, each) for each in (first, second, mini_program)] == [False, True, True]


async def test_an_unverified_subscription_account_stays_closed_by_itself(runtime: Runtime) -> None:
    account = await bind(runtime)
    subscription = await bind(runtime, kind=ChannelKind.SUBSCRIPTION_ACCOUNT, verified=False)
    service = await bind(runtime, kind=ChannelKind.SERVICE_ACCOUNT, verified=False)
    assert [await is_open(runtime, each) for each in (account, subscription, service)] == [True, False, True]

    for verified in (True, False):
        change = ChannelUpdate(name=None, verified=verified, credentials=Credentials())
        await update_channel(runtime, admin(), subscription.channel_id, change)
        assert await is_open(runtime, subscription) is verified


async def test_a_narrowed_admin_binds_its_own_channels_and_nothing_else(runtime: Runtime) -> None:
    own, other = await bind(runtime, "wx0123456789abcdef"), await bind(runtime, "wxfedcba9876543210")
    await bind(runtime, "wx00000000elsewhere", robot_id="theirs")
    narrowed = Principal("tests", "robot-1", Role.ADMIN, FAR_FUTURE, frozenset({own.channel_id}))

    again = await bind_channel(runtime, narrowed, channel_details(own.app_id, name="Renamed"))
    assert (again.channel_id, again.name) == (own.channel_id, "Renamed")
    for app_id in (other.app_id, "wx00000000elsewhere", "wx00000000000000new"):
        with pytest.raises(ForbiddenError):
            await bind_channel(runtime, narrowed, channel_details(app_id, verified=False))
    assert await is_open(runtime, other)
    assert await runtime.pool.fetchval("select count(*) from channel") == 3


async def test_a_robot_has_a_limited_number_of_channels(database_url: str, clock: FrozenClock) -> None:
    settings = Settings(client_limits=ClientLimits(channels_per_robot=2))
    async with open_runtime(database_url, clock, settings=settings) as runtime:
        first, _ = await bind(runtime), await bind(runtime)
        await unbind(runtime, first)
        with pytest.raises(LimitExceededError):
            await bind(runtime)
        assert (await bind(runtime, first.app_id)).channel_id == first.channel_id
        assert (await bind(runtime, robot_id="theirs")).robot_id == "theirs"


async def test_one_robots_gate_is_nothing_to_another(runtime: Runtime) -> None:
    mine, theirs = await bind(runtime, robot_id="mine"), await bind(runtime, robot_id="theirs", verified=False)
    assert (await is_open(runtime, mine), await is_open(runtime, theirs)) == (True, False)

    with pytest.raises(NotFoundError):
        await unbind_channel(runtime, admin("theirs"), mine.channel_id)
    assert await is_open(runtime, mine)


async def test_binding_again_shows_everything_as_it_was(runtime: Runtime, clock: FrozenClock) -> None:
    channel = await bind(runtime, "wx0123456789abcdef")
    recorder = EventRecorder(runtime)
    await recorder.record(channel, [UserEvent("before", EventKind.FOLLOW, START)])
    await unbind(runtime, channel)
    clock.advance(timedelta(minutes=2))
    await recorder.record(channel, [UserEvent("meanwhile", EventKind.FOLLOW, clock())])
    assert await shown(runtime, channel) == (0, 0)

    again = await bind(runtime, "wx0123456789abcdef", name="Another name")

    assert (again.channel_id, again.bound_at, again.name) == (channel.channel_id, channel.bound_at, "Another name")
    assert await shown(runtime, again) == (8, 8)
    assert set(await facts_by_openid(runtime, again)) == {"before", "meanwhile"}
    assert all(len(each) == 4 for each in (await tags_by_openid(runtime, again)).values())


async def test_binding_again_keeps_the_push_url_until_it_is_reset(runtime: Runtime) -> None:
    channel = await bind(runtime, "wx0123456789abcdef")
    again = await bind(runtime, "wx0123456789abcdef")
    assert push_url(runtime, again) == push_url(runtime, channel)

    reset = await reset_addresses(runtime, admin(), channel.channel_id)
    assert push_url(runtime, reset) != push_url(runtime, channel)


async def test_an_app_id_belongs_to_one_robot_until_it_is_unbound(runtime: Runtime) -> None:
    mine = await bind(runtime, "wx0123456789abcdef", robot_id="mine")
    with pytest.raises(ConflictError):
        await bind(runtime, "wx0123456789abcdef", robot_id="theirs")
    assert await runtime.pool.fetchval("select count(*) from robot") == 1, "a refused request changes nothing"

    await unbind(runtime, mine)
    theirs = await bind(runtime, "wx0123456789abcdef", robot_id="theirs")

    assert theirs.channel_id != mine.channel_id
    with pytest.raises(ConflictError):
        await bind(runtime, "wx0123456789abcdef", robot_id="mine")
    assert not await is_open(runtime, mine)


async def test_of_two_robots_that_bind_one_app_id_at_once_one_wins(runtime: Runtime) -> None:
    outcomes = await asyncio.gather(
        *(bind(runtime, "wx0123456789abcdef", robot_id=f"robot-{number}") for number in range(4)),
        return_exceptions=True,
    )

    assert sorted(type(each).__name__ for each in outcomes) == ["Channel", *["ConflictError"] * 3]


async def test_bindings_of_one_robot_at_once_agree_on_the_gate(runtime: Runtime) -> None:
    channels = await asyncio.gather(*(bind(runtime, verified=number == 2) for number in range(5)))
    assert [await is_open(runtime, each) for each in channels] == [True] * 5

    same = await asyncio.gather(*(bind(runtime, "wx0123456789abcdef") for _ in range(4)))
    assert len({each.channel_id for each in same}) == 1


async def test_names_are_normalised(runtime: Runtime) -> None:
    channel = await bind(runtime, name="  Cafe\u0301 \u3000")
    assert channel.name == "Café"


async def test_all_bad_inputs_are_named_at_once(runtime: Runtime) -> None:
    bad = Credentials(app_secret="with space", callback_token="no", encoding_aes_key="short")
    wanted = channel_details("not an app id", name="a\x07b")

    with pytest.raises(BadInputError) as refused:
        await bind_channel(
            runtime,
            admin(),
            type(wanted)(wanted.kind, wanted.app_id, wanted.name, wanted.verified, bad),
        )

    assert {failure.path for failure in refused.value.fields} == {
        ("app_id",),
        ("name",),
        ("app_secret",),
        ("callback_token",),
        ("encoding_aes_key",),
    }
    assert await runtime.pool.fetchval("select count(*) from robot") == 0


@pytest.mark.parametrize("name", ["", "   ", "n" * 65, "e\u0301" * 65, "line\nbreak", "\ud800"])
async def test_a_bad_name_is_refused(runtime: Runtime, name: str) -> None:
    with pytest.raises(BadInputError) as refused:
        await bind(runtime, name=name)
    assert [failure.path for failure in refused.value.fields] == [("name",)]


async def test_a_name_of_64_characters_after_normalising_is_fine(runtime: Runtime) -> None:
    assert (await bind(runtime, name=" " + "e\u0301" * 64)).name == "é" * 64


async def test_an_account_cannot_come_back_as_another_kind(runtime: Runtime) -> None:
    await bind(runtime, "wx0123456789abcdef")
    with pytest.raises(BadInputError) as refused:
        await bind(runtime, "wx0123456789abcdef", kind=ChannelKind.MINI_PROGRAM)
    assert [failure.path for failure in refused.value.fields] == [("kind",)]


@pytest.mark.parametrize("role", [Role.AGENT, Role.INTEGRATOR])
async def test_agents_and_integrators_may_not_bind(runtime: Runtime, role: Role) -> None:
    with pytest.raises(ForbiddenError):
        await bind_channel(runtime, Principal("tests", "robot-1", role, FAR_FUTURE), channel_details())


async def test_credentials_are_encrypted_kept_and_removed(runtime: Runtime) -> None:
    channel = await bind(runtime)

    async def given(credentials: Credentials) -> Channel:
        change = ChannelUpdate(name=None, verified=None, credentials=credentials)
        return await update_channel(runtime, admin(), channel.channel_id, change)

    stored = await given(Credentials(app_secret="a secret".replace(" ", "-"), callback_token="token"))
    assert stored.encrypted_app_secret is not None
    assert b"a-secret" not in stored.encrypted_app_secret
    assert runtime.secret_box.decrypt(stored.encrypted_app_secret) == "a-secret"
    kept = await given(Credentials(callback_token=""))
    assert (kept.encrypted_app_secret, kept.encrypted_callback_token) == (stored.encrypted_app_secret, None)


async def test_structural_changes_are_logged_and_published(runtime: Runtime) -> None:
    channel = await bind(runtime)
    await bind(runtime, channel.app_id)
    await unbind(runtime, channel)
    await unbind(runtime, channel)
    await bind(runtime, channel.app_id)

    assert await logged(runtime, channel) == [
        *[(1, tag_id, "CREATED", False, True) for tag_id in range(1, 9)],
        (2, 0, "GATE", False, True),
        (3, 0, "GATE", True, False),
        (4, 0, "GATE", False, True),
    ]
    assert [(each.block, each.version) for each in published_notifications(runtime)] == [
        (None, 2),
        (None, 3),
        (None, 4),
    ]


async def test_structural_changes_since_a_place(runtime: Runtime, clock: FrozenClock) -> None:
    channel = await bind(runtime)
    clock.advance(timedelta(minutes=1))
    await unbind(runtime, channel)
    async with runtime.pool.acquire() as conn:
        since = await tags.tag_changes_since(conn, channel.channel_id, Revision(2, START))
        assert (since.known, since.revision) == (True, Revision(3, clock()))
        assert [(each.version, each.tag_id, each.shown_after) for each in since.changes] == [(3, 0, False)]
        for place in (Revision(2, clock()), Revision(3, START), Revision(4, clock())):
            assert not (await tags.tag_changes_since(conn, channel.channel_id, place)).known
        await tags.prune_tag_changes(conn, channel.channel_id, clock())
        assert (await tags.tag_changes_since(conn, channel.channel_id, Revision(2, START))).known
        assert not (await tags.tag_changes_since(conn, channel.channel_id, Revision(1, START))).known
        assert (await tags.tag_changes_since(conn, channel.channel_id, Revision(3, clock()))).known
