"""Answer as if nothing had happened where the database was restarted or migrated in the middle of an operation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from tests.support.robot import CREATE_AD_TAG, RECORD, Robot, event_input
from tests.support.waiting import wait_until
from tests.support.web import web_process

TAGS = "query($id: ID!) { channel(id: $id) { id tags { totalCount nodes { name memberCount } } } }"
FOLLOWERS = "query($id: ID!) { audience(channelId: $id, expression: { followers: true }) { count } }"
BLOCKED = """
select pid from pg_stat_activity
where datname = current_database() and application_name = 'user-tags' and wait_event_type = 'Lock'
"""


@pytest.fixture
async def robot(database_url: str, redis_url: str) -> AsyncIterator[Robot]:
    """Run a web process with a database of its own, and a connection or two."""
    async with web_process(database_url, redis_url) as web:
        yield Robot(web)


@asynccontextmanager
async def locked(robot: Robot, table: str) -> AsyncIterator[asyncpg.Connection]:
    """Hold up whatever touches a table."""
    connection = await asyncpg.connect(robot.web.settings.database_url)
    try:
        async with connection.transaction():
            await connection.execute(f"lock table {table} in access exclusive mode")
            yield connection
    finally:
        await connection.close()


async def cut_off(holder: asyncpg.Connection) -> None:
    """End the connections that wait for the lock."""
    pids: list[int] = []

    async def waiting() -> bool:
        pids[:] = [row["pid"] for row in await holder.fetch(BLOCKED)]
        return bool(pids)

    await wait_until(waiting)
    for pid in pids:
        assert await holder.fetchval("select pg_terminate_backend($1)", pid)


async def test_a_query_whose_connection_is_cut_is_run_again(robot: Robot, caplog: pytest.LogCaptureFixture) -> None:
    channel = (await robot.bind())["id"]
    expected = await robot.ask(TAGS, id=channel)
    async with locked(robot, "tag_member_count") as holder:
        asking = asyncio.create_task(robot.ask(TAGS, id=channel))
        await cut_off(holder)
    assert (await asking).body == expected.body
    assert [each.getMessage() for each in caplog.records if "run again" in each.getMessage()]


async def test_a_mutation_whose_connection_is_cut_is_not_run_again(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    new = {"channelId": channel, "name": "Spring", "adIds": ["1"]}
    async with locked(robot, "tag_change") as holder:
        asking = asyncio.create_task(robot.ask(CREATE_AD_TAG, input=new))
        await cut_off(holder)
    assert (await asking).code == "INTERNAL"
    assert (await robot.ask(CREATE_AD_TAG, input=new))["createAdTag"]["tag"]["name"] == "Spring"


async def test_the_first_mutation_after_a_migration_succeeds(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    first = {"channelId": channel, "name": "Spring", "adIds": ["1"]}
    await robot.ask(CREATE_AD_TAG, input=first)
    await robot.record(channel, event_input("ada", "FOLLOW"))
    async with locked(robot, "tag") as holder:
        await holder.execute("alter table tag alter column name type varchar(64)")
        await holder.execute("alter table channel_user alter column openid type varchar(128)")
    again = await robot.ask(CREATE_AD_TAG, input=first | {"name": "Summer"})
    assert again["createAdTag"]["tag"]["name"] == "Summer"
    recorded = await robot.ask(RECORD, input={"channelId": channel, "events": [event_input("bob", "FOLLOW")]})
    assert recorded["recordEvents"]["accepted"] == 1


async def test_a_query_whose_client_has_left_is_given_up(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    async with locked(robot, "tag_members") as holder:

        async def waiting() -> bool:
            return bool(await holder.fetch(BLOCKED))

        async def given_up() -> bool:
            return not await waiting()

        asking = asyncio.create_task(robot.ask(FOLLOWERS, id=channel))
        await wait_until(waiting)
        asking.cancel()
        # Sooner than the time that a query may take.
        await wait_until(given_up, within=20)
    assert (await robot.ask(FOLLOWERS, id=channel))["audience"]["count"] == 0
