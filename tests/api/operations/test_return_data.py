"""Hand lists back as integrators do, and read receipts, evidence and the tags that appear.

The rule: docs/specification.md §4.2.
"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.support.robot import Robot, event_input, iso_time_ago, table_digests

SUBMIT = """
mutation Submit($input: SubmitReturnDataInput!) {
  submitReturnData(input: $input) {
    replayed
    receipt {
      id at mode source subject expiresAt undoneAt added removed unchanged duplicates newUsers unmatched
      rejected { index code } tag { id category name returnCategory returnLabel memberCount state description }
    }
  }
}
"""
UNDO = """
mutation Undo($id: ID!) { undoReturnBatch(receiptId: $id) { removed kept receipt { id undoneAt } } }
"""
EVIDENCE = """
query($c: ID!, $openid: String!) { user(channelId: $c, openid: $openid) { following tags {
  tag { name } since why until evidence { __typename ... on ReturnEvidence { receipts { id } } }
} } }
"""


@pytest.fixture
async def channel(robot: Robot) -> str:
    identifier: str = (await robot.bind())["id"]
    return identifier


async def submit(robot: Robot, channel: str, *openids: str, role: str = "integrator", **given: Any) -> dict[str, Any]:
    fields = {"channelId": channel, "category": "Level", "label": "Gold", "openids": openids}
    payload: dict[str, Any] = (await robot.ask(SUBMIT, role, input=fields | given))["submitReturnData"]
    return payload


async def refused(robot: Robot, channel: str, *openids: str, **given: Any) -> str:
    """Return the code of the refusal, after a check that nothing was written."""
    before = await table_digests(robot.web)
    fields = {"channelId": channel, "category": "Level", "label": "Gold", "openids": openids}
    answer = await robot.ask(SUBMIT, "integrator", input=fields | given)
    assert await table_digests(robot.web) == before
    return answer.code


async def test_a_receipt_counts_everything(robot: Robot, channel: str) -> None:
    await robot.record(channel, event_input("ada", "FOLLOW"))
    await submit(robot, channel, "bob")
    payload = await submit(robot, channel, "ada", "bob", "eve", "eve", "no good", "", description="Spent a lot")
    receipt = payload["receipt"]

    assert not payload["replayed"]
    assert (receipt["added"], receipt["removed"], receipt["unchanged"]) == (2, 0, 1)
    assert (receipt["duplicates"], receipt["newUsers"], receipt["unmatched"]) == (1, 1, [])
    assert receipt["rejected"] == [{"index": index, "code": "MALFORMED_OPENID"} for index in (4, 5)]
    assert (receipt["mode"], receipt["source"], receipt["subject"]) == ("ADD", "GRAPHQL", "somebody")
    assert receipt["tag"]["state"] == "ACTIVE"
    assert receipt["tag"]["memberCount"] == 3
    assert (receipt["tag"]["returnCategory"], receipt["tag"]["returnLabel"]) == ("Level", "Gold")


async def test_an_unknown_openid_becomes_somebody_who_does_not_follow(robot: Robot, channel: str) -> None:
    await submit(robot, channel, "eve")
    user = (await robot.ask(EVIDENCE, c=channel, openid="eve"))["user"]

    assert not user["following"]
    assert [each["tag"]["name"] for each in user["tags"]] == ["Gold"]


async def test_remove_and_replace(robot: Robot, channel: str) -> None:
    await submit(robot, channel, "ada", "bob", "eve")
    removed = (await submit(robot, channel, "bob", "nobody", mode="REMOVE"))["receipt"]
    assert (removed["removed"], removed["unchanged"], removed["newUsers"]) == (1, 1, 0)
    assert await robot.tags(channel, "bob") == set()

    replaced = (await submit(robot, channel, "eve", "joe", mode="REPLACE"))["receipt"]
    assert (replaced["added"], replaced["removed"], replaced["unchanged"]) == (1, 1, 1)
    emptied = (await submit(robot, channel, mode="REPLACE"))["receipt"]
    assert (emptied["removed"], emptied["tag"]["memberCount"]) == (2, 0)


async def test_names_are_tidied_before_the_tag_is_looked_for(robot: Robot, channel: str) -> None:
    first = await submit(robot, channel, "ada", label="Café")
    second = await submit(robot, channel, "bob", label="  Cafe\u0301 ")

    assert first["receipt"]["tag"]["id"] == second["receipt"]["tag"]["id"]


async def test_why_and_until_name_the_batches_behind_a_tag(robot: Robot, channel: str) -> None:
    later = iso_time_ago(timedelta(hours=-2))
    first = (await submit(robot, channel, "ada", expiresAt=iso_time_ago(timedelta(hours=-1))))["receipt"]["id"]
    second = (await submit(robot, channel, "ada", expiresAt=later))["receipt"]["id"]
    (tag,) = (await robot.ask(EVIDENCE, c=channel, openid="ada"))["user"]["tags"]

    assert tag["evidence"]["receipts"] == [{"id": first}, {"id": second}]
    assert tag["until"] == later
    assert "by somebody" in tag["why"]
    assert "1 earlier batch" in tag["why"]
    assert tag["since"] is not None
    await submit(robot, channel, "ada")
    assert (await robot.ask(EVIDENCE, c=channel, openid="ada"))["user"]["tags"][0]["until"] is None


async def test_undoing_takes_only_its_own_support_away_and_may_be_repeated(robot: Robot, channel: str) -> None:
    first = (await submit(robot, channel, "ada", "bob"))["receipt"]["id"]
    await submit(robot, channel, "bob")
    undone = (await robot.ask(UNDO, "integrator", id=first))["undoReturnBatch"]

    assert (undone["removed"], undone["kept"]) == (1, 1)
    assert undone["receipt"]["undoneAt"] is not None
    assert (await robot.ask(UNDO, "integrator", id=first))["undoReturnBatch"] == undone
    assert await robot.tags(channel, "ada") == set()
    assert await robot.tags(channel, "bob") == {"Gold"}


async def test_only_adds_in_force_can_be_undone(robot: Robot, channel: str) -> None:
    added = (await submit(robot, channel, "ada"))["receipt"]["id"]
    replaced = (await submit(robot, channel, "ada", mode="REPLACE"))["receipt"]["id"]
    removed = (await submit(robot, channel, "ada", mode="REMOVE"))["receipt"]["id"]

    assert (await robot.ask(UNDO, id=added)).code == "CONFLICT"
    for receipt in (replaced, removed):
        assert (await robot.ask(UNDO, id=receipt)).error["extensions"]["fields"][0]["code"] == "NOT_AN_ADD"


async def test_an_idempotency_key_returns_the_first_receipt(robot: Robot, channel: str) -> None:
    payloads = await asyncio.gather(
        *(submit(robot, channel, "ada", "bob", "bob", idempotencyKey="night-1") for _ in range(10))
    )

    assert sorted(payload["replayed"] for payload in payloads) == [False] + [True] * 9
    assert len({payload["receipt"]["id"] for payload in payloads}) == 1
    assert {payload["receipt"]["added"] for payload in payloads} == {2}
    receipts = "query($id: ID!) { node(id: $id) { ... on ReturnTag { receipts { nodes { id } } } } }"
    listed = await robot.ask(receipts, id=payloads[0]["receipt"]["tag"]["id"])
    assert len(listed["node"]["receipts"]["nodes"]) == 1


async def test_the_same_key_with_another_request_is_a_conflict(robot: Robot, channel: str) -> None:
    await submit(robot, channel, "ada", idempotencyKey="k")
    other = (await robot.bind(2))["id"]

    assert await refused(robot, channel, "ada", "bob", idempotencyKey="k") == "CONFLICT"
    assert await refused(robot, channel, "ada", idempotencyKey="k", mode="REPLACE") == "CONFLICT"
    assert await refused(robot, channel, "ada", idempotencyKey="k", description="new") == "CONFLICT"
    assert await refused(robot, other, "ada", idempotencyKey="k") == "CONFLICT"
    assert (
        await submit(Robot(robot.web, f"{robot.name}b"), await _bound(f"{robot.name}b", robot), "x", idempotencyKey="k")
    )["receipt"]["added"] == 1


async def _bound(name: str, robot: Robot) -> str:
    identifier: str = (await Robot(robot.web, name).bind())["id"]
    return identifier


async def test_a_refused_request_does_not_use_its_key_up(robot: Robot, channel: str) -> None:
    assert await refused(robot, channel, "ada", category="Opening", label="Opened", idempotencyKey="k") == "NAME_TAKEN"
    assert (await submit(robot, channel, "ada", idempotencyKey="k"))["receipt"]["added"] == 1


async def test_what_is_refused_changes_nothing(robot: Robot, channel: str) -> None:
    past = iso_time_ago(timedelta(seconds=1))
    assert await refused(robot, channel, *(f"p{n}" for n in range(10_001))) == "LIMIT_EXCEEDED"
    assert await refused(robot, channel, "ada", category="Opening", label="Opened") == "NAME_TAKEN"
    assert await refused(robot, channel, "ada", mode="REMOVE") == "NOT_FOUND"
    assert await refused(robot, channel, "ada", category=" ", label="x" * 65) == "BAD_USER_INPUT"
    assert await refused(robot, channel, "ada", expiresAt=past) == "BAD_USER_INPUT"
    assert (
        await refused(robot, channel, "ada", expiresAt=iso_time_ago(timedelta(-1)), mode="REPLACE") == "BAD_USER_INPUT"
    )
    assert await refused(robot, channel, "ada", idempotencyKey="") == "BAD_USER_INPUT"
    assert await refused(robot, channel, "ada", idempotencyKey="x" * 129) == "BAD_USER_INPUT"
    assert await refused(robot, channel, "ada", description="x\x00") == "BAD_USER_INPUT"


async def test_nothing_is_taken_while_the_gate_is_closed(robot: Robot, channel: str) -> None:
    receipt = (await submit(robot, channel, "ada"))["receipt"]
    node = "query($id: ID!) { node(id: $id) { id } }"
    await robot.ask("mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }", id=channel)

    assert await refused(robot, channel, "bob") == "CHANNEL_NOT_BOUND"
    assert await refused(robot, channel, "bob", idempotencyKey="k") == "CHANNEL_NOT_BOUND"
    assert (await robot.ask(UNDO, id=receipt["id"])).code == "CHANNEL_NOT_BOUND"
    assert (await robot.ask(node, id=receipt["id"]))["node"] is None


LEFT_OUT = """
query ($id: ID!, $first: Int!, $after: String) { node(id: $id) { ... on ReturnReceipt {
  rejected { index } unmatched
  rejectedPage(first: $first, after: $after) { totalCount nodes { index code } pageInfo { hasNextPage endCursor } }
  unmatchedPage(first: 150) { totalCount nodes { openid } pageInfo { hasNextPage endCursor } }
} } }
"""


async def test_what_was_left_out_is_listed_in_part_and_paged_in_full(robot: Robot, channel: str) -> None:
    mini = (await robot.bind(2, kind="MINI_PROGRAM"))["id"]
    openids = [f"no good {number}" if number % 2 else f"unknown-{number}" for number in range(502)]
    receipt = (await submit(robot, channel, *openids, openidsOf=mini))["receipt"]
    assert [each["index"] for each in receipt["rejected"]] == list(range(1, 400, 2))
    assert receipt["unmatched"] == openids[0:400:2]

    seen: list[int] = []
    after: str | None = None
    while True:
        node = (await robot.ask(LEFT_OUT, id=receipt["id"], first=100, after=after))["node"]
        assert node["rejected"] == [{"index": each["index"]} for each in receipt["rejected"]]
        page = node["rejectedPage"]
        assert page["totalCount"] == 251
        seen += [each["index"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == list(range(1, 502, 2))
    assert node["unmatchedPage"]["totalCount"] == 251
    assert [each["openid"] for each in node["unmatchedPage"]["nodes"]] == openids[0:300:2]
    assert node["unmatchedPage"]["pageInfo"]["hasNextPage"]


async def test_a_receipt_of_a_list_without_faults_has_empty_pages(robot: Robot, channel: str) -> None:
    receipt = (await submit(robot, channel, "ada"))["receipt"]
    node = (await robot.ask(LEFT_OUT, id=receipt["id"], first=1))["node"]
    assert (node["rejected"], node["unmatched"]) == ([], [])
    for page in (node["rejectedPage"], node["unmatchedPage"]):
        assert page == {"totalCount": 0, "nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}
    wrong = await robot.ask(LEFT_OUT, id=receipt["id"], first=1, after="bm9uZTox")
    assert wrong.code == "BAD_USER_INPUT"


async def test_openids_of_another_channel_are_converted_by_unionid(robot: Robot, channel: str) -> None:
    link = "mutation($input: LinkIdentitiesInput!) { linkIdentities(input: $input) { linked } }"
    mini = (await robot.bind(2, kind="MINI_PROGRAM"))["id"]
    for where, prefix in ((channel, "oa"), (mini, "mp")):
        pairs = [{"openid": f"{prefix}-{n}", "unionid": f"union-{n}"} for n in range(3)]
        await robot.ask(link, input={"channelId": where, "pairs": pairs})
    await robot.ask(link, input={"channelId": mini, "pairs": [{"openid": "mp-only", "unionid": "union-9"}]})
    openids = ("mp-0", "mp-2", "mp-2", "mp-only", "mp-unknown", "b@d")
    receipt = (await submit(robot, channel, *openids, openidsOf=mini))["receipt"]

    assert (receipt["added"], receipt["duplicates"], receipt["newUsers"]) == (2, 1, 0)
    assert receipt["unmatched"] == ["mp-only", "mp-unknown"]
    assert [each["index"] for each in receipt["rejected"]] == [5]
    assert await robot.tags(channel, "oa-2") == {"Gold"}


async def test_what_a_list_held_is_for_who_sent_it_and_who_may_see_people(robot: Robot, channel: str) -> None:
    mini = (await robot.bind(2, kind="MINI_PROGRAM"))["id"]
    sent = (await submit(robot, channel, "mp-stranger", "b@d", openidsOf=mini))["receipt"]
    query = "query($id: ID!) { node(id: $id) { ... on ReturnReceipt { subject unmatched rejected { index } } } }"

    async def seen(role: str, subject: str, channels: list[str] | None = None) -> tuple[int, int]:
        token = robot.web.token(role, robot=robot.name, subject=subject, channels=channels)
        receipt = (await robot.web.run(query, token=token, id=sent["id"]))["node"]
        return len(receipt["unmatched"]), len(receipt["rejected"])

    assert await seen("integrator", sent["subject"]) == (1, 1)
    assert await seen("integrator", "another shop") == (0, 0)
    assert await seen("agent", "li lei") == (1, 1)
    assert await seen("integrator", sent["subject"], [channel, mini]) == (1, 1)
    assert await seen("integrator", sent["subject"], [channel]) == (0, 1)
    assert await seen("admin", "li lei", [channel]) == (0, 1)


async def test_openids_of_a_foreign_channel_are_not_found(robot: Robot, channel: str) -> None:
    foreign = (await Robot(robot.web, f"{robot.name}b").bind())["id"]

    assert await refused(robot, channel, "ada", openidsOf=foreign) == "NOT_FOUND"


async def test_receipts_come_newest_first_in_pages(robot: Robot, channel: str) -> None:
    made = [(await submit(robot, channel, f"p{n}"))["receipt"] for n in range(5)]
    page = """query($id: ID!, $after: String) { tag(id: $id) { ... on ReturnTag {
      receipts(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } } } }"""
    seen: list[str] = []
    after, more = None, True
    while more:
        found = (await robot.ask(page, "integrator", id=made[0]["tag"]["id"], after=after))["tag"]["receipts"]
        seen += [each["id"] for each in found["nodes"]]
        after, more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]

    assert seen == [receipt["id"] for receipt in reversed(made)]


@pytest.mark.usefixtures("quick_counts")
async def test_a_returned_tag_appears_on_an_open_page_and_in_the_tag_panel(robot: Robot, channel: str) -> None:
    page = 'subscription($c: ID!) { userTags(channelId: $c, openid: "ada") { reset cause tags { name } } }'
    panel = 'subscription($c: ID!) { tagEvents(channelId: $c, after: "") { kind tag { name memberCount } } }'
    await robot.record(channel, event_input("ada", "UNFOLLOW"))
    async with robot.web.socket(robot.token("agent")) as socket:
        reader, watcher = await socket.subscribe(page, c=channel), await socket.subscribe(panel, c=channel)
        assert (await reader.next())["userTags"]["tags"] == []
        assert (await watcher.next())["tagEvents"]["kind"] == "RESET"
        receipt = (await submit(robot, channel, "ada"))["receipt"]["id"]
        gained = (await reader.next())["userTags"]
        made = (await watcher.next())["tagEvents"]
        counted = (await watcher.next())["tagEvents"]
        await robot.ask(UNDO, id=receipt)
        lost = (await reader.next())["userTags"]

    assert gained == {"reset": False, "cause": "RETURN_DATA", "tags": [{"name": "Gold"}]}
    assert (made["kind"], made["tag"]["name"]) == ("CREATED", "Gold")
    assert (counted["kind"], counted["tag"]) == ("COUNT_CHANGED", {"name": "Gold", "memberCount": 1})
    assert lost == {"reset": False, "cause": "BATCH_UNDONE", "tags": []}
