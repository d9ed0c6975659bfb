"""Kill a web process while admins act: what was done is on record, each act once, and nothing else is."""

import asyncio
from typing import Any, Final

import httpx

from service.entities.ids import tag_gid
from service.entities.principal import Role
from tests.faults.harness.bound_channel import token
from tests.faults.harness.installation import Install, Installation
from tests.support.waiting import wait_until

ADMINS: Final = 8
CREATE: Final = """
mutation($id: ID!, $name: String!) { createAdTag(input: {channelId: $id, name: $name, adIds: ["7"]}) { tag { id } } }
"""
RESET: Final = "mutation($id: ID!) { resetChannelAddresses(channelId: $id) { channel { id } } }"
BOTH: Final = """
select tag_id, null as target_id from tag where channel_id = $1 and kind = 'AD'
union all select null, target_id from audit_entry where action = 'createAdTag'
"""
DENIALS: Final = "select coalesce(sum(count), 0)::int from audit_entry where outcome = 'DENIED'"


async def send(http: httpx.AsyncClient, role: Role, query: str, **variables: Any) -> Any:
    headers = {"Authorization": f"Bearer {token(role)}"}
    return (await http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)).json()


async def act_until_killed(http: httpx.AsyncClient, installation: Installation, admin: int, done: list[str]) -> None:
    """Make tags one after the other, and be denied something else each time."""
    number = 0
    try:
        while True:
            number += 1
            name = f"{admin} {number}"
            made = await send(http, Role.ADMIN, CREATE, id=installation.channel.gid, name=name)
            done.append(made["data"]["createAdTag"]["tag"]["id"])
            await send(http, Role.AGENT, RESET, id=installation.channel.gid)
    except httpx.TransportError:
        return


async def test_no_act_is_without_its_entry_and_no_entry_without_its_act(install: Install) -> None:
    installation = await install(east=False, workers=0)
    done: list[str] = []
    async with httpx.AsyncClient(base_url=installation.west.url, trust_env=False, timeout=30) as http:
        acting = [asyncio.create_task(act_until_killed(http, installation, each, done)) for each in range(ADMINS)]
        await wait_until(lambda: len(done) > 5 * ADMINS)
        await installation.west.kill()
        await asyncio.gather(*acting)
    channel_id = installation.channel.channel_id
    # At one instant: a transaction may still end after its process.
    rows = await installation.rows(BOTH, channel_id)
    tags = sorted(tag_gid(channel_id, row["tag_id"]) for row in rows if row["tag_id"] is not None)
    assert sorted(row["target_id"] for row in rows if row["target_id"] is not None) == tags
    assert set(done) <= set(tags)


async def test_what_was_denied_is_written_when_the_process_is_stopped(install: Install) -> None:
    installation = await install(east=False, workers=0)
    async with httpx.AsyncClient(base_url=installation.west.url, trust_env=False, timeout=30) as http:
        for _ in range(20):
            await send(http, Role.AGENT, RESET, id=installation.channel.gid)
    await installation.west.stop()
    [(denied,)] = await installation.rows(DENIALS)
    assert denied == 20
