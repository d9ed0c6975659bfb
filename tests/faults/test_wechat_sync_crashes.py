"""Sync tags to the Official Account while the worker, PostgreSQL and Valkey are killed at random instants.

The imitation's own books say what became of it: who has which tag, and how many calls there were.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from service.entities.users import EventKind
from tests.faults.harness.bound_channel import record
from tests.faults.harness.figures import report_figure
from tests.faults.harness.installation import Install
from tests.faults.harness.seeds import seeds
from tests.faults.harness.wechat_side import WechatSide, job_number, rounds, wechat_side

# With ROUNDS=100 half an hour.
pytestmark = [pytest.mark.timeout(3_600), pytest.mark.long]

CROWD: Final = 1_200
LABELS: Final = ("Regulars", "茶友")
PEOPLE_PER_CALL: Final = 50
BATCH: Final = 50
FIRST_JOB: Final = 1
RETURN: Final = "mutation Return($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { id } } }"
TAGS: Final = "query Tags($channel: ID!) { channel(id: $channel) { tags(kind: RETURN) { nodes { id name } } } }"
SYNC: Final = "mutation Sync($input: SyncInput!) { syncToOfficialAccount(input: $input) { sync { id } } }"


@dataclass(slots=True)
class Tags:
    """Hold whom we want to have each tag, by its name here and at WeChat, and the ids of the tags here."""

    wanted: dict[str, set[str]] = field(default_factory=lambda: {label: set() for label in LABELS})
    ids: list[str] = field(default_factory=list)


@seeds(6)
async def test_a_sync_that_is_killed_again_and_again_ends_with_who_is_wanted(
    install: Install, accessible_dir: Path, seed: int
) -> None:
    async with wechat_side(install, accessible_dir, seed, CROWD) as side:
        await _everybody_is_known(side)
        tags = Tags()
        for _ in range(rounds()):
            await _change_both_sides(side, tags)
            await _sync_and_break(side, tags)
        await side.check_calls()
        assert side.broke_in.total() >= rounds() / 2, "hardly any crash hit a job"
        report_figure(f"syncs: {rounds()} rounds, broken by {dict(side.broke_in)}")
        assert await side.installation.worker.stop() == 0
        await side.installation.verify()


async def _everybody_is_known(side: WechatSide) -> None:
    """Let the service know all followers, and nothing more of who leaves: binding began an import, which ends first."""
    await side.wait_done(FIRST_JOB)
    async with httpx.AsyncClient(base_url=side.installation.west.url, trust_env=False, timeout=60) as http:
        now = datetime.now(UTC)
        await record(http, side.installation.channel, [(each, EventKind.FOLLOW, now) for each in side.followers()])


async def _change_both_sides(side: WechatSide, tags: Tags) -> None:
    """Change whom we want, and let people, and somebody else, change what WeChat has; no push arrives."""
    everybody = sorted(side.followers() | side.left)
    for label, wanted in tags.wanted.items():
        wanted -= set(side.draw.sample(sorted(wanted), side.draw.randrange(len(wanted) // 2 + 1)))
        wanted |= set(side.draw.sample(everybody, side.draw.randrange(100, 400)))
        returned = {"category": "Guests", "label": label, "openids": sorted(wanted), "mode": "REPLACE"}
        await side.ask(RETURN, input={"channelId": side.installation.channel.gid, **returned})
    found = await side.ask(TAGS, channel=side.installation.channel.gid)
    tags.ids = [tag["id"] for tag in found["tags"]["nodes"]]
    for what in ("batchtagging", "batchuntagging"):
        for remote_tag_id in (await side.imitation.remote_tags()).values():
            openids = side.draw.sample(sorted(side.followers()), side.draw.randrange(1, BATCH))
            await side.imitation.tag_as_others_do(what, remote_tag_id, openids)
            side.calls_of_others[f"/cgi-bin/tags/members/{what}"] += 1
    back = side.draw.sample(sorted(side.left), side.draw.randrange(len(side.left) // 2 + 1))
    leaving = side.draw.sample(sorted(side.followers()), side.draw.randrange(3))
    await side.move(back, "follow")
    await side.move(leaving, "unfollow")


async def _sync_and_break(side: WechatSide, tags: Tags) -> None:
    members, before = await _members(side), await side.imitation.books()
    crashes = side.broke_in.total()
    details = {"remoteAdditions": "REMOVE", "allowRemovals": True, "tagIds": tags.ids}
    answer: dict[str, Any] = await side.ask(SYNC, input={"channelId": side.installation.channel.gid, **details})
    number = job_number(answer["sync"]["id"])
    await side.break_in(number)
    await side.wait_done(number)

    followers = side.followers()
    wanted = {label: frozenset(each & followers) for label, each in tags.wanted.items()}
    assert await _members(side) == wanted
    repeated = side.broke_in.total() - crashes
    after = await side.imitation.books()
    differences = sum(len(wanted[label] ^ members.get(label, frozenset())) for label in LABELS)
    changed, unchanged = (after["memberships"][each] - before["memberships"][each] for each in ("changed", "unchanged"))
    assert changed == differences, "somebody was tagged who need not have been"
    assert unchanged <= repeated * PEOPLE_PER_CALL, "what was done was done again"
    for what, by_tag in _needed(tags, members).items():
        calls = _succeeded(after, what) - _succeeded(before, what)
        assert calls <= sum(ceil(each / PEOPLE_PER_CALL) for each in by_tag) + repeated, what


def _needed(tags: Tags, members: Mapping[str, frozenset[str]]) -> dict[str, list[int]]:
    """Return how many people each tag must be given to and taken from, by what the calls are named."""
    pairs = [(tags.wanted[label], members.get(label, frozenset())) for label in LABELS]
    return {
        "batchtagging": [len(wanted - has) for wanted, has in pairs],
        "batchuntagging": [len(has - wanted) for wanted, has in pairs],
    }


def _succeeded(books: Mapping[str, Any], what: str) -> int:
    group: dict[str, Any] = books["calls"].get(f"/cgi-bin/tags/members/{what}", {})
    found: int = group.get("outcomes", {}).get("0", 0)
    return found


async def _members(side: WechatSide) -> dict[str, frozenset[str]]:
    """Return who has each tag at WeChat."""
    tags = await side.imitation.remote_tags()
    return {name: await side.imitation.members(remote_tag_id) for name, remote_tag_id in tags.items()}
