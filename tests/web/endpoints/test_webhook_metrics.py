"""Read in `/metrics` how webhooks fare."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from service.domain.change_feed.sequencing import sequence_channel
from service.entities.ids import parse_channel_gid
from service.entities.webhooks import WebhookState
from tests.support.robot import Robot
from tests.support.web import WebClient, web_process
from tests.support.webhooks import Webhooks
from tests.support.worker import worker_runtime


@pytest.fixture
async def web(database_url: str, redis_url: str) -> AsyncIterator[WebClient]:
    """Serve a database of its own, as the metrics are of all channels."""
    async with web_process(database_url, redis_url) as running:
        yield running


@pytest.fixture
async def conn(web: WebClient) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(web.settings.database_url)
    yield connection
    await connection.close()


async def metrics(web: WebClient) -> dict[str, float]:
    """Return what the metrics say of webhooks, by state or by name without what they share."""
    text = (await web.http.get("/metrics")).text
    found = re.findall(r'^user_tags_webhook_(\w+)(?:\{state="(\w+)"\})? (.*)$', text, re.MULTILINE)
    return {state or name: float(value) for name, state, value in found}


async def test_all_is_well_where_nobody_is_told(web: WebClient) -> None:
    seen = await metrics(web)
    assert set(seen) == {*WebhookState, "lag_seconds", "failing_lag_seconds"}
    assert set(seen.values()) == {0}


async def test_states_and_lags_are_shown(web: WebClient, conn: asyncpg.Connection) -> None:
    robot = Robot(web)
    channel = await robot.bind()
    for _ in range(3):
        await Webhooks(robot).create()
    assert (await metrics(web))["ACTIVE"] == 3
    await robot.record(channel["id"], {"openid": "ann", "kind": "FOLLOW", "at": datetime.now(UTC).isoformat()})
    async with worker_runtime(web) as runtime:
        await sequence_channel(runtime, parse_channel_gid(channel["id"]))
    assert 0 < (await metrics(web))["lag_seconds"] < 60
    assert (await metrics(web))["failing_lag_seconds"] == 0

    failing_since = "update webhook_position set failing_since = $2, seq = $3 where endpoint_id = $1"
    now = datetime.now(UTC)
    long_ago = int((now - timedelta(hours=2)).timestamp() * 1_000_000)
    endpoint_ids = [
        row["endpoint_id"] for row in await conn.fetch("select endpoint_id from webhook_endpoint order by 1")
    ]
    await conn.execute(failing_since, endpoint_ids[0], now - timedelta(minutes=1), long_ago)
    await conn.execute(failing_since, endpoint_ids[1], now - timedelta(days=4), long_ago)
    await conn.execute("update webhook_position set version = 0 where endpoint_id = $1", endpoint_ids[1])
    await conn.execute("update webhook_endpoint set state = 'OFF' where endpoint_id = $1", endpoint_ids[2])

    seen = await metrics(web)
    assert {state: seen[state] for state in WebhookState} == {
        "ACTIVE": 0,
        "RETRYING": 1,
        "FAILING": 1,
        "OFF": 1,
        "GONE": 0,
    }
    assert seen["lag_seconds"] == 0
    assert 7_200 <= seen["failing_lag_seconds"] < 7_300
