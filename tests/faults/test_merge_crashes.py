"""Merge tags while workers are killed and servers go away, and lists, undoing, forgetting and uniting go on.

The rule: docs/specification.md §4.7. At the end everybody has what a plain model of batches says, and no merge is open.
"""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest

from service.entities.ids import parse_gid
from service.foundation.cancellation import cancel_and_wait
from tests.faults.harness.bound_channel import ask
from tests.faults.harness.installation import Install, Installation
from tests.faults.harness.merge_model import KEYS, Model
from tests.faults.harness.seeds import seeds
from tests.support.waiting import wait_until

pytestmark = pytest.mark.long

# So many blocks that a merge takes several slices.
BLOCKS: Final = 80
PEOPLE_A_BLOCK: Final = 4
ACTS: Final = 120
LASTS: Final = timedelta(seconds=15)
# Merges that are given up are taken back within a minute.
ENDED: Final = 120.0

SUBMIT: Final = """
mutation($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { id tag { id } } } }
"""
UNDO: Final = "mutation($id: ID!) { undoReturnBatch(receiptId: $id) { receipt { id } } }"
FORGET: Final = """
mutation($channel: ID!, $openid: String!) { forgetUser(channelId: $channel, openid: $openid) { forgotten } }
"""
UNITE: Final = "mutation($input: MigrateOpenidsInput!) { migrateOpenids(input: $input) { moved } }"
PREVIEW: Final = "query($from: ID!, $into: ID!) { mergeTagPreview(from: $from, into: $into) { hash } }"
MERGE: Final = """
mutation($from: ID!, $into: ID!, $hash: String!) {
  mergeTag(from: $from, into: $into, previewHash: $hash) { job { id } }
}
"""
COMBO: Final = "mutation($input: CreateComboTagInput!) { createComboTag(input: $input) { tag { id } } }"
CANCEL: Final = "mutation($id: ID!) { cancelJob(id: $id) { job { state } } }"
STATE: Final = "query($id: ID!) { node(id: $id) { ... on Job { state error } } }"
MEMBERS: Final = """
select u.openid from channel_user u
join tag_members m on m.channel_id = u.channel_id and m.block = u.ordinal / 32000 and m.tag_id = $1
where get_bit(m.members, u.ordinal % 32000) = 1
"""
OPEN_MERGES: Final = """
select (select count(*) from tag_merge) + (select count(*) from tag where merging_into > 0 or merging_from > 0)
    + (select count(*) from job where state not in ('DONE', 'CANCELLED', 'FAILED'))
"""
# Lists that are still to expire, and combos that are still to be computed.
UNSETTLED: Final = """
select (select count(*) from return_batch where expires_at is not null and ended is null)
    + (select count(*) from tag where kind = 'COMBO' and state = 'PENDING')
"""


