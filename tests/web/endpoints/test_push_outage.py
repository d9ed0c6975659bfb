"""Answer no push `success` while the database fails, so that WeChat tries again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from tests.support.robot import Robot, table_digests
from tests.support.web import web_process
from tests.web.endpoints.push_account import PushingAccount, bind_account, event_fields, message_fields


@pytest.fixture
async def own_account(database_url: str, redis_url: str) -> AsyncIterator[PushingAccount]:
    """Bind an account on a database that the test may damage."""
    async with web_process(database_url, redis_url) as web:
        yield await bind_account(Robot(web))


async def execute(account: PushingAccount, *statements: str) -> None:
    connection = await asyncpg.connect(account.robot.web.settings.database_url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("table", ["channel_user", "block_head", "user_tag_change", "tag_member_count"])
async def test_what_cannot_be_recorded_is_not_acknowledged(own_account: PushingAccount, table: str) -> None:
    query, body = own_account.encrypt(message_fields())
    await execute(own_account, f"alter table {table} rename to away")
    answer = await own_account.post(query, body)
    assert (answer.status_code, answer.text) == (503, "TRY_AGAIN")

    await execute(own_account, f"alter table away rename to {table}")
    again = await own_account.post(query, body)
    assert (again.status_code, again.text) == (200, "success")


async def test_a_channel_that_cannot_be_looked_up_is_not_answered_404(
    own_account: PushingAccount, caplog: pytest.LogCaptureFixture
) -> None:
    query, body = own_account.encrypt(message_fields())
    await execute(own_account, "alter table channel rename to away")
    answer = await own_account.post(query, body)
    verified = await own_account.robot.web.http.get(own_account.url, params=query)
    assert (answer.status_code, answer.text) == (503, "TRY_AGAIN")
    assert verified.status_code == 503
    assert own_account.url.rpartition("/")[2] not in caplog.text

    await execute(own_account, "alter table away rename to channel")
    assert (await own_account.post(query, body)).text == "success"


async def test_a_refused_write_leaves_nothing_half_done(own_account: PushingAccount) -> None:
    await own_account.push(event_fields("subscribe"))
    before = await table_digests(own_account.robot.web)
    await execute(
        own_account,
        "create function refuse() returns trigger language plpgsql as $$ begin raise 'disk full'; end $$",
        "create trigger refuse before insert on user_tag_change for each row execute function refuse()",
    )
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert (await own_account.push(event_fields("unsubscribe", at=later))).status_code == 503
    assert await table_digests(own_account.robot.web) == before

    await execute(own_account, "drop trigger refuse on user_tag_change")
    assert (await own_account.push(event_fields("unsubscribe", at=later))).text == "success"
    assert await table_digests(own_account.robot.web) != before


async def test_lost_connections_cost_no_push(own_account: PushingAccount) -> None:
    async def pushes(name: str) -> list[tuple[int, str]]:
        answers = await asyncio.gather(*(own_account.push(message_fields(f"o{name}{number}")) for number in range(8)))
        return [(answer.status_code, answer.text) for answer in answers]

    await pushes("before")
    terminate = (
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name = 'user-tags'"
    )
    during, _ = await asyncio.gather(pushes("during"), execute(own_account, terminate))
    afterwards = await pushes("after")

    assert set(during) <= {(200, "success"), (503, "TRY_AGAIN")}
    assert set(afterwards) == {(200, "success")}
    for number, (status, _) in enumerate(during):
        if status == 200:
            answer = await own_account.robot.ask(
                "query($c: ID!, $o: String!) { user(channelId: $c, openid: $o) { lastMessageAt } }",
                c=own_account.channel,
                o=f"oduring{number}",
            )
            assert answer["user"]["lastMessageAt"]
