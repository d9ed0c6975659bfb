"""Export an audience, from the request to the download; the test does the work of a worker."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.domain.audiences.exports import write_export_slice
from service.domain.jobs.running import run_job
from service.domain.runtime import Runtime
from service.entities.ids import split_gid
from service.entities.jobs import Job, JobKind
from tests.support.audit import audit_rows_at
from tests.support.robot import Robot, event_input
from tests.support.sockets import OperationCompleteError
from tests.support.worker import worker_runtime

PROGRESS = """
subscription Progress($id: ID!) {
  jobProgress(id: $id) { id state progress done total ... on AudienceExport { url rowCount } }
}
"""
LIST = """
query List($id: ID!, $first: Int! = 20, $after: String) {
  channel(id: $id) {
    jobs(first: $first, after: $after) {
      nodes { __typename id state channel { id } } pageInfo { hasNextPage endCursor }
    }
  }
}
"""


@pytest.fixture
async def runtime(robot: Robot) -> AsyncIterator[Runtime]:
    """Open what a worker would have, beside the web process."""
    async with worker_runtime(robot.web) as running:
        yield running


@pytest.fixture
async def export(robot: Robot) -> dict[str, Any]:
    """Make an export of two people that nobody works on yet."""
    channel = (await robot.bind())["id"]
    await robot.record(channel, event_input("ada", "FOLLOW"), event_input("-bob", "FOLLOW"))
    tag = (await robot.tag_ids(channel, "ada"))["New user"]
    return {**await robot.export(channel, {"tag": tag}), "channel": channel}


async def work(runtime: Runtime, gid: str, slice_of: Any = write_export_slice) -> None:
    split = split_gid(gid)
    assert split
    await run_job(runtime, {JobKind.AUDIENCE_EXPORT: slice_of}, *split[1])


async def test_an_export_is_asked_for_watched_and_downloaded(
    robot: Robot, export: dict[str, Any], runtime: Runtime
) -> None:
    assert (export["state"], export["total"], export["url"], export["rowCount"]) == ("QUEUED", 2, None, None)
    async with robot.web.socket(robot.token()) as socket:
        progress = await socket.subscribe(PROGRESS, id=export["id"])
        assert (await progress.next())["jobProgress"]["state"] == "QUEUED"
        await work(runtime, export["id"])
        states = [(await progress.next())["jobProgress"]]
        while states[-1]["state"] != "DONE":
            states.append((await progress.next())["jobProgress"])
        with pytest.raises(OperationCompleteError):
            await progress.next()

    last = states[-1]
    assert (last["state"], last["progress"], last["done"], last["rowCount"]) == ("DONE", 1.0, 2, 2)
    assert [each["done"] for each in states] == sorted(each["done"] for each in states)
    response = await robot.web.http.get(last["url"])
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"].startswith('attachment; filename="audience-')
    assert response.headers["cache-control"] == "private, no-store"
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [(row["openid"], row["following"]) for row in rows] == [("ada", "yes"), ("'-bob", "yes")]
    head = await robot.web.http.head(last["url"])
    entries = await audit_rows_at(robot.web.settings.database_url or "", robot.name)
    [asked, opened] = [each for each in entries if each["action"] == "exportAudience"]
    assert (asked["target_id"], asked["detail"], asked["after"]["people"]) == (export["id"], None, 2)
    assert (opened["target_id"], opened["detail"]) == (export["id"], "The link was opened.")
    assert (opened["subject"], opened["role"], opened["client_address"]) == ("somebody", "admin", "127.0.0.1")
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(response.content)))


async def test_progress_of_a_finished_job_is_its_last_state(
    robot: Robot, export: dict[str, Any], runtime: Runtime
) -> None:
    await work(runtime, export["id"])
    async with robot.web.socket(robot.token()) as socket:
        progress = await socket.subscribe(PROGRESS, id=export["id"])
        assert (await progress.next())["jobProgress"]["state"] == "DONE"
        with pytest.raises(OperationCompleteError):
            await progress.next()


async def test_every_step_is_heard_by_all_who_watch(robot: Robot, export: dict[str, Any], runtime: Runtime) -> None:
    step = asyncio.Semaphore(0)

    async def stepwise(runtime: Runtime, job: Job) -> Job:
        await step.acquire()
        return await write_export_slice(runtime, job)

    async with robot.web.socket(robot.token()) as one, robot.web.socket(robot.token("creator")) as two:
        watching = [await socket.subscribe(PROGRESS, id=export["id"]) for socket in (one, two)]
        for each in watching:
            assert (await each.next())["jobProgress"]["state"] == "QUEUED"
        working = asyncio.create_task(work(runtime, export["id"], stepwise))
        for state, done in (("RUNNING", 0), ("RUNNING", 2), ("DONE", 2)):
            for each in watching:
                heard = (await each.next())["jobProgress"]
                assert (heard["state"], heard["done"]) == (state, done)
            step.release()
        await working


async def test_a_cancelled_export_has_no_file(robot: Robot, export: dict[str, Any], runtime: Runtime) -> None:
    cancel = "mutation($id: ID!) { cancelJob(id: $id) { job { state finishedAt } } }"
    async with robot.web.socket(robot.token()) as socket:
        progress = await socket.subscribe(PROGRESS, id=export["id"])
        assert (await progress.next())["jobProgress"]["state"] == "QUEUED"
        cancelled = (await robot.ask(cancel, id=export["id"]))["cancelJob"]["job"]
        assert (await progress.next())["jobProgress"]["state"] == "CANCELLED"
        with pytest.raises(OperationCompleteError):
            await progress.next()

    assert cancelled["state"] == "CANCELLED"
    await work(runtime, export["id"])
    found = await robot.ask("query($id: ID!) { job(id: $id) { state ... on AudienceExport { url } } }", id=export["id"])
    assert found["job"] == {"state": "CANCELLED", "url": None}


async def test_jobs_of_a_channel_are_listed_to_those_who_may(robot: Robot, export: dict[str, Any]) -> None:
    channel = export["channel"]
    tag = (await robot.tag_ids(channel, "ada"))["New user"]
    second = await robot.export(channel, {"tag": tag})

    jobs = (await robot.ask(LIST, id=channel))["channel"]["jobs"]
    assert [job["id"] for job in jobs["nodes"]] == [second["id"], export["id"]]
    assert jobs["nodes"][0]["__typename"] == "AudienceExport"
    assert jobs["nodes"][0]["channel"]["id"] == channel
    first = (await robot.ask(LIST, id=channel, first=1))["channel"]["jobs"]
    assert first["pageInfo"]["hasNextPage"]
    rest = (await robot.ask(LIST, id=channel, after=first["pageInfo"]["endCursor"]))["channel"]["jobs"]
    assert [job["id"] for job in rest["nodes"]] == [export["id"]]
    for role in ("agent", "integrator"):
        assert (await robot.ask(LIST, role, id=channel))["channel"]["jobs"] is None
    node = "query($id: ID!) { node(id: $id) { __typename } }"
    assert (await robot.ask(node, id=export["id"]))["node"]["__typename"] == "AudienceExport"
    assert (await robot.ask(node, "agent", id=export["id"])).code == "NOT_FOUND"


async def test_a_link_that_was_altered_leads_nowhere(robot: Robot, export: dict[str, Any], runtime: Runtime) -> None:
    await work(runtime, export["id"])
    query = "query($id: ID!) { job(id: $id) { ... on AudienceExport { url urlExpiresAt } } }"
    url = (await robot.ask(query, id=export["id"]))["job"]["url"]

    assert (await robot.web.http.get(url)).status_code == 200
    for wrong in (url[:-1], url + "A", url.replace("/export/", "/export/1"), url.rpartition(".")[0]):
        response = await robot.web.http.get(wrong)
        assert response.status_code == 404
        assert "openid" not in response.text
    await runtime.pool.execute("delete from export_chunk")
    assert (await robot.web.http.get(url)).status_code == 410


async def test_a_closed_gate_hides_whom_an_export_counted_and_its_file(
    robot: Robot, export: dict[str, Any], runtime: Runtime
) -> None:
    await work(runtime, export["id"])
    verify = "mutation($input: UpdateChannelInput!) { updateChannel(input: $input) { channel { id } } }"
    query = """
    query($id: ID!, $c: ID!) {
      job(id: $id) { ...Shown } node(id: $id) { ... on Job { ...Shown } }
      channel(id: $c) { jobs { nodes { ...Shown } } }
    }
    fragment Shown on Job { state progress done total ... on AudienceExport { url rowCount } }
    """

    async def shown() -> dict[str, Any]:
        answer = await robot.ask(query, id=export["id"], c=export["channel"])
        async with robot.web.socket(robot.token()) as socket:
            watched = (await (await socket.subscribe(PROGRESS, id=export["id"])).next())["jobProgress"]
        listed: list[dict[str, Any]] = answer["channel"]["jobs"]["nodes"]
        one: dict[str, Any] = answer["job"]
        assert all({name: each[name] for name in one} == one for each in (answer["node"], watched, *listed))
        return one

    before = await shown()
    assert (before["state"], before["done"], before["total"], before["rowCount"]) == ("DONE", 2, 2, 2)
    await robot.ask(verify, input={"id": export["channel"], "verified": False})
    hidden = {"state": "DONE", "progress": 1.0, "done": 0, "total": None, "url": None, "rowCount": None}
    assert await shown() == hidden
    assert (await robot.web.http.get(before["url"])).status_code == 403
    assert (await robot.web.http.head(before["url"])).status_code == 403

    await robot.ask(verify, input={"id": export["channel"], "verified": True})
    assert await shown() == before
    assert "ada" in (await robot.web.http.get(before["url"])).text