class Story:
    """Do one thing after the other to the tags of an installation, and tell the model."""

    def __init__(self, installation: Installation, http: httpx.AsyncClient, dice: random.Random) -> None:
        self.installation = installation
        self.http = http
        self.dice = dice
        self.model = Model()
        self.people = [f"person-{number}" for number in range(BLOCKS * PEOPLE_A_BLOCK)]
        self.tags: dict[str, str] = {}
        self.merging: tuple[str, str, str] | None = None
        # Receipts of those that end by themselves, and of those that nobody can undo.
        self.lasting: list[str] = []
        self.replacing: list[str] = []
        self.merges = self.cancelled = self.number = 0

    async def begin(self) -> None:
        """Make the tags and the combos, and spread the people over the blocks."""
        for block in range(BLOCKS):
            some = self.people[block * PEOPLE_A_BLOCK : (block + 1) * PEOPLE_A_BLOCK]
            await self.installation.execute(f"update channel_state set next_ordinal = {32_000 * block + 1}")  # noqa: S608
            await self.submit(self.dice.choice(KEYS), "ADD", set(some))
        for key in KEYS:
            await self.submit(key, "ADD", set(self.some_people(100)))
        leaves = [{"tag": self.tags[key]} for key in KEYS]
        for name, expression in {
            "all of two": {"all": leaves[1:3]},
            "any": {"any": leaves},
            "but": {"except": {"from": leaves[3], "remove": leaves[0]}},
        }.items():
            given = {"channelId": self.installation.channel.gid, "name": name, "expression": expression}
            await self.insist(COMBO, input=given)

    async def insist(self, query: str, **variables: Any) -> dict[str, Any]:
        """Ask until an answer comes that is no outage. Raises AssertionError for a refusal."""
        while True:
            try:
                return await ask(self.http, query, **variables)
            except httpx.TransportError:
                pass
            except AssertionError as error:
                if not any(code in str(error) for code in ("INTERNAL", "UNAVAILABLE", "TIMEOUT", "RETRY")):
                    raise
            await asyncio.sleep(0.1)

    def some_people(self, most: int = 60) -> list[str]:
        return self.dice.sample(self.people, self.dice.randint(1, most))

    async def submit(self, key: str, mode: str, people: set[str], *, lasting: bool = False) -> None:
        """Hand back a list, whose receipt tells which tag has the key."""
        self.number += 1
        given = {
            "channelId": self.installation.channel.gid,
            "category": "Level",
            "label": key,
            "openids": sorted(people),
            "mode": mode,
            "idempotencyKey": f"list-{self.number}",
        }
        if lasting:
            given["expiresAt"] = (datetime.now(UTC) + LASTS).isoformat()
        receipt = (await self.insist(SUBMIT, input=given))["submitReturnData"]["receipt"]
        await self.look_at_merge(receipt["tag"]["id"], key)
        self.tags.setdefault(key, receipt["tag"]["id"])
        assert receipt["tag"]["id"] == self.tags[self.model.owner[key]]
        if mode == "REMOVE":
            owner = self.model.owner[key]
            self.model.take_out(people, {each for each in KEYS if self.model.owner[each] == owner})
            return
        if mode == "REPLACE":
            self.model.end_batches(key)
            self.replacing.append(receipt["id"])
        self.model.batches[receipt["id"]] = (key, set(people))
        if lasting:
            self.lasting.append(receipt["id"])

    async def look_at_merge(self, tag_id: str, key: str) -> None:
        """Take the merge under way for done if a key of the one tag is found at the other."""
        if self.merging and self.model.owner[key] == self.merging[1] and tag_id == self.tags[self.merging[2]]:
            self.end_merge()

    def end_merge(self) -> None:
        assert self.merging is not None
        self.model.merge(*self.merging[1:])
        self.merging = None
        self.merges += 1

    async def act(self) -> None:
        """Do one thing that is drawn."""
        await getattr(self, self.dice.choice(("add", "add", "last", "remove", "replace", "undo", "leave", "merge")))()

    async def add(self) -> None:
        await self.submit(self.dice.choice(KEYS), "ADD", set(self.some_people()))

    async def last(self) -> None:
        await self.submit(self.dice.choice(KEYS), "ADD", set(self.some_people()), lasting=True)

    async def remove(self) -> None:
        await self.submit(self.dice.choice(KEYS), "REMOVE", set(self.some_people()))

    async def replace(self) -> None:
        await self.submit(self.dice.choice(KEYS), "REPLACE", set(self.some_people()))

    async def undo(self) -> None:
        known = [receipt for receipt in self.model.batches if receipt not in [*self.lasting, *self.replacing]]
        if known:
            receipt = self.dice.choice(known)
            await self.insist(UNDO, id=receipt)
            del self.model.batches[receipt]

    async def leave(self) -> None:
        """Forget somebody, or unite two people."""
        one, other = self.dice.sample(self.people, 2)
        channel = self.installation.channel.gid
        if self.dice.random() < 0.5:
            await self.insist(FORGET, channel=channel, openid=one)
            self.model.take_out({one}, set(KEYS))
        else:
            await self.insist(UNITE, input={"channelId": channel, "pairs": [{"from": one, "to": other}]})
            self.model.unite(one, other)
        self.people.remove(one)

    async def merge(self) -> None:
        """Begin a merge, or look whether the one under way is done, and perhaps cancel it."""
        if self.merging is None:
            tags = sorted(set(self.model.owner.values()))
            if len(tags) > 1:
                await self.begin_merge(*self.dice.sample(tags, 2))
            return
        job_id = self.merging[0]
        if self.dice.random() < 0.4:
            await self.insist(CANCEL, id=job_id)
        await self.see_state((await self.insist(STATE, id=job_id))["node"])

    async def see_state(self, job: dict[str, Any]) -> None:
        assert job["state"] != "FAILED", job
        if self.merging is not None and job["state"] == "DONE":
            self.end_merge()
        elif job["state"] == "CANCELLED":
            self.merging = None
            self.cancelled += 1

    async def begin_merge(self, tag: str, into: str) -> None:
        ids = {"from": self.tags[tag], "into": self.tags[into]}
        try:
            preview = await self.insist(PREVIEW, **ids)
            merging = await self.insist(MERGE, **ids, hash=preview["mergeTagPreview"]["hash"])
        except AssertionError as error:
            # One that was cancelled is still being taken back, or a list expired since the preview.
            assert "CONFLICT" in str(error)  # noqa: PT017
            return
        self.merging = merging["mergeTag"]["job"]["id"], tag, into

    async def finish(self) -> None:
        while self.merging is not None:
            job = (await self.insist(STATE, id=self.merging[0]))["node"]
            await self.see_state(job)
            await asyncio.sleep(0.1)
        for receipt in self.lasting:
            self.model.batches.pop(receipt, None)


