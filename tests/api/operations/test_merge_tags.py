"""Preview a merge, start it, watch it, and find what became of the tags; the test does the work of a worker.

The rule: docs/specification.md §4.7.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.domain.jobs.running import run_job
from service.domain.merging.slices import merge_slice
from service.domain.runtime import Runtime
from service.entities.ids import split_gid
from service.entities.jobs import JobKind
from tests.support.broadcasts import insert_broadcast_of
from tests.support.robot import Robot
from tests.support.worker import worker_runtime

SUBMIT = """
mutation Submit($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { id added tag { id } } } }
"""
PREVIEW = """
query Preview($from: ID!, $into: ID!) {
  mergeTagPreview(from: $from, into: $into) {
    from { name } into { name } gains alreadyThere hash combos { name } meaningChanges { name } broadcasts { id }
  }
}
"""
MERGE = """
mutation Merge($from: ID!, $into: ID!, $hash: String!) {
  mergeTag(from: $from, into: $into, previewHash: $hash) {
    job { id state progress done total from { id mergedInto { id } } into { id } channel { id } }
  }
}
"""
JOB = """
query Job($id: ID!) {
  job(id: $id) {
    __typename state done progress ... on TagMerge { from { id deletedAt mergedInto { id } } into { id } }
  }
}
"""
TAG = """
query Tag($id: ID!) {
  node(id: $id) {
    ... on ReturnTag {
      name deletedAt mergedInto { name } memberCount returnCategory returnLabel returnKeys { category label }
      receipts { nodes { id tag { id } } }
    }
  }
}
"""
DELETE = "mutation Delete($id: ID!) { deleteTag(id: $id) { deletedId } }"
CANCEL = "mutation Cancel($id: ID!) { cancelJob(id: $id) { job { __typename state } } }"
HISTORY = """
query History($channel: ID!) {
  user(channelId: $channel, openid: "ann") { tagHistory { nodes { cause added { name } removed { name } } } }
}
"""
JOBS = "query Jobs($id: ID!) { channel(id: $id) { jobs { nodes { __typename id } } } }"


@pytest.fixture
async def runtime(robot: Robot) -> AsyncIterator[Runtime]:
    """Open what a worker would have, beside the web process."""
    async with worker_runtime(robot.web) as running:
        yield running


@pytest.fixture
async def channel(robot: Robot) -> str:
    identifier: str = (await robot.bind())["id"]
    return identifier


async def submit(robot: Robot, channel: str, label: str, *openids: str) -> dict[str, Any]:
    fields = {"channelId": channel, "category": "Level", "label": label, "openids": openids}
    receipt: dict[str, Any] = (await robot.ask(SUBMIT, input=fields))["submitReturnData"]["receipt"]
    return receipt


async def begin(robot: Robot, silver: str, gold: str) -> dict[str, Any]:
    preview = (await robot.ask(PREVIEW, **{"from": silver, "into": gold}))["mergeTagPreview"]
    merging = await robot.ask(MERGE, **{"from": silver, "into": gold, "hash": preview["hash"]})
    job: dict[str, Any] = merging["mergeTag"]["job"]
    return job


async def work(runtime: Runtime, gid: str) -> None:
    split = split_gid(gid)
    assert split
    await run_job(runtime, {JobKind.TAG_MERGE: merge_slice}, *split[1])


async def test_a_merge_is_previewed_watched_and_found_again(robot: Robot, channel: str, runtime: Runtime) -> None:
    first = await submit(robot, channel, "Silver", "ann", "bob")
    second = await submit(robot, channel, "Gold", "bob", "cleo")
    silver, gold = first["tag"]["id"], second["tag"]["id"]
    await robot.create_combo(channel, silver, name="Mine")
    await robot.create_combo(channel, silver, gold, name="Both")
    expression_of_silver = str(split_gid(silver)[1][1])  # type: ignore[index]
    broadcast = await insert_broadcast_of(robot, channel, audience=expression_of_silver)

    preview = (await robot.ask(PREVIEW, **{"from": silver, "into": gold}))["mergeTagPreview"]
    assert preview | {"hash": ""} == {
        "from": {"name": "Silver"},
        "into": {"name": "Gold"},
        "gains": 1,
        "alreadyThere": 1,
        "hash": "",
        "combos": [{"name": "Mine"}, {"name": "Both"}],
        "meaningChanges": [{"name": "Both"}],
        "broadcasts": [{"id": broadcast}],
    }
    merging = await robot.ask(MERGE, **{"from": silver, "into": gold, "hash": preview["hash"]})
    job = merging["mergeTag"]["job"]
    assert (job["state"], job["done"], job["total"], job["progress"]) == ("QUEUED", 0, 2, 0)
    assert (job["from"], job["into"]) == ({"id": silver, "mergedInto": None}, {"id": gold})
    assert job["channel"] == {"id": channel}
    listed = (await robot.ask(JOBS, id=channel))["channel"]["jobs"]["nodes"]
    assert listed == [{"__typename": "TagMerge", "id": job["id"]}]

    await work(runtime, job["id"])

    done = (await robot.ask(JOB, id=job["id"]))["job"]
    assert (done["__typename"], done["state"], done["done"], done["progress"]) == ("TagMerge", "DONE", 2, 1)
    assert done["from"]["mergedInto"] == {"id": gold}
    assert done["from"]["deletedAt"]
    into = (await robot.ask(TAG, id=gold))["node"]
    assert into["returnKeys"] == [{"category": "Level", "label": "Gold"}, {"category": "Level", "label": "Silver"}]
    assert (into["returnLabel"], into["memberCount"], into["mergedInto"]) == ("Gold", 3, None)
    assert [each["id"] for each in into["receipts"]["nodes"]] == [second["id"], first["id"]]
    assert {each["tag"]["id"] for each in into["receipts"]["nodes"]} == {gold}
    gone = (await robot.ask(TAG, id=silver))["node"]
    assert (gone["mergedInto"], gone["memberCount"], gone["returnKeys"]) == ({"name": "Gold"}, 0, [])
    assert gone["returnLabel"] == "Silver"
    assert (await submit(robot, channel, "Silver", "dora")) | {"id": ""} == {"id": "", "added": 1, "tag": {"id": gold}}
    history = (await robot.ask(HISTORY, channel=channel))["user"]["tagHistory"]["nodes"]
    assert {"cause": "TAG_MERGED", "added": [{"name": "Gold"}], "removed": []} in history
    assert (await robot.ask(PREVIEW, **{"from": silver, "into": gold})).code == "NOT_FOUND"


async def test_while_a_merge_runs_its_tags_stay_and_cancelling_it_frees_them(robot: Robot, channel: str) -> None:
    silver = (await submit(robot, channel, "Silver", "ann"))["tag"]["id"]
    gold = (await submit(robot, channel, "Gold", "bob"))["tag"]["id"]
    job = await begin(robot, silver, gold)
    assert (await robot.ask(DELETE, id=silver)).code == "CONFLICT"
    assert (await robot.ask(PREVIEW, **{"from": gold, "into": silver})).code == "CONFLICT"
    cancelled = (await robot.ask(CANCEL, id=job["id"]))["cancelJob"]["job"]
    assert cancelled == {"__typename": "TagMerge", "state": "CANCELLED"}


async def test_what_cannot_be_merged_is_refused_by_code(robot: Robot, channel: str) -> None:
    silver = (await submit(robot, channel, "Silver", "ann"))["tag"]["id"]
    gold = (await submit(robot, channel, "Gold", "bob"))["tag"]["id"]
    combo = await robot.create_combo(channel, silver, name="Mine")
    await robot.record(channel, {"openid": "ann", "kind": "FOLLOW", "at": "2026-01-01T00:00:00Z"})
    default = (await robot.tag_ids(channel, "ann"))["Old user"]
    for pair, code in (
        ((silver, silver), "BAD_USER_INPUT"),
        ((silver, combo), "BAD_USER_INPUT"),
        ((default, gold), "TAG_PROTECTED"),
        ((silver, "VGFnOjE"), "NOT_FOUND"),
    ):
        assert (await robot.ask(PREVIEW, **{"from": pair[0], "into": pair[1]})).code == code
        assert (await robot.ask(MERGE, **{"from": pair[0], "into": pair[1], "hash": "x"})).code == code
    assert (await robot.ask(MERGE, **{"from": silver, "into": gold, "hash": "x"})).code == "CONFLICT"
    for role in ("agent", "integrator"):
        assert (await robot.ask(PREVIEW, role, **{"from": silver, "into": gold})).code == "FORBIDDEN"
        assert (await robot.ask(MERGE, role, **{"from": silver, "into": gold, "hash": "x"})).code == "FORBIDDEN"
