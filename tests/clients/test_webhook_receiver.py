"""Run the program of examples/webhook_receiver as it is, against the real service, which delivers to it."""

import asyncio
import json
import os
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from service.foundation.settings import WebhookCalls
from tests.support.robot import Robot, event_input
from tests.support.servers import free_port
from tests.support.web import web_process
from tests.support.webhooks import REPLAY, RESEND, ROTATE, Postman, Webhooks, endpoint_in, postman

PROGRAM = Path(__file__).parents[2] / "examples" / "webhook_receiver" / "receiver.py"


class Program:
    """Read what the running program prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> str:
        """Return the next line."""
        assert self._process.stdout is not None
        return (await asyncio.wait_for(self._process.stdout.readline(), 30)).decode().rstrip()

    async def events(self, count: int) -> list[dict[str, Any]]:
        """Return the next events, so many."""
        return [json.loads(await self.line()) for _ in range(count)]


@pytest.fixture
async def robot(database_url: str, redis_url: str) -> AsyncIterator[Robot]:
    async with web_process(database_url, redis_url, webhooks=WebhookCalls(allow_private=True)) as web:
        yield Robot(web)


@pytest.fixture
async def post(robot: Robot) -> AsyncIterator[Postman]:
    async with postman(robot.web) as found:
        yield found


@pytest.fixture
def port() -> int:
    return free_port()


@asynccontextmanager
async def receiving(robot: Robot, port: int, book: Path, token: str | None = None) -> AsyncIterator[Program]:
    """Run the program until the block is left."""
    clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    given = {"URL": robot.web.url, "TOKEN": token or robot.token(), "PORT": str(port), "BOOK": str(book)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        env=clean | given,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def people_with(book: Path, tag: str) -> set[str]:
    with sqlite3.connect(book) as connection:
        return {person for (person,) in connection.execute("select person from has_tag where tag = ?", (tag,))}


async def test_the_whole_story(robot: Robot, post: Postman, port: int, tmp_path: Path) -> None:
    """Follow a person through everything that happens to an endpoint: rotation, an outage, recovery and a replay."""
    channel, book, hooks = (await robot.bind())["id"], tmp_path / "book", Webhooks(robot)
    async with receiving(robot, port, book) as program:
        assert await program.line() == f"http://127.0.0.1:{port}/webhooks is ACTIVE"
        [endpoint] = await hooks.every()

        await robot.record(channel, event_input("ada", "FOLLOW"))
        await post.deliver(channel)
        [followed] = await program.events(1)
        tags = await robot.tag_ids(channel, "ada")
        assert (followed["type"], followed["cause"]) == ("user.tags_changed", "EVENT")
        assert set(followed["added"]) == set(tags.values())
        assert people_with(book, tags["New user"]) == {followed["userId"]}

        # A repeat is seen to be one, and a forgery to be none.
        [sent] = (await hooks.deliveries(endpoint["id"]))["nodes"]
        await robot.ask(RESEND, id=sent["id"])
        await post.deliver(channel)
        assert await program.line() == f"again: {sent['messageId']}"
        assert await forge(port) == 401

        # The secret that it knows signs for another day.
        endpoint_in(await robot.ask(ROTATE, id=endpoint["id"]))
        await robot.record(channel, event_input("ada", "MESSAGE", timedelta()))
        await post.deliver(channel)
        [wrote] = await program.events(1)
        assert wrote["added"] == [(await robot.tag_ids(channel, "ada"))["Opened"]]

    await robot.record(channel, event_input("bob", "FOLLOW"))
    await post.deliver(channel)
    shown = await hooks.shown(endpoint["id"])
    assert shown["state"] == "RETRYING"
    assert (await hooks.deliveries(endpoint["id"]))["nodes"][0]["error"] == "CONNECT"
    await robot.record(channel, event_input("cat", "FOLLOW"))
    async with receiving(robot, port, book) as program:
        assert await program.line() == f"http://127.0.0.1:{port}/webhooks is RETRYING"
        assert [each["id"] for each in await hooks.every()] == [endpoint["id"]]
        await post.deliver(channel)
        came = await program.events(2)
        assert len({followed["userId"], *(each["userId"] for each in came)}) == 3
        assert (await hooks.shown(endpoint["id"]))["state"] == "ACTIVE"

        # Told again it is the same, whatever the book says already.
        await robot.ask(REPLAY, id=endpoint["id"], channelId=channel, cursor=followed["cursor"])
        await post.deliver(channel)
        assert await program.events(3) == [wrote, *came]
        tags = await robot.tag_ids(channel, "ada")
        assert people_with(book, tags["New user"]) == {followed["userId"], *(each["userId"] for each in came)}
        assert people_with(book, tags["Opened"]) == {followed["userId"]}


async def test_nobody_stays_in_the_book_who_is_forgotten_or_of_a_closed_channel(
    robot: Robot, post: Postman, port: int, tmp_path: Path
) -> None:
    channel, book = (await robot.bind())["id"], tmp_path / "book"
    async with receiving(robot, port, book) as program:
        await program.line()
        await robot.record(channel, event_input("ada", "FOLLOW"), event_input("bob", "FOLLOW"))
        await post.deliver(channel)
        ada, bob = [each["userId"] for each in await program.events(2)]
        tag = (await robot.tag_ids(channel, "ada"))["New user"]
        assert people_with(book, tag) == {ada, bob}

        await robot.ask('mutation($c: ID!) { forgetUser(channelId: $c, openid: "bob") { forgotten } }', c=channel)
        await post.deliver(channel)
        [forgotten] = await program.events(1)
        assert (forgotten["type"], forgotten["userId"]) == ("user.forgotten", bob)
        assert people_with(book, tag) == {ada}

        await robot.ask("mutation($c: ID!) { unbindChannel(id: $c) { channel { bound } } }", c=channel)
        await post.deliver(channel)
        [closed] = await program.events(1)
        assert (closed["type"], closed["open"]) == ("channel.state_changed", False)
        assert people_with(book, tag) == set()


async def test_of_two_who_became_one_only_one_stays_in_the_book(robot: Robot, port: int, tmp_path: Path) -> None:
    book, hooks = tmp_path / "book", Webhooks(robot)
    async with receiving(robot, port, book) as program:
        await program.line()
        [endpoint] = await hooks.every()
        assert "USER_MIGRATED" in endpoint["events"]
        gained: dict[str, Any] = {"type": "user.tags_changed", "channelId": "C", "added": ["T"], "removed": []}
        told: list[dict[str, Any]] = [
            gained | {"userId": "former"},
            {"type": "user.migrated", "channelId": "C", "userId": "other"},
            {"type": "user.migrated", "channelId": "C", "userId": "present", "formerUserId": "former"},
            gained | {"userId": "present"},
        ]
        assert await deliver(port, endpoint["secret"], told) == 204
        assert await program.events(4) == told

    assert people_with(book, "T") == {"present"}


async def test_who_may_not_make_webhooks_is_told_so(robot: Robot, port: int, tmp_path: Path) -> None:
    async with receiving(robot, port, tmp_path / "book", robot.token("agent")) as program:
        assert "FORBIDDEN" in await program.line()


async def forge(port: int) -> int:
    """Deliver with a secret of somebody else's; return the status that is answered."""
    return await deliver(port, "whsec_Zm9yZ2VkIHNlY3JldA==", [{"type": "user.forgotten", "userId": "x"}])


async def deliver(port: int, secret: str, events: list[dict[str, Any]]) -> int:
    """Deliver events that are signed with a secret; return the status that is answered."""
    body = json.dumps({"events": events})
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(time.time()))}
    headers["webhook-signature"] = Webhook(secret).sign("msg_1", datetime.now(UTC), body)
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.post(f"http://127.0.0.1:{port}/webhooks", content=body, headers=headers)).status_code
