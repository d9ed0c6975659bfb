"""Run the programs of examples/integrator as they are, against a web process of the test's own."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.robot import Robot, event_input, obtain_endpoint
from tests.support.waiting import wait_until
from tests.support.web import web_process

EXAMPLES = Path(__file__).parents[2] / "examples" / "integrator"
LINK = """
mutation($c: ID!, $pairs: [IdentityPairInput!]!) {
  linkIdentities(input: {channelId: $c, pairs: $pairs}) { linked }
}
"""
SIZE = "query($id: ID!) { tag(id: $id) { state memberCount } }"


@pytest.fixture
async def robot(database_url: str, redis_url: str) -> AsyncIterator[Robot]:
    async with web_process(database_url, redis_url) as web:
        yield Robot(web)


async def run(program: str, robot: Robot, role: str, **given: str) -> list[Any]:
    """Run an example to its good end, and return the lines it prints."""
    status, printed, errors = await run_to_its_end(program, robot, role, **given)
    assert status == 0, errors
    return [json.loads(line) for line in printed.splitlines()]


async def run_to_its_end(program: str, robot: Robot, role: str, **given: str) -> tuple[int | None, str, str]:
    """Run an example, and return its exit status and what it prints and says of errors."""
    interpreter = sys.executable if program.endswith(".py") else shutil.which("node")
    if interpreter is None:
        pytest.skip("Node.js is not installed")
    clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    process = await asyncio.create_subprocess_exec(
        interpreter,
        str(EXAMPLES / program),
        env=clean | {"URL": robot.web.url, "TOKEN": robot.token(role)} | given,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, errors = await process.communicate()
    return process.returncode, printed.decode(), errors.decode()


@pytest.mark.parametrize("program", ["integrator.py", "integrator.mjs"])
async def test_a_list_of_nobody_and_a_second_run_are_fine(program: str, robot: Robot) -> None:
    channel = await robot.bind()
    endpoint = await obtain_endpoint(robot)
    given = {
        "CHANNEL": channel["id"],
        "APP_ID": channel["appId"],
        "RETURN_ADDRESS": endpoint.address,
        "RETURN_APP_ID": endpoint.app_id,
        "RETURN_KEY": endpoint.key,
    }
    for openids, added in (("", 0), ("ada", 1), ("ada", 0)):
        _, submitted, called = await run(program, robot, "integrator", **given, OPENIDS=openids)
        assert (submitted["receipt"]["added"], submitted["receipt"]["rejected"]) == (added, [])
        assert called["errcode"] == 0


@pytest.mark.parametrize("program", ["integrator.py", "integrator.mjs", "fans_without_an_order.py"])
async def test_a_variable_that_is_missing_is_named_in_one_line(program: str, robot: Robot) -> None:
    status, printed, errors = await run_to_its_end(program, robot, "admin", ACCOUNT="", CHANNEL="")

    assert (status, printed, len(errors.splitlines())) == (1, "", 1)
    assert ("ACCOUNT" if "fans" in program else "CHANNEL") in errors


@pytest.mark.parametrize("program", ["integrator.py", "integrator.mjs"])
async def test_an_integrator_reports_and_hands_back_in_all_three_ways(program: str, robot: Robot) -> None:
    channel = await robot.bind()
    endpoint = await obtain_endpoint(robot)
    await robot.record(channel["id"], event_input("ada", "FOLLOW"), event_input("ben", "FOLLOW"))

    recorded, submitted, called = await run(
        program,
        robot,
        "integrator",
        CHANNEL=channel["id"],
        APP_ID=channel["appId"],
        RETURN_ADDRESS=endpoint.address,
        RETURN_APP_ID=endpoint.app_id,
        RETURN_KEY=endpoint.key,
        OPENIDS="ada,eve",
    )
    assert recorded == {"accepted": 2, "rejected": []}
    assert (submitted["replayed"], submitted["receipt"]["added"]) == (False, 2)
    assert called["errcode"] == 0
    assert {"Gold", "金牌"} <= await robot.tags(channel["id"], "ada")
    assert {"Gold", "金牌"} == await robot.tags(channel["id"], "eve")
    assert "Gold" not in await robot.tags(channel["id"], "ben")


async def test_fans_who_have_not_ordered_in_two_calls(robot: Robot) -> None:
    account = (await robot.bind())["id"]
    mini_program = (await robot.bind(2, kind="MINI_PROGRAM"))["id"]
    for channel, of_channel in ((account, "fan"), (mini_program, "buyer")):
        pairs = [{"openid": f"{of_channel}-{number}", "unionid": f"u{number}"} for number in range(3)]
        await robot.ask(LINK, c=channel, pairs=pairs)
    await robot.record(account, *(event_input(f"fan-{number}", "FOLLOW") for number in range(3)))

    given = {"ACCOUNT": account, "MINI_PROGRAM": mini_program}
    ordered = "buyer-0,buyer-2,stranger"
    receipt, first = await run("fans_without_an_order.py", robot, "admin", **given, ORDERED=ordered)
    again, combo = await run("fans_without_an_order.py", robot, "admin", **given, ORDERED=ordered)
    assert (again, combo["id"]) == (receipt, first["id"])
    nobody, _ = await run("fans_without_an_order.py", robot, "admin", **given, ORDERED="")
    assert (nobody["added"], nobody["unmatched"]) == (0, [])
    assert (receipt["added"], receipt["unmatched"]) == (2, ["stranger"])
    assert combo["expression"]["text"] == "(New user ∪ Old user) − Ordered"

    async def in_force() -> bool:
        return bool((await robot.ask(SIZE, id=combo["id"]))["tag"]["state"] == "ACTIVE")

    await wait_until(in_force)
    assert (await robot.ask(SIZE, id=combo["id"]))["tag"]["memberCount"] == 1
    assert "Fans without an order" in await robot.tags(account, "fan-1")
