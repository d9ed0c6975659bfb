"""See what a tag is linked to at the Official Account, keep it in sync or not, and end the link."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from service.dev.demo.wechat_api.books.accounts import Account, AccountBooks
from service.dev.demo.wechat_api.faults import Fault, FaultKind
from service.dev.stack.servers import EmbeddedServers
from service.entities.ids import parse_tag_gid, split_gid
from service.entities.remote_tags import RemoteAdditions
from service.storage import remote_tags
from tests.api.operations.test_channel_secrets import SECRETS
from tests.dev.wechat_api.wechat import Wechat, open_wechat
from tests.support.audit import audit_rows_at
from tests.support.robot import Robot, event_input
from tests.support.runtime import counted_statements
from tests.support.web import robot_numbers, shared_web

LINK = "officialAccount { remoteTagId remoteName keepInSync inSync lastSyncedAt error }"
TAG = f"query($id: ID!) {{ tag(id: $id) {{ id {LINK} }} }}"
KEEP = f"""
mutation($ids: [ID!]!, $keep: Boolean!) {{ setKeepInSync(tagIds: $ids, keepInSync: $keep) {{ tags {{ id {LINK} }} }} }}
"""
UNLINK = f"""
mutation($id: ID!, $delete: Boolean! = false) {{
  unlinkOfficialAccountTag(tagId: $id, deleteRemote: $delete) {{ tags {{ id {LINK} }} }}
}}
"""
DELETE = "mutation($id: ID!) { deleteTag(id: $id) { tag { id officialAccount { keepInSync inSync error } } } }"
UNBIND = "mutation($id: ID!) { unbindChannel(id: $id) { channel { id } } }"
SYNC = "mutation($input: SyncInput!) { syncToOfficialAccount(input: $input) { sync { id } } }"
LAST_SYNC = "query($id: ID!) { tag(id: $id) { officialAccount { lastSync { id dryRun tags { tag { id } } } } } }"
SYNCED_AT = datetime(2026, 2, 1, tzinfo=UTC)
ALL_WELL = {
    "remoteTagId": 100,
    "remoteName": "贵宾",
    "keepInSync": True,
    "inSync": True,
    "lastSyncedAt": "2026-02-01T00:00:00Z",
    "error": None,
}
DELETED = "The tag was deleted; the tag at the Official Account is left as it was."


@pytest.fixture(scope="module")
async def wechat() -> AsyncIterator[Wechat]:
    async with open_wechat() as running:
        yield running


@pytest.fixture(scope="module")
async def calling_web(servers: EmbeddedServers, migrated_template: str, wechat: Wechat) -> AsyncIterator[Any]:
    """Serve a process that calls the imitated server API."""
    async with shared_web(servers, migrated_template, wechat_api_url=wechat.url) as web:
        yield web


@dataclass
class Linked:
    """Keep a robot whose channel has one linked tag, an ad tag, and the books of its account."""

    robot: Robot
    channel: str
    tag: str
    combo: str
    unlinked: str
    books: AccountBooks


async def link(robot: Robot, tag: str, remote_tag_id: int, *, keep_in_sync: bool = True, job_id: int = 99) -> None:
    """Link a tag that was synced once."""
    channel_id, tag_id = parse_tag_gid(tag)
    conn = await asyncpg.connect(robot.web.settings.database_url)
    try:
        await remote_tags.link_tag(
            conn,
            channel_id,
            tag_id,
            remote_tag_id=remote_tag_id,
            remote_name="贵宾",
            keep_in_sync=keep_in_sync,
            remote_additions=RemoteAdditions.KEEP,
            job_id=job_id,
            now=SYNCED_AT,
        )
        await remote_tags.note_sync_success(conn, channel_id, [tag_id], job_id, SYNCED_AT)
    finally:
        await conn.close()


@pytest.fixture
async def linked(calling_web: Any, wechat: Wechat) -> Linked:
    robot = Robot(calling_web, f"r{next(robot_numbers)}")
    account = Account(app_id=robot.app_id(), gh_id=f"gh_{robot.name}", token="T", secret=SECRETS["appSecret"])
    books = wechat.platform.books.register(account)
    books.follow("oAda", wechat.clock())
    remote = books.tags.create("贵宾", wechat.clock())
    books.tags.tag(remote.id, ["oAda"])
    channel = (await robot.bind(appSecret=SECRETS["appSecret"]))["id"]
    await robot.record(channel, event_input("oAda", "FOLLOW"))
    ad_tag = await robot.create_ad_tag(channel, "Autumn", "7")
    combo = await robot.create_combo(channel, (await robot.tag_ids(channel, "oAda"))["New user"])
    await link(robot, combo, remote.id)
    return Linked(robot, channel, combo, combo, ad_tag, books)


async def shown(linked: Linked) -> Any:
    """Return what the linked tag shows of its link."""
    return (await linked.robot.ask(TAG, id=linked.tag))["tag"]["officialAccount"]


async def test_a_tag_shows_what_it_is_linked_to(linked: Linked) -> None:
    assert await shown(linked) == ALL_WELL
    assert (await linked.robot.ask(TAG, id=linked.unlinked))["tag"]["officialAccount"] is None


async def test_a_list_of_tags_reads_all_links_at_once(linked: Linked) -> None:
    query = f"query($id: ID!) {{ channel(id: $id) {{ tags(first: 100) {{ nodes {{ {LINK} }} }} }} }}"
    with counted_statements() as sent:
        nodes = (await linked.robot.ask(query, id=linked.channel))["channel"]["tags"]["nodes"]
    assert len(nodes) == 10
    assert sent.count("linked_tags") == 1


async def test_syncing_stops_for_a_tag_that_is_deleted_or_lapses_and_says_so(linked: Linked) -> None:
    robot = linked.robot
    tagged = set(linked.books.tags.tags)
    over = await robot.create_combo(linked.channel, linked.combo, name="Over")
    await link(robot, over, 101)

    gone = await robot.ask(DELETE, id=linked.tag)
    assert gone["deleteTag"]["tag"]["officialAccount"] == {"keepInSync": False, "inSync": False, "error": DELETED}
    lapsed = (await robot.ask(TAG, id=over))["tag"]["officialAccount"]
    assert (lapsed["keepInSync"], lapsed["inSync"]) == (True, False)
    assert "lapsed" in lapsed["error"]
    assert set(linked.books.tags.tags) == tagged


async def test_while_the_channel_is_not_bound_no_link_changes(linked: Linked) -> None:
    await linked.robot.ask(UNBIND, id=linked.channel)

    refused = [
        await linked.robot.ask(KEEP, ids=[linked.tag], keep=False),
        await linked.robot.ask(UNLINK, id=linked.tag),
    ]
    assert [answer.code for answer in refused] == ["CHANNEL_NOT_BOUND"] * 2
    await linked.robot.bind(appSecret=SECRETS["appSecret"])
    assert await shown(linked) == ALL_WELL


async def test_keeping_in_sync_is_turned_off_and_on(linked: Linked) -> None:
    off, on = [await linked.robot.ask(KEEP, ids=[linked.tag] * 2, keep=keep) for keep in (False, True)]

    assert off["setKeepInSync"]["tags"] == [{"id": linked.tag, "officialAccount": ALL_WELL | {"keepInSync": False}}]
    assert on["setKeepInSync"]["tags"] == [{"id": linked.tag, "officialAccount": ALL_WELL}]


async def test_tags_that_cannot_be_kept_in_sync_are_named_and_nothing_changes(linked: Linked) -> None:
    robot = linked.robot
    other_channel = (await robot.bind(2))["id"]
    others = await robot.ask("query($id: ID!) { channel(id: $id) { tags { nodes { id } } } }", id=other_channel)
    other = others["channel"]["tags"]["nodes"][0]["id"]
    over = await robot.create_combo(linked.channel, linked.combo, name="Over")
    await link(robot, over, 101, keep_in_sync=False)
    await robot.ask(KEEP, ids=[linked.tag], keep=False)

    async def codes(*ids: str) -> tuple[str, list[tuple[str, str]]]:
        error = (await robot.ask(KEEP, ids=list(ids), keep=True)).error["extensions"]
        return error["code"], [(each["path"], each["code"]) for each in error.get("fields", ())]

    assert await codes() == ("BAD_USER_INPUT", [("tagIds", "TOO_FEW")])
    assert await codes(*[linked.tag] * 101) == ("LIMIT_EXCEEDED", [])
    assert await codes(linked.tag, linked.unlinked) == ("BAD_USER_INPUT", [("tagIds.1", "NOT_LINKED")])
    assert await codes(linked.tag, other) == ("NOT_FOUND", [])
    await robot.ask(DELETE, id=linked.combo)
    assert await codes(linked.combo) == ("NOT_FOUND", [])
    assert await codes(over) == ("TAG_NOT_USABLE", [("tagIds.0", "TAG_NOT_USABLE")])
    assert not (await robot.ask(TAG, id=over))["tag"]["officialAccount"]["keepInSync"]


async def test_a_link_is_ended_and_the_remote_tag_stays(linked: Linked) -> None:
    left = ALL_WELL | {"remoteTagId": None, "keepInSync": False, "inSync": False}
    answer = await linked.robot.ask(UNLINK, id=linked.tag)

    assert answer["unlinkOfficialAccountTag"]["tags"] == [{"id": linked.tag, "officialAccount": left}]
    assert set(linked.books.tags.tags) == {100}
    again = (await linked.robot.ask(UNLINK, id=linked.tag)).error["extensions"]
    assert again["code"] == "BAD_USER_INPUT"
    assert [each["path"] for each in again["fields"]] == ["tagId"]


async def test_the_remote_tag_is_deleted_on_request_also_of_a_deleted_tag(linked: Linked) -> None:
    await linked.robot.ask(DELETE, id=linked.tag)
    answer = await linked.robot.ask(UNLINK, id=linked.tag, delete=True)

    assert answer["unlinkOfficialAccountTag"]["tags"][0]["officialAccount"]["remoteTagId"] is None
    assert linked.books.tags.tags == {}


async def test_a_remote_tag_that_is_gone_already_ends_the_link_too(linked: Linked) -> None:
    linked.books.tags.delete(100)

    assert (await linked.robot.ask(UNLINK, id=linked.tag, delete=True)).errors == []
    assert (await shown(linked))["remoteTagId"] is None


async def test_a_remote_tag_that_wechat_does_not_delete_stays_linked_and_is_not_kept_in_sync(
    linked: Linked, wechat: Wechat
) -> None:
    wechat.books.faults.add("/cgi-bin/tags/delete", Fault(kind=FaultKind.ERROR, code=45057))

    refused = await linked.robot.ask(UNLINK, id=linked.tag, delete=True)
    assert refused.error["extensions"] == {"code": "UPSTREAM", "errcode": 45057}
    assert await shown(linked) == ALL_WELL | {"keepInSync": False}
    rows = await audit_rows_at(linked.robot.web.settings.database_url or "", linked.robot.name)
    [entry] = [each for each in rows if each["action"] == "unlinkOfficialAccountTag" and each["outcome"] == "DONE"]
    assert entry["before"] == {"remoteTagId": 100, "keepInSync": True}
    assert entry["after"] == {"keepInSync": False, "deleteRemote": True}


async def test_a_tag_that_is_being_synced_is_not_unlinked_until_that_is_cancelled(linked: Linked) -> None:
    robot = linked.robot
    given = {"channelId": linked.channel, "tagIds": [linked.tag]}
    await robot.ask(SYNC, input=given | {"dryRun": True})
    sync = (await robot.ask(SYNC, input=given))["syncToOfficialAccount"]["sync"]["id"]

    refused = [await robot.ask(UNLINK, id=linked.tag, delete=delete) for delete in (False, True)]
    assert [each.code for each in refused] == ["CONFLICT"] * 2
    assert (await robot.ask(LAST_SYNC, id=linked.tag))["tag"]["officialAccount"] == {"lastSync": None}
    assert await shown(linked) == ALL_WELL
    await robot.ask("mutation($id: ID!) { cancelJob(id: $id) { job { state } } }", id=sync)
    assert (await robot.ask(UNLINK, id=linked.tag)).errors == []


async def test_the_last_sync_of_a_tag_is_shown_with_it(linked: Linked) -> None:
    robot = linked.robot
    given = {"channelId": linked.channel, "tagIds": [linked.tag], "dryRun": True}
    sync = (await robot.ask(SYNC, input=given))["syncToOfficialAccount"]["sync"]["id"]
    await link(robot, linked.tag, 100, job_id=split_gid(sync).numbers[-1])  # type: ignore[union-attr]

    last = (await robot.ask(LAST_SYNC, id=linked.tag))["tag"]["officialAccount"]["lastSync"]
    assert last == {"id": sync, "dryRun": True, "tags": [{"tag": {"id": linked.tag}}]}


async def test_a_tag_that_was_only_planned_shows_no_link(linked: Linked) -> None:
    new_user = (await linked.robot.tag_ids(linked.channel, "oAda"))["New user"]
    given = {"channelId": linked.channel, "tagIds": [new_user], "dryRun": True}
    assert (await linked.robot.ask(SYNC, input=given)).errors == []

    assert (await linked.robot.ask(TAG, id=new_user))["tag"]["officialAccount"] is None
