"""Take each list once while web processes are killed: it is sent again with its key until it is answered."""

import asyncio
import random
from typing import Any, Final

import httpx
import pytest

from service.entities.principal import Role
from tests.faults.harness.bound_channel import token
from tests.faults.harness.installation import Install, Installation
from tests.faults.harness.seeds import seeds
from tests.support.waiting import wait_until

pytestmark = pytest.mark.long

SUBMIT: Final = """
mutation($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { replayed receipt { id added newUsers } } }
"""
SENDERS: Final = 6
LISTS: Final = 80
KILLS: Final = 2


@seeds(4)
async def test_every_list_has_one_effect_and_one_receipt_whatever_is_killed(install: Install, seed: int) -> None:
    installation = await install(east=False, workers=0)
    dice = random.Random(seed)
    numbers = iter(range(LISTS))
    answers: dict[int, dict[str, Any]] = {}
    lost = 0

    async def sender(http: httpx.AsyncClient) -> None:
        nonlocal lost
        for number in numbers:
            while number not in answers:
                try:
                    answers[number] = await submit(http, installation, number)
                except (httpx.TransportError, AssertionError):
                    lost += 1
                    await asyncio.sleep(0.05)

    async def killer() -> None:
        for _ in range(KILLS):
            done = len(answers)
            enough = min(done + dice.randrange(5, 20), LISTS - 1)
            await wait_until(lambda enough=enough: len(answers) >= enough, within=60)  # type: ignore[misc]
            await installation.west.crash(0)

    async with httpx.AsyncClient(base_url=installation.west.url, trust_env=False, timeout=20) as http:
        await asyncio.gather(killer(), *(sender(http) for _ in range(SENDERS)))

    assert lost > 0, "nothing ever broke"
    assert len({answer["receipt"]["id"] for answer in answers.values()}) == LISTS
    assert [answer["receipt"]["added"] for answer in answers.values()] == [2] * LISTS
    ((receipts, members),) = await installation.rows(
        "select (select count(*) from return_batch), (select sum(members) from tag_member_count)"
    )
    assert (receipts, members) == (LISTS, 2 * LISTS)
    await installation.verify()


async def submit(http: httpx.AsyncClient, installation: Installation, number: int) -> dict[str, Any]:
    """Submit one list of two people of its own. Raises httpx.TransportError, AssertionError."""
    given = {
        "channelId": installation.channel.gid,
        "category": "Level",
        "label": "Gold",
        "openids": [f"person-{number}-a", f"person-{number}-b"],
        "idempotencyKey": f"list-{number}",
    }
    headers = {"Authorization": f"Bearer {token(Role.INTEGRATOR)}"}
    answer = await http.post("/graphql", json={"query": SUBMIT, "variables": {"input": given}}, headers=headers)
    body = answer.json()
    assert "errors" not in body, body
    submitted: dict[str, Any] = body["data"]["submitReturnData"]
    return submitted
