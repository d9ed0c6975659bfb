"""Read `/metrics`: what a process does, and how long something held its event loop."""

import re
import time
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from service.entities.ids import parse_tag_gid
from service.storage import remote_tags
from tests.api.operations.test_linked_tags import link
from tests.support.robot import Robot
from tests.support.stalls import disturbance
from tests.support.web import WebClient, web_process

TAGS = "query($id: ID!) { channel(id: $id) { tags { nodes { id } } } }"
TOKEN = "the-bearer-token-of-those-who-may-read-metrics"


async def test_the_metrics_of_a_process(web: WebClient) -> None:
    answer = await web.http.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "user_tags_event_loop_stall_seconds_bucket" in answer.text
    assert "user_tags_open_subscriptions 0.0" in answer.text
    assert "process_resident_memory_bytes" in answer.text


async def test_tags_that_should_be_kept_in_sync_and_are_not_are_seen(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url) as web:
        assert await kept_tags(web) == {"failing": 0, "lag_seconds": 0, "unlooked_seconds": 0}
        robot = Robot(web)
        channel = (await robot.bind())["id"]
        tags = (await robot.ask(TAGS, id=channel))["channel"]["tags"]["nodes"]
        for number, tag in enumerate(tags[:2], 100):
            await link(robot, tag["id"], number)
        failing = parse_tag_gid(tags[0]["id"])
        agreed = datetime.now(UTC) - timedelta(minutes=20)
        conn = await asyncpg.connect(database_url)
        try:
            await conn.execute("update remote_tag set looked_at = $1, linked_at = $1, last_success_at = $1", agreed)
            await remote_tags.note_sync_failure(
                conn, failing.channel_id, [failing.tag_id], None, agreed, error="WeChat said no."
            )
        finally:
            await conn.close()
        seen = await kept_tags(web)

    assert seen["failing"] == 1
    assert 1_200 <= seen["lag_seconds"] < 1_800
    assert 1_200 <= seen["unlooked_seconds"] < 1_800


async def test_a_log_that_nobody_seals_is_seen(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url) as web:
        assert await unsealed(web) == 0
        await Robot(web).bind()
        conn = await asyncpg.connect(database_url)
        try:
            await conn.execute("update audit_entry set at = at - interval '10 minutes'")
            assert 600 <= await unsealed(web) < 1_200
            await conn.execute("update audit_entry set number = entry_id")
        finally:
            await conn.close()
        assert await unsealed(web) == 0


async def unsealed(web: WebClient) -> float:
    """Return how old the oldest entry of the audit logs is that is not sealed."""
    text = (await web.http.get("/metrics")).text
    return float(re.findall(r"^user_tags_audit_unsealed_seconds (.*)$", text, re.MULTILINE)[0])


async def kept_tags(web: WebClient) -> dict[str, float]:
    """Return what the metrics say of tags that are kept in sync."""
    text = (await web.http.get("/metrics")).text
    return {name: float(value) for name, value in re.findall(r"^user_tags_kept_tags_(\w+) (.*)$", text, re.MULTILINE)}


async def test_what_holds_the_loop_is_measured(web: WebClient) -> None:
    async def hold() -> None:
        begun = time.thread_time()
        while time.thread_time() < begun + 0.3:
            pass

    seen = await disturbance(web.url, hold)

    assert seen.stall >= 0.25
    assert "the loop was held for up to" in str(seen)


async def test_with_a_token_nobody_reads_them_without_it(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url, metrics_token=TOKEN, production=True) as web:
        refused = [
            await web.http.get("/metrics", headers=headers)
            for headers in ({}, {"Authorization": "Bearer other"}, {"Authorization": f"Basic {TOKEN}"})
        ]
        answer = await web.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

        assert [each.status_code for each in refused] == [401, 401, 401]
        assert refused[0].headers["www-authenticate"] == "Bearer"
        assert answer.status_code == 200


@pytest.mark.parametrize(("production", "status"), [(True, 404), (False, 200)])
async def test_without_a_token_production_has_none(
    database_url: str, redis_url: str, production: bool, status: int
) -> None:
    async with web_process(database_url, redis_url, production=production) as web:
        assert (await web.http.get("/metrics")).status_code == status
