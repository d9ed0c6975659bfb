"""Make no call to WeChat too many, and ask for no token too many, whoever dies while calling."""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.faults.harness.bound_channel import token
from tests.faults.harness.imitation import Imitation, open_imitation
from tests.faults.harness.installation import Install, Installation
from tests.faults.harness.programs import WebProgram
from tests.faults.harness.schedule import draw_kills, inject_faults
from tests.faults.harness.seeds import seeds
from tests.support.waiting import wait_until

# A loaded machine takes its time to start so many processes.
pytestmark = [pytest.mark.timeout(300), pytest.mark.long]

PATH: Final = "/cgi-bin/tags/get"
QUOTA: Final = 150
CLIENTS: Final = 4
CRASHES: Final = ("west is killed", "east is killed", "PostgreSQL is killed", "Valkey is killed")
REMOTE_TAGS: Final = "query ($channel: ID!) { remoteTags(channelId: $channel) { name } }"
USED: Final = "select used from wechat_quota where channel_id = $1 and api = $2"


@seeds(3)
async def test_crashes_use_up_quota_but_never_exceed_it(install: Install, accessible_dir: Path, seed: int) -> None:
    async with open_imitation(accessible_dir) as imitation:
        await imitation.order_of_account("quotas", path=PATH, quota={"daily": QUOTA, "calls": 100_000})
        await imitation.order("/demo/behaviour", answers_after=0.02)
        installation = await install(acting=True, workers=0, WECHAT_API_URL=imitation.url)
        answers: Counter[str] = Counter()
        async with asyncio.TaskGroup() as group:
            asking = [
                group.create_task(_ask(installation, installation.webs[n % 2], answers, random.Random(seed + n)))
                for n in range(CLIENTS)
            ]
            await _answered(answers, "ok", 5)
            await inject_faults(installation, draw_kills(seed, 2, CRASHES))
            await imitation.kill_tokens()
            await _answered(answers, "ok", 5)
            await inject_faults(installation, draw_kills(seed + 1, 2, CRASHES))
            await _answered(answers, "UPSTREAM", CLIENTS)
            for task in asking:
                task.cancel()
        await _check(installation, imitation, answers)


async def _ask(installation: Installation, web: WebProgram, answers: Counter[str], draw: random.Random) -> None:
    """Ask again and again, and count the answers by their code."""
    head = {"Authorization": f"Bearer {token()}"}
    body = {"query": REMOTE_TAGS, "variables": {"channel": installation.channel.gid}}
    async with httpx.AsyncClient(base_url=web.url, headers=head, trust_env=False, timeout=60) as http:
        while True:
            await asyncio.sleep(draw.uniform(0.05, 0.3))
            try:
                errors = (await http.post("/graphql", json=body)).json().get("errors")
                answers[errors[0]["extensions"]["code"] if errors else "ok"] += 1
            except (httpx.TransportError, ValueError):
                answers["lost"] += 1


async def _answered(answers: Counter[str], code: str, more: int) -> None:
    wanted = answers[code] + more
    await wait_until(lambda: answers[code] >= wanted, within=120)


async def _check(installation: Installation, imitation: Imitation, answers: Counter[str]) -> None:
    calls, books = await imitation.calls(), await imitation.books()
    [used] = await installation.rows(USED, installation.channel.channel_id, PATH)
    print(f"answers {answers}, calls {calls}, counted {used['used']}")
    assert calls[PATH].keys() <= {"0", "40001"}, "WeChat refused a call for its quota"
    assert calls[PATH].total() <= used["used"] <= QUOTA
    assert [each["space"] for each in books["tokensIssued"]] == ["STABLE", "FORCED"]
    assert answers["ok"] <= calls[PATH]["0"], "an answer came from nowhere"
    assert answers["lost"] > 0, "nobody noticed the crashes"
