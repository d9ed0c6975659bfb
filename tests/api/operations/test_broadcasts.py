"""Read reports of broadcasts, and decide about them, as clients do."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import pytest

from service.entities.broadcasts import HeldReason, MessageKind, PeopleRole, held, unsendable
from service.entities.expressions import tag, to_json
from service.entities.ids import parse_job_gid, parse_tag_gid
from service.entities.jobs import JobState
from tests.support.broadcasts import freeze, insert_broadcast_of
from tests.support.robot import Robot, event_input
from tests.support.runtime import counted_statements

FIELDS: Final = """
id state progress done total waitingFor createdBy
matched following sendable sent failed uncertain planned
held { reason count text users { totalCount nodes { openid } } }
unsendable { reason count users { totalCount nodes { openid } } }
"""
BROADCAST: Final = f"query($id: ID!) {{ broadcast(id: $id) {{ {FIELDS} }} }}"
LIST: Final = """
query($id: ID!, $after: String) {
  channel(id: $id) {
    broadcasts(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
    jobs { nodes { id __typename } }
  }
}
"""
UNBIND: Final = "mutation($id: ID!) { unbindChannel(id: $id) { stopped { id state errorCode planned } } }"
PREVIEW: Final = "query($id: ID!) { deleteTagPreview(id: $id) { wouldLapse { id } broadcasts { id } } }"
PEOPLE: Final = """
query($id: ID!, $after: String) {
  broadcast(id: $id) {
    failures { errcode reason retryable count users { nodes { openid } } }
    uncertainUsers(first: 2, after: $after) { totalCount nodes { openid } pageInfo { endCursor } }
    response(hours: 24) { sent heldOut }
  }
}
"""
PROGRESS: Final = "subscription($id: ID!) { jobProgress(id: $id) { state ... on Broadcast { sent planned } } }"
WAITS: Final = {JobState.WAITING, JobState.WAITING_FOR_APPROVAL, JobState.PAUSED}


async def people(robot: Robot, channel: str, *openids: str) -> None:
    await robot.record(channel, *(event_input(each, "FOLLOW") for each in openids))


async def connect(robot: Robot) -> asyncpg.Connection:
    return await asyncpg.connect(robot.web.settings.database_url)


async def test_a_report_shows_everybody_of_the_audience_once(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await people(robot, channel, *(f"person{each}" for each in range(7)))
    broadcast = await frozen(
        robot,
        channel,
        {
            PeopleRole.PLANNED: [0, 1],
            PeopleRole.TAKEN: [2, 3, 4],
            held(HeldReason.HOLD_OUT): [5],
            unsendable(HeldReason.NOT_FOLLOWING): [6],
        },
        sent=1,
        failed=2,
    )

    shown = (await robot.ask(BROADCAST, id=broadcast))["broadcast"]

    numbers = {each: shown[each] for each in ("matched", "sendable", "planned", "sent", "failed", "uncertain")}
    assert numbers == {"matched": 9, "sendable": 8, "planned": 2, "sent": 1, "failed": 2, "uncertain": 2}
    assert (shown["done"], shown["total"]) == (5, 7)
    assert [(each["reason"], each["count"]) for each in shown["held"]] == [("HOLD_OUT", 1)]
    assert shown["held"][0]["users"] == {"totalCount": 1, "nodes": [{"openid": "person5"}]}
    assert shown["unsendable"][0]["users"]["nodes"] == [{"openid": "person6"}]


@pytest.mark.parametrize("state", JobState)
async def test_what_a_broadcast_waits_for_is_shown_while_it_waits(robot: Robot, state: JobState) -> None:
    channel = (await robot.bind())["id"]
    broadcast = await insert_broadcast_of(robot, channel, state=state)
    connection = await connect(robot)
    await connection.execute("update broadcast set waiting_for = 'RATE'")
    await connection.close()
    shown = (await robot.ask(BROADCAST, id=broadcast))["broadcast"]
    assert shown["waitingFor"] == ("RATE" if state in WAITS else None)


async def test_nobody_is_counted_behind_a_closed_gate(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await people(robot, channel, "ada", "bob")
    broadcast = await frozen(robot, channel, {PeopleRole.PLANNED: [0], held(HeldReason.HOLD_OUT): [1]})
    conn = await connect(robot)
    await conn.execute("update broadcast set approved_by = 'another', approved_at = now(), approved_for = 2")
    await conn.close()

    stopped = (await robot.ask(UNBIND, id=channel))["unbindChannel"]["stopped"]

    assert stopped == [{"id": broadcast, "state": "FAILED", "errorCode": "CHANNEL_NOT_BOUND", "planned": 0}]
    shown = (await robot.ask(BROADCAST, id=broadcast))["broadcast"]
    assert (shown["matched"], shown["sendable"], shown["held"]) == (0, 0, [])
    approved = "query($id: ID!) { broadcast(id: $id) { approvedBy approvedFor } }"
    assert (await robot.ask(approved, id=broadcast))["broadcast"] == {"approvedBy": "another", "approvedFor": None}


async def test_unbinding_stops_what_is_unfinished_in_every_channel_that_closes(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    program = (await robot.bind(2, kind="MINI_PROGRAM"))["id"]
    made = {state: await insert_broadcast_of(robot, channel, state=state) for state in JobState}
    elsewhere = await insert_broadcast_of(robot, program)

    stopped = (await robot.ask(UNBIND, id=channel))["unbindChannel"]["stopped"]

    unfinished = {each for state, each in made.items() if not state.finished}
    assert {each["id"] for each in stopped} == unfinished | {elsewhere}
    assert {each["state"] for each in stopped} == {"FAILED"}


async def test_an_account_that_is_no_longer_verified_stops_its_broadcasts(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    broadcast = await insert_broadcast_of(robot, channel, state=JobState.RUNNING)
    await robot.ask(
        "mutation($id: ID!) { updateChannel(input: {id: $id, verified: false}) { channel { id } } }", id=channel
    )
    assert (await robot.ask(BROADCAST, id=broadcast))["broadcast"]["state"] == "FAILED"


async def test_broadcasts_have_a_list_of_their_own(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await people(robot, channel, "ada")
    export = await robot.export(channel, {"tag": (await robot.tag_ids(channel, "ada"))["New user"]})
    made = [await insert_broadcast_of(robot, channel) for _ in range(3)]

    first = (await robot.ask(LIST, id=channel))["channel"]
    rest = (await robot.ask(LIST, id=channel, after=first["broadcasts"]["pageInfo"]["endCursor"]))["channel"]

    assert [each["id"] for each in first["broadcasts"]["nodes"]] == [made[2], made[1]]
    assert [each["id"] for each in rest["broadcasts"]["nodes"]] == [made[0]]
    assert rest["broadcasts"]["pageInfo"]["hasNextPage"] is False
    assert [each["id"] for each in first["jobs"]["nodes"]] == [export["id"]]


@pytest.mark.parametrize("role", ["agent", "integrator"])
async def test_who_may_not_broadcast_sees_no_list(robot: Robot, role: str) -> None:
    channel = (await robot.bind())["id"]
    shown = await robot.ask("query($id: ID!) { channel(id: $id) { broadcasts { nodes { id } } } }", role, id=channel)
    assert shown["channel"] == {"broadcasts": None}


async def test_a_preview_of_deleting_a_tag_names_the_broadcasts_that_would_fail(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await people(robot, channel, "ada")
    ad, other = await robot.create_ad_tag(channel, "Autumn", "7"), await robot.create_ad_tag(channel, "Spring", "8")
    number = parse_tag_gid(ad).tag_id
    combo = parse_tag_gid(await robot.create_combo(channel, (await robot.tag_ids(channel, "ada"))["New user"])).tag_id
    direct = await insert_broadcast_of(robot, channel, audience=to_json(tag(number)), state=JobState.WAITING)
    await insert_broadcast_of(robot, channel, audience=to_json(tag(number)), state=JobState.DONE)
    await insert_broadcast_of(robot, channel, audience=to_json(tag(combo)))
    frozen_before = await insert_broadcast_of(robot, channel, audience=to_json(tag(number)))
    await set_frozen(robot, frozen_before)
    goes_on = {"audience": to_json(tag(number)), "repeat": {}, "next_run_at": datetime.now(UTC)}
    series = await insert_broadcast_of(robot, channel, state=JobState.DONE, **goes_on)
    await insert_broadcast_of(robot, channel, state=JobState.CANCELLED, **goes_on)

    preview = (await robot.ask(PREVIEW, id=ad))["deleteTagPreview"]

    assert preview["broadcasts"] == [{"id": direct}, {"id": series}]
    assert (await robot.ask(PREVIEW, id=other))["deleteTagPreview"]["broadcasts"] == []


async def test_a_combo_above_the_tag_counts_as_using_it(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    ad = await robot.create_ad_tag(channel, "Autumn", "7")
    expression = {"any": [{"tag": ad}, {"tag": await robot.create_ad_tag(channel, "Spring", "8")}]}
    answer = await robot.ask(
        "mutation($i: CreateComboTagInput!) { createComboTag(input: $i) { tag { id } } }",
        i={"channelId": channel, "name": "Either", "expression": expression},
    )
    combo = parse_tag_gid(answer["createComboTag"]["tag"]["id"]).tag_id
    made = await insert_broadcast_of(robot, channel, audience=to_json(tag(combo)))
    assert (await robot.ask(PREVIEW, id=ad))["deleteTagPreview"]["broadcasts"] == [{"id": made}]


async def test_progress_is_told_whenever_a_number_moves(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await people(robot, channel, "ada", "bob")
    broadcast = await frozen(robot, channel, {PeopleRole.PLANNED: [0, 1]}, state=JobState.RUNNING)
    _, channel_id, job_id = parse_job_gid(broadcast)
    async with robot.web.socket(robot.token()) as socket:
        progress = await socket.subscribe(PROGRESS, id=broadcast)
        assert (await progress.next())["jobProgress"] == {"state": "RUNNING", "sent": 0, "planned": 2}
        conn = await connect(robot)
        move = "update broadcast set planned = planned - 1, sent = sent + 1 where channel_id = $1 and job_id = $2"
        await conn.execute(move, channel_id, job_id)
        assert (await progress.next())["jobProgress"] == {"state": "RUNNING", "sent": 1, "planned": 1}
        await conn.execute("update job set state = 'DONE' where channel_id = $1 and job_id = $2", channel_id, job_id)
        await conn.close()
        assert (await progress.next())["jobProgress"]["state"] == "DONE"


async def test_every_number_of_a_report_is_of_one_instant(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await people(robot, channel, *(f"person{each}" for each in range(20)))
    broadcast = await frozen(robot, channel, {PeopleRole.PLANNED: range(20)}, state=JobState.RUNNING)
    moving = asyncio.create_task(_move_everybody(robot, broadcast))
    reads = 0
    while not moving.done():
        shown = (await robot.ask(BROADCAST, id=broadcast))["broadcast"]
        beside = sum(each["count"] for kind in ("held", "unsendable") for each in shown[kind])
        counted = sum(shown[each] for each in ("planned", "sent", "failed", "uncertain"))
        assert shown["matched"] == 20 == beside + counted
        reads += 1
    await moving
    assert reads > 3


async def _move_everybody(robot: Robot, broadcast: str) -> None:
    """Let people leave the planned ones, one after the other, each in a transaction: held, or claimed and sent."""
    _, channel_id, job_id = parse_job_gid(broadcast)
    conn = await connect(robot)
    out = (
        "update broadcast_people set members = set_bit(members, $3, 0) where (channel_id, job_id, role) = ($1, $2, $4)"
    )
    into = """
        insert into broadcast_people (channel_id, job_id, role, block, members)
        values ($1, $2, $4, 0, set_bit(0::bit(32000), $3, 1))
        on conflict (channel_id, job_id, role, block) do update
        set members = set_bit(broadcast_people.members, $3, 1)"""
    count = "update broadcast set planned = planned - 1, {0} = {0} + $3 where channel_id = $1 and job_id = $2"
    for ordinal in range(20):
        role = held(HeldReason.FREQUENCY_CAP) if ordinal % 2 else "TAKEN"
        async with conn.transaction():
            await conn.execute(out, channel_id, job_id, ordinal, "PLANNED")
            await conn.execute(into, channel_id, job_id, ordinal, role)
            await conn.execute(count.format("uncertain"), channel_id, job_id, 1 - ordinal % 2)
    await conn.close()


ACTS: Final = {
    "pauseBroadcast": "PAUSED",
    "resumeBroadcast": "QUEUED",
    "approveBroadcast": "QUEUED",
    "cancelBroadcast": "CANCELLED",
}


async def test_admins_decide_about_a_broadcast_and_see_it_after_that(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    broadcast = await insert_broadcast_of(robot, channel, state=JobState.WAITING)
    for act, state in ACTS.items():
        mutation = f"mutation($id: ID!) {{ {act}(id: $id) {{ broadcast {{ id state waitingFor approvedFor }} }} }}"
        shown = (await robot.ask(mutation, id=broadcast))[act]["broadcast"]
        assert (shown["id"], shown["state"]) == (broadcast, state)
        assert shown["waitingFor"] == ("OPERATOR" if act == "pauseBroadcast" else None)


@pytest.mark.parametrize("act", ["pauseBroadcast", "resumeBroadcast", "approveBroadcast", "retryBroadcast"])
async def test_what_has_ended_is_a_conflict(robot: Robot, act: str) -> None:
    channel = (await robot.bind())["id"]
    broadcast = await insert_broadcast_of(robot, channel, state=JobState.CANCELLED)
    mutation = f"mutation($id: ID!) {{ {act}(id: $id) {{ broadcast {{ id }} }} }}"
    assert (await robot.ask(mutation, id=broadcast)).codes == ["CONFLICT"]


async def test_a_job_that_is_a_broadcast_is_cancelled_with_its_series(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    repeat = {"every": "DAY", "at": "09:00", "weekday": None, "dayOfMonth": None, "until": None}
    broadcast = await insert_broadcast_of(robot, channel, repeat=repeat, next_run_at=datetime.now(UTC))
    cancel = "mutation($id: ID!) { cancelJob(id: $id) { job { state ... on Broadcast { nextRunAt } } } }"
    assert (await robot.ask(cancel, id=broadcast))["cancelJob"]["job"] == {"state": "CANCELLED", "nextRunAt": None}
    assert (await robot.ask(cancel, "agent", id=broadcast)).codes == ["FORBIDDEN"]


async def test_a_hundred_broadcasts_take_as_many_statements_as_one(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    query = "query($id: ID!) { channel(id: $id) { broadcasts(first: 100) { nodes { state matched held { count } } } } }"
    counts = []
    for more in (1, 20):
        for _ in range(more):
            await insert_broadcast_of(robot, channel)
        await robot.ask(query, id=channel)
        with counted_statements() as sent:
            await robot.ask(query, id=channel)
        counts.append(len(sent))
    assert counts[0] == counts[1]


async def test_what_looks_at_everybody_is_asked_for_of_a_page_at_most(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    reports = "query($id: ID!, $first: Int!) { channel(id: $id) { broadcasts(first: $first) { nodes { %s } } } }"

    async def codes(selected: str, first: int) -> list[str]:
        return (await robot.ask(reports % selected, id=channel, first=first)).codes

    assert await codes("response { sent }", 20) == []
    assert await codes("response { sent }", 200) == ["LIMIT_EXCEEDED"]
    assert await codes("a: response { sent } b: response(hours: 1) { sent }", 20) == ["LIMIT_EXCEEDED"]
    assert await codes("failures { users(first: 1) { totalCount } }", 20) == []
    assert await codes("failures { users(first: 1) { totalCount } }", 200) == ["LIMIT_EXCEEDED"]


async def test_failures_and_uncertain_people_are_paged_through(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await people(robot, channel, *(f"person{each}" for each in range(5)))
    broadcast = await frozen(robot, channel, {PeopleRole.TAKEN: range(5)}, kind=MessageKind.TEMPLATE)
    _, channel_id, job_id = parse_job_gid(broadcast)
    conn = await connect(robot)
    claim = """
        insert into broadcast_send (
            channel_id, job_id, ordinal, attempt, kind, state, client_id, claimed_at, written_at, errcode
        )
        select $1, $2, n, 1, 'TEMPLATE', case when n < 3 then 'UNKNOWN' else 'REFUSED' end, n::text, now(), now(), 43101
        from generate_series(0, 4) as n"""
    await conn.execute(claim, channel_id, job_id)
    failed = (
        "insert into broadcast_failure (channel_id, job_id, errcode, reason, people) values ($1, $2, 43101, 'no', 2)"
    )
    await conn.execute(failed, channel_id, job_id)
    await conn.close()

    first = (await robot.ask(PEOPLE, id=broadcast))["broadcast"]
    rest = (await robot.ask(PEOPLE, id=broadcast, after=first["uncertainUsers"]["pageInfo"]["endCursor"]))["broadcast"]

    assert first["uncertainUsers"]["totalCount"] == 3
    assert [each["openid"] for each in first["uncertainUsers"]["nodes"]] == ["person0", "person1"]
    assert [each["openid"] for each in rest["uncertainUsers"]["nodes"]] == ["person2"]
    (failure,) = first["failures"]
    assert {name: failure[name] for name in ("errcode", "reason", "retryable", "count")} == {
        "errcode": 43101,
        "reason": "no",
        "retryable": True,
        "count": 2,
    }
    assert [each["openid"] for each in failure["users"]["nodes"]] == ["person3", "person4"]
    assert first["response"] == {"sent": 0, "heldOut": 0}


async def set_frozen(robot: Robot, broadcast: str) -> None:
    _, channel_id, job_id = parse_job_gid(broadcast)
    conn = await connect(robot)
    await conn.execute(
        "update broadcast set frozen_at = now() where channel_id = $1 and job_id = $2", channel_id, job_id
    )
    await conn.close()


async def frozen(
    robot: Robot,
    channel: str,
    roles: dict[str, Any],
    *,
    sent: int = 0,
    failed: int = 0,
    state: JobState = JobState.QUEUED,
    **changes: Any,
) -> str:
    """Return the id of a broadcast with these people in its sets."""
    broadcast = await insert_broadcast_of(robot, channel, state=state, **changes)
    conn = await connect(robot)
    async with conn.transaction():
        await freeze(conn, parse_job_gid(broadcast), roles, sent=sent, failed=failed)
    await conn.close()
    return broadcast
