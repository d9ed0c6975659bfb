"""Log on SIGUSR1 what a web process holds."""

import json
import logging
import os
import signal
from typing import Any

import pytest

from tests.support.sockets import open_socket
from tests.support.waiting import wait_until
from tests.support.web import web_process

BIND = """
mutation($input: BindChannelInput!) { bindChannel(input: $input) { channel { id } } }
"""
USER_TAGS = """
subscription($channel: ID!) { userTags(channelId: $channel, openid: "ann") { cursor } }
"""


async def test_what_is_held_is_logged_and_released(
    database_url: str, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="service.web.diagnostics")
    async with web_process(database_url, redis_url) as web:
        details = {"kind": "SERVICE_ACCOUNT", "appId": "wx0123456789", "name": "Tea house", "verified": True}
        bound = await web.run(BIND, token=web.token("admin"), input=details)
        async with open_socket(web.url) as socket:
            await socket.initialise({"Authorization": f"Bearer {web.token('agent')}"})
            page = await socket.subscribe(USER_TAGS, channel=bound["bindChannel"]["channel"]["id"])
            await page.next()
            held = await _asked(caplog)
            assert (held["subscriptions"], held["pages"]) == (1, 1)
            assert held["tasks"]["ChannelWatch of …"] == 1
            assert 0 < held["idle"] <= held["connections"] <= web.settings.database_pool_size

        async def given_back() -> bool:
            held = await _asked(caplog)
            return held["subscriptions"] == held["pages"] == 0 and "ChannelWatch of …" not in held["tasks"]

        await wait_until(given_back)


async def _asked(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    caplog.clear()
    os.kill(os.getpid(), signal.SIGUSR1)
    text = await wait_until(lambda: next(iter(caplog.messages), None))
    held: dict[str, Any] = json.loads(text.removeprefix("process stats "))
    return held