async def faults(installation: Installation, dice: random.Random) -> None:
    """Break one thing after the other until cancelled."""
    while True:
        await asyncio.sleep(dice.uniform(0.2, 1.5))
        what = dice.choice(["worker"] * 5 + ["second worker"] * 5 + ["database", "valkey", "flush"])
        print(f"{datetime.now(UTC):%H:%M:%S.%f} {what}")
        match what:
            case "worker":
                await installation.worker.crash(0)
            case "second worker":
                await installation.second_worker.crash(0)
            case "database":
                await installation.postgres.restart(0.5)
            case "valkey":
                await installation.valkey.crash(0.5)
            case "flush":
                await installation.valkey.restart(0)


@seeds(12)
async def test_merges_end_as_a_plain_model_says_whatever_is_killed(install: Install, seed: int) -> None:
    installation = await install(east=False, workers=2)
    dice = random.Random(seed)
    async with httpx.AsyncClient(base_url=installation.west.url, trust_env=False, timeout=30) as http:
        story = Story(installation, http, dice)
        await story.begin()
        breaking = asyncio.create_task(faults(installation, random.Random(seed + 1)), name="faults")
        try:
            for _ in range(ACTS):
                await story.act()
                assert not breaking.done(), breaking
        finally:
            await cancel_and_wait(breaking)
        for program in (installation.postgres, installation.valkey):
            if program._exited():
                await program.start()
        for worker in (installation.worker, installation.second_worker):
            if not worker.alive:
                await worker.start()
        await story.finish()

    async def over() -> bool:
        ((still_open,),) = await installation.rows(OPEN_MERGES)
        ((unsettled,),) = await installation.rows(UNSETTLED)
        return not still_open and not unsettled

    await wait_until(over, within=ENDED)
    print(f"{story.merges} merges, {story.cancelled} cancelled")
    for key in set(story.model.owner.values()):
        found = parse_gid(story.tags[key], "Tag", 2)
        rows = await installation.rows(MEMBERS, (found or (0, 0))[1])
        assert {row["openid"] for row in rows} == story.model.members(key), key
    await installation.verify()
    assert story.merges > 0
