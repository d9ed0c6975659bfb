"""Run `user-tags up --demo` as `make run` does: ready, with live tags, and gone without a trace."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from service.dev.demo.crowd import FOLLOWERS, TAGGED
from service.dev.demo.synced_combo import COMBO
from service.dev.stack.servers import environment_with_package_path
from tests.support.servers import free_port
from tests.support.sockets import open_socket
from tests.support.waiting import wait_until

# Seconds: eight processes start, and a loaded machine takes its time.
READY_WITHIN = 150
SUBSCRIPTION = """
subscription ($channel: ID!, $openid: String!) {
  userTags(channelId: $channel, openid: $openid) { cursor reset tags { name } added { name } removed { name } }
}
"""

AD_TAGS = """
query ($channel: ID!) { channel(id: $channel) { tags(kind: AD) { nodes { name state memberCount } } } }
"""

# A token, or a link that signs in with it where the console was built.
PRINTED_TOKEN = r"^  {role} +(?:http\S+/#token=)?(eyJ\S+)"
PRINTED_QUERY = re.compile(r"^  (\{\n.*?^  \})$", re.MULTILINE | re.DOTALL)


def environment(data_dir: Path) -> dict[str, str]:
    ours = {name: value for name, value in environment_with_package_path().items() if not name.startswith("USER_TAGS_")}
    for name in ("DATABASE_URL", "REDIS_URL"):
        ours.pop(name, None)
    return ours | {"USER_TAGS_DATA_DIR": str(data_dir), "USER_TAGS_DEMO_PORT": "0", "USER_TAGS_DEMO_RATE": "20"}


@asynccontextmanager
async def running(data_dir: Path, port: int) -> AsyncIterator[tuple[Process, str]]:
    """Start the program; yield the process, and what it printed until it was ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service", "up", "--demo", "--port", str(port), "--web-processes", "2",
        "--data-dir", str(data_dir), stdout=PIPE, stderr=STDOUT, env=environment(data_dir), start_new_session=True,
    )  # fmt: skip
    try:
        yield process, await said_until_ready(process)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def said_until_ready(process: Process) -> str:
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(READY_WITHIN):
        while "Ctrl-C stops everything" not in said:
            line = await process.stdout.readline()
            assert line, said
            said += line.decode()
    return said


async def command(*arguments: str, data_dir: Path) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service", *arguments, stdout=PIPE, stderr=STDOUT, env=environment(data_dir)
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def check_live_tags(url: str, headers: dict[str, str], *, channel: str, openid: str) -> None:
    """Check that the feed of a user begins with the whole set, and that a change follows."""
    async with open_socket(url) as opened:
        await opened.initialise(headers)
        feed = await opened.subscribe(SUBSCRIPTION, channel=channel, openid=openid)
        first = (await feed.next())["userTags"]
        assert first["reset"] is True
        assert first["tags"] == first["added"]
        change = (await feed.next(within=60))["userTags"]
        assert change["reset"] is False
        assert change["added"] or change["removed"]


async def wait_for_ad_tag_members(url: str, headers: dict[str, str], *, channel: str) -> None:
    """Wait until the ad tag of the demo is ACTIVE and has members."""
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as http:

        async def campaign() -> dict[str, Any]:
            answer = await http.post("/graphql", json={"query": AD_TAGS, "variables": {"channel": channel}})
            [found] = answer.json()["data"]["channel"]["tags"]["nodes"]
            return dict(found)

        async def in_force() -> bool:
            return bool((await campaign())["state"] == "ACTIVE" and (await campaign())["memberCount"])

        await wait_until(in_force, within=60)


async def check_wechats_side(said: str, url: str) -> None:
    """Check that a tag is kept in sync with the imitation, by what `up` says to look at."""
    platform, query = re.search(r"curl (\S+)/demo/books", said), PRINTED_QUERY.search(said)
    token = re.search(PRINTED_TOKEN.format(role="creator"), said, re.MULTILINE)
    assert platform is not None, said
    assert query is not None, said
    assert token is not None, said
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token[1]}"}, trust_env=False) as http:

        async def in_sync() -> dict[str, Any] | None:
            answer = (await http.post(f"{url}/graphql", json={"query": query[1]})).json()["data"]
            [combo] = answer["channel"]["tags"]["nodes"] or [{"officialAccount": None}]
            linked = combo["officialAccount"]
            return answer if linked is not None and linked["lastSyncedAt"] is not None else None

        told = await wait_until(in_sync, within=60)
        [books, _] = (await http.get(f"{platform[1]}/demo/books")).json()["accounts"]
    assert [tag["name"] for tag in told["remoteTags"]] == [*TAGGED, COMBO]
    assert {tag["name"]: tag["members"] for tag in books["tags"]}[COMBO] > 0
    assert books["followers"] >= FOLLOWERS
    assert [token["space"] for token in books["tokensIssued"]] == ["STABLE"]


async def check_maintenance(data_dir: Path) -> None:
    """Check that `verify` and `refresh` work beside the running program."""
    code, verified = await command("verify", data_dir=data_dir)
    assert code == 0, verified
    assert "Tea house: clean" in verified
    code, refreshed = await command("refresh", data_dir=data_dir)
    assert code == 0, refreshed
    assert "users changed" in refreshed


async def test_up_prints_a_subscription_that_shows_live_tags(accessible_dir: Path) -> None:
    port = free_port()
    data_dir = accessible_dir / "data"
    async with running(data_dir, port) as (process, said):
        family = psutil.Process(process.pid).children(recursive=True)
        listed = re.findall(r"^  (creator|admin|agent|integrator) ", said, re.MULTILINE)
        assert list(dict.fromkeys(listed)) == ["creator", "admin", "agent", "integrator"]
        token = re.search(PRINTED_TOKEN.format(role="agent"), said, re.MULTILINE)
        variables = re.search(r'"channel": "(\S+)", "openid": "(\S+)"', said)
        assert token is not None, said
        assert variables is not None, said
        url, headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {token[1]}"}
        await check_live_tags(url, headers, channel=variables[1], openid=variables[2])
        await check_wechats_side(said, url)
        await wait_for_ad_tag_members(url, headers, channel=variables[1])
        await check_maintenance(data_dir)
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 60) == 0
    await wait_until(lambda: not [each for each in family if each.is_running()])


@pytest.mark.long
async def test_killing_it_leaves_nothing_running_and_it_starts_again(accessible_dir: Path) -> None:
    data_dir = accessible_dir / "data"
    async with running(data_dir, free_port()) as (process, _):
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) > 4
        process.kill()
        await process.wait()
    await wait_until(lambda: not [each for each in family if each.is_running()], within=60)
    async with running(data_dir, free_port()) as (process, _):
        code, verified = await command("verify", data_dir=data_dir)
        assert code == 0, verified
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 60) == 0
