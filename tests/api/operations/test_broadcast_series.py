"""See how a broadcast is repeated, its runs, and what a run belongs to."""

from datetime import UTC, datetime, time, timedelta

from service.entities.ids import parse_job_gid
from service.entities.jobs import JobState
from service.entities.repeats import Repeat, RepeatEvery, repeat_to_json
from tests.support.broadcasts import insert_broadcast_of
from tests.support.robot import Robot

SERIES = """
query($id: ID!, $first: Int! = 20, $after: String) {
  broadcast(id: $id) {
    repeat { every at weekday dayOfMonth until } nextRunAt repeatOf { id }
    runs(first: $first, after: $after) {
      nodes { id state startAt repeat { every } repeatOf { id } runs { nodes { id } } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
WEEKLY = Repeat(RepeatEvery.WEEK, time(9, 30), weekday=7, until=datetime(2027, 1, 1, tzinfo=UTC))
AT = datetime(2026, 12, 6, 1, 30, tzinfo=UTC)


async def test_a_series_has_its_runs_newest_first(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    series = await insert_broadcast_of(robot, channel, repeat=repeat_to_json(WEEKLY), next_run_at=AT)
    await insert_broadcast_of(robot, channel, state=JobState.DONE)
    number = parse_job_gid(series).job_id
    runs = [
        await insert_broadcast_of(
            robot, channel, state=state, repeat_of=number, run_at=AT + week * timedelta(days=7), start_at=AT
        )
        for week, state in enumerate([JobState.CANCELLED, JobState.DONE, JobState.QUEUED])
    ]
    shown = (await robot.ask(SERIES, id=series, first=2))["broadcast"]

    assert shown["repeat"] == {
        "every": "WEEK",
        "at": "09:30",
        "weekday": 7,
        "dayOfMonth": None,
        "until": "2027-01-01T00:00:00Z",
    }
    assert (shown["nextRunAt"], shown["repeatOf"]) == ("2026-12-06T01:30:00Z", None)
    assert shown["runs"]["nodes"] == [
        {
            "id": run,
            "state": state,
            "startAt": "2026-12-06T01:30:00Z",
            "repeat": None,
            "repeatOf": {"id": series},
            "runs": {"nodes": []},
        }
        for run, state in ((runs[2], "QUEUED"), (runs[1], "DONE"))
    ]
    assert shown["runs"]["pageInfo"]["hasNextPage"]
    rest = (await robot.ask(SERIES, id=series, after=shown["runs"]["pageInfo"]["endCursor"]))["broadcast"]["runs"]
    assert [run["id"] for run in rest["nodes"]] == [runs[0]]
    assert not rest["pageInfo"]["hasNextPage"]


async def test_a_broadcast_that_is_not_repeated_has_no_runs(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    once = await insert_broadcast_of(robot, channel)
    shown = (await robot.ask(SERIES, id=once))["broadcast"]

    assert (shown["repeat"], shown["nextRunAt"], shown["repeatOf"], shown["runs"]["nodes"]) == (None, None, None, [])
