"""Run what docs/webhooks.md shows: its operations against the service, its code on a signed delivery."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest

from service.foundation.settings import WebhookCalls
from tests.packaging.documents import WEBHOOKS
from tests.support.processes import EXAMPLES, node
from tests.support.robot import Robot
from tests.support.web import web_process
from tests.support.webhooks import Webhooks, postman
from tests.webhooks.receiver import Receiver, Request, receiver

DELIVERED: Final = "http://127.0.0.1:{}/"


@pytest.fixture
async def robot(database_url: str, redis_url: str) -> AsyncIterator[Robot]:
    async with web_process(database_url, redis_url, webhooks=WebhookCalls(allow_private=True)) as web:
        yield Robot(web)


async def test_its_operations_work(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    make, look, again = WEBHOOKS.blocks("graphql")

    made = (await robot.ask(make, channel=channel))["createWebhookEndpoint"]["endpoint"]
    assert (await robot.ask(look))["webhookEndpoints"][0]["id"] == made["id"]
    told = await robot.ask(again, endpoint=made["id"], channel=channel)
    assert (told["replayWebhook"]["endpoint"]["positions"][0]["missed"], bool(told["testWebhook"]["id"])) == (
        True,
        True,
    )


@pytest.mark.parametrize("language", ["python", "js"])
async def test_its_code_takes_what_was_signed_and_nothing_else(robot: Robot, tmp_path: Path, language: str) -> None:
    (code,) = WEBHOOKS.blocks(language)
    async with receiver() as hook:
        secret, sent = await delivered(robot, hook)
    good = {"body": sent.body.decode(), "headers": dict(sent.headers)}
    forged = good | {"body": sent.body.decode().replace("webhook.test", "user.forgotten")}

    assert await run(language, code, tmp_path, secret, good) == ["webhook.test"]
    assert await run(language, code, tmp_path, secret, forged) is None


async def delivered(robot: Robot, hook: Receiver) -> tuple[str, Request]:
    """Return the secret of a new endpoint, and a delivery that it got."""
    channel, hooks = (await robot.bind())["id"], Webhooks(robot)
    made = await hooks.create(url=DELIVERED.format(hook.port))
    await hooks.test(made["id"])
    async with postman(robot.web) as post:
        await post.deliver(channel)
    return made["secret"], hook.requests[0]


async def run(language: str, code: str, place: Path, secret: str, delivery: dict[str, Any]) -> list[str] | None:
    """Return the types of the events that the code makes of a delivery, None if it raises."""
    if language == "python":
        program, name = sys.executable, "program.py"
        rest = "d = json.load(sys.stdin)\nprint(json.dumps(events_of(d['body'].encode(), d['headers'])))"
        text = f"import sys\n{code}\n{rest}\n"
    else:
        program, name = node(EXAMPLES), "program.mjs"
        rest = 'import { readFileSync } from "node:fs";\nconst d = JSON.parse(readFileSync(0, "utf8"));'
        text = f"{code}\n{rest}\nconsole.log(JSON.stringify(eventsOf(d.body, d.headers)));\n"
        if not (modules := place / "node_modules").exists():
            modules.symlink_to(EXAMPLES / "node_modules")
    (place / name).write_text(text, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        program,
        str(place / name),
        env=os.environ | {"WEBHOOK_SECRET": secret},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, errors = await process.communicate(json.dumps(delivery).encode())
    if process.returncode:
        assert "WebhookVerificationError" in errors.decode()
        return None
    return [each["type"] for each in json.loads(printed)]
