"""Read `/metrics`: what a process does, and how long something held its event loop."""

import time

import pytest

from tests.support.stalls import disturbance
from tests.support.web import WebClient, web_process

TOKEN = "the-bearer-token-of-those-who-may-read-metrics"


async def test_the_metrics_of_a_process(web: WebClient) -> None:
    answer = await web.http.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "user_tags_event_loop_stall_seconds_bucket" in answer.text
    assert "user_tags_open_subscriptions 0.0" in answer.text
    assert "process_resident_memory_bytes" in answer.text


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
