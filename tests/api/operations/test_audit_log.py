"""Read the audit log as creators and admins do, page by page and by filters, and download it by its link."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from service.domain.audit.exporting import ACTION, LINK_VALID_FOR, OPENED
from service.domain.audit.sealing import seal_audit_logs
from service.domain.runtime import Runtime
from service.foundation.wire_names import camel_case
from tests.support.audit import audit_rows_at
from tests.support.robot import Robot
from tests.support.worker import worker_runtime

LOG = """
query Log($first: Int! = 50, $after: String, $filter: AuditFilter) {
  auditLog(first: $first, after: $after, filter: $filter) {
    edges { cursor node { id } }
    nodes {
      id at subject role action targetId target { __typename id ... on Tag { name deletedAt } ... on User { openid } }
      detail outcome errorCode requestId clientAddress before after count number hash
    }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}
"""
NODE = "query Node($id: ID!) { node(id: $id) { ... on AuditEntry { id action target { id } } } }"
EXPORT = """
mutation Export($filter: AuditFilter, $format: AuditFormat! = PLAIN) {
  exportAuditLog(filter: $filter, format: $format) { url urlExpiresAt }
}
"""
RENAME = "mutation Rename($id: ID!, $name: String!) { renameTag(id: $id, name: $name) { tag { id } } }"
DELETE = "mutation Delete($id: ID!) { deleteTag(id: $id) { deletedId } }"


@pytest.fixture
async def runtime(robot: Robot) -> AsyncIterator[Runtime]:
    """Open what a worker would have, beside the web process."""
    async with worker_runtime(robot.web) as running:
        yield running


@pytest.fixture
async def tag(robot: Robot) -> str:
    """Make a tag that has been renamed three times, and deleted."""
    tag_id = await robot.create_ad_tag((await robot.bind())["id"], "name 0", "ad-1")
    for number in (1, 2, 3):
        await robot.ask(RENAME, id=tag_id, name=f"name {number}")
    await robot.ask(DELETE, id=tag_id)
    return tag_id


async def log(robot: Robot, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await robot.ask(LOG, **given))["auditLog"]
    return found


async def seal(runtime: Runtime) -> None:
    """Seal everything, as a worker does some seconds later."""
    later = datetime.now(UTC) + timedelta(minutes=5)
    await seal_audit_logs(replace(runtime, clock=lambda: later))


async def download(robot: Robot, **given: Any) -> httpx.Response:
    link = (await robot.ask(EXPORT, **given))["exportAuditLog"]
    return await robot.web.http.get(link["url"])


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200
    return [json.loads(line) for line in response.text.splitlines()]


async def test_the_newest_comes_first_and_says_what_was_done(robot: Robot, tag: str, runtime: Runtime) -> None:
    deleted, renamed, *_ = (await log(robot))["nodes"]
    assert (deleted["action"], renamed["action"]) == ("deleteTag", "renameTag")
    assert (deleted["subject"], deleted["role"], deleted["outcome"]) == ("somebody", "ADMIN", "DONE")
    assert (deleted["targetId"], deleted["target"]["id"], deleted["target"]["name"]) == (tag, tag, "name 3")
    assert deleted["target"]["deletedAt"]
    assert (deleted["count"], deleted["errorCode"], deleted["clientAddress"]) == (1, None, "127.0.0.1")
    assert (json.loads(renamed["before"]), json.loads(renamed["after"])) == ({"name": "name 2"}, {"name": "name 3"})
    assert (deleted["number"], deleted["hash"]) == (None, None)
    await seal(runtime)
    numbers = [int(each["number"]) for each in (await log(robot))["nodes"]]
    assert numbers == list(range(len(numbers), 0, -1))


async def test_pages_hold_every_entry_once(robot: Robot, tag: str) -> None:
    await robot.bind(2)
    whole = [each["id"] for each in (await log(robot))["nodes"]]
    found: list[str] = []
    after = None
    while True:
        page = await log(robot, first=2, after=after)
        assert [each["node"]["id"] for each in page["edges"]] == [each["id"] for each in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        found += [each["id"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == whole
    assert len(whole) >= 4


async def test_new_entries_do_not_move_the_pages_that_follow(robot: Robot, tag: str) -> None:
    first = await log(robot, first=2)
    expected = (await log(robot))["nodes"][2:4]
    await robot.bind(2)
    page = await log(robot, first=2, after=first["pageInfo"]["endCursor"])
    assert page["nodes"] == expected


async def test_filters_apply_together(robot: Robot, tag: str) -> None:
    everything = (await log(robot))["nodes"]
    renames = (await log(robot, filter={"targetId": tag, "action": "renameTag", "outcome": "DONE"}))["nodes"]
    assert renames == [each for each in everything if each["action"] == "renameTag"]
    assert len(renames) == 3
    second, first = renames[0]["at"], renames[1]["at"]
    assert (await log(robot, filter={"since": first, "until": second}))["nodes"] == [renames[1]]
    assert (await log(robot, filter={"subject": "nobody"}))["nodes"] == []
    assert (await log(robot, filter={"outcome": "FAILED"}))["nodes"] == []
    assert (await log(robot, filter={"subject": "somebody", "action": None}))["nodes"] == everything


async def test_another_robot_sees_nothing_of_it(robot: Robot, tag: str) -> None:
    entry = (await log(robot))["nodes"][0]["id"]
    other = Robot(robot.web, f"{robot.name}x")
    assert (await log(other))["nodes"] == []
    await other.bind()
    assert (await log(other, filter={"targetId": tag}))["nodes"] == []
    assert (await other.ask(NODE, id=entry)).code == "NOT_FOUND"


@pytest.mark.parametrize("role", ["agent", "integrator"])
async def test_agents_and_integrators_may_not_read_it(robot: Robot, tag: str, role: str) -> None:
    entry = (await log(robot))["nodes"][0]["id"]
    assert (await robot.ask(LOG, role)).code == "FORBIDDEN"
    assert (await robot.ask(EXPORT, role)).code == "FORBIDDEN"
    assert (await robot.ask(NODE, role, id=entry)).code == "NOT_FOUND"


async def test_a_token_narrowed_to_channels_may_not_read_it(robot: Robot, tag: str) -> None:
    entry = (await log(robot))["nodes"][0]["id"]
    token = robot.token("creator", [(await robot.bind())["id"]])
    assert (await robot.web.run(LOG, token=token)).code == "FORBIDDEN"
    assert (await robot.web.run(EXPORT, token=token)).code == "FORBIDDEN"
    assert (await robot.web.run(NODE, token=token, id=entry)).code == "NOT_FOUND"


async def test_an_entry_is_found_by_its_id(robot: Robot, tag: str) -> None:
    entry = (await log(robot))["nodes"][0]
    found = (await robot.ask(NODE, id=entry["id"]))["node"]
    assert found == {"id": entry["id"], "action": "deleteTag", "target": {"id": tag}}


async def test_a_target_that_is_gone_or_of_another_robot_is_null(robot: Robot, tag: str, runtime: Runtime) -> None:
    other = Robot(robot.web, f"{robot.name}x")
    foreign = await other.create_ad_tag((await other.bind())["id"], "theirs", "ad-1")
    changed = "update audit_entry set target_id = $3 where robot_id = $1 and target_id = $2 and action = 'deleteTag'"
    for target in (foreign, "nonsense"):
        await runtime.pool.execute(changed, robot.name, tag, target)
        entry = (await log(robot))["nodes"][0]
        assert (entry["targetId"], entry["target"]) == (target, None)
        await runtime.pool.execute(changed, robot.name, target, tag)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"first": 0}, "LIMIT_EXCEEDED"),
        ({"first": 201}, "LIMIT_EXCEEDED"),
        ({"after": "nonsense"}, "BAD_USER_INPUT"),
        ({"after": "YXVkaXQ6MToy"}, "BAD_USER_INPUT"),
        ({"after": "am9iOjE"}, "BAD_USER_INPUT"),
        ({"filter": {"subject": "x" * 257}}, "BAD_USER_INPUT"),
        ({"filter": {"action": "\0"}}, "BAD_USER_INPUT"),
        ({"filter": {"since": "2026-03-01T12:00:00"}}, "BAD_USER_INPUT"),
    ],
)
async def test_bad_input_is_refused(robot: Robot, given: dict[str, Any], code: str) -> None:
    assert (await robot.ask(LOG, **given)).code == code


async def test_an_export_is_a_line_for_each_sealed_entry_in_the_order_of_the_chain(
    robot: Robot, tag: str, runtime: Runtime
) -> None:
    await seal(runtime)
    shown = (await log(robot))["nodes"]
    response = await download(robot)
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.headers["content-disposition"].startswith('attachment; filename="audit-log-')
    assert response.headers["cache-control"] == "private, no-store"
    found = lines(response)
    assert [each["id"] for each in found] == [each["id"] for each in reversed(shown)]
    assert [each["hash"] for each in found] == [each["hash"] for each in reversed(shown)]


async def test_a_filter_and_a_format_are_those_that_the_link_was_made_with(
    robot: Robot, tag: str, runtime: Runtime
) -> None:
    await seal(runtime)
    found = lines(await download(robot, filter={"action": "renameTag", "since": "2020-01-01T00:00:00Z"}, format="OCSF"))
    assert [each["metadata"]["event_code"] for each in found] == ["renameTag"] * 3
    assert {(each["class_uid"], each["entity"]["uid"]) for each in found} == {(3004, tag)}


async def test_asking_for_a_link_and_opening_it_are_on_record(robot: Robot, tag: str, runtime: Runtime) -> None:
    await seal(runtime)
    response = await download(robot, filter={"action": "renameTag"})
    rows = await audit_rows_at(robot.web.settings.database_url or "", robot.name)
    asked, opened = [row for row in rows if row["action"] == camel_case(ACTION)]
    assert asked["after"] == opened["after"] == {"format": "PLAIN", "action": "renameTag"}
    assert (asked["detail"], opened["detail"]) == (None, OPENED)
    assert (opened["subject"], opened["role"], opened["client_address"]) == ("somebody", "admin", "127.0.0.1")
    assert opened["request_id"] == response.headers["x-request-id"]
    assert asked["request_id"] != opened["request_id"]


async def test_a_look_at_a_link_is_no_opening(robot: Robot, tag: str) -> None:
    link = (await robot.ask(EXPORT))["exportAuditLog"]["url"]
    assert (await robot.web.http.head(link)).status_code == 200
    rows = await audit_rows_at(robot.web.settings.database_url or "", robot.name)
    assert [row["detail"] for row in rows if row["action"] == camel_case(ACTION)] == [None]


async def test_a_link_that_was_altered_or_is_of_another_sort_leads_nowhere(robot: Robot, tag: str) -> None:
    link = (await robot.ask(EXPORT))["exportAuditLog"]["url"]
    folder, _, name = link.rpartition("/")
    text, _, signature = name.partition(".")
    for wrong in (f"{text[:-2]}AA.{signature}", f"{text}.{signature[:-2]}AA", text, f"{text}.", "x.y", "é.ü"):
        assert (await robot.web.http.get(f"{folder}/{wrong}")).status_code == 404
    assert (await robot.web.http.get(link.replace("/export/audit/", "/export/"))).status_code == 404


async def test_a_link_holds_for_an_hour(robot: Robot, tag: str, runtime: Runtime) -> None:
    link = (await robot.ask(EXPORT))["exportAuditLog"]
    left = datetime.fromisoformat(link["urlExpiresAt"]) - datetime.now(UTC)
    assert LINK_VALID_FOR - timedelta(minutes=1) < left <= LINK_VALID_FOR
