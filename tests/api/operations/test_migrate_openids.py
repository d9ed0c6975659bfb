"""Follow a migration of an account over the API: its openids, its account, and what comes under the old ones."""

import base64
from datetime import timedelta
from typing import Any

from tests.support.robot import Integrator, Robot, event_input, obtain_endpoint, xml_of
from tests.support.web import GraphqlResponse

MIGRATE = """
mutation($input: MigrateOpenidsInput!) {
  migrateOpenids(input: $input) {
    channel { id appId credentials { appSecretSet } }
    moved unchanged united unknown rejected { index code reason } job { id state moved }
  }
}
"""
WHO = "query($c: ID!, $o: [String!]!) { users(channelId: $c, openids: $o) { id openid tags { tag { name } } } }"
ONE = "query($c: ID!, $o: String!) { user(channelId: $c, openid: $o) { id openid } }"
FORGET = "mutation($c: ID!, $o: String!) { forgetUser(channelId: $c, openid: $o) { forgotten forgottenUserId } }"


async def migrate(robot: Robot, channel: str, *pairs: tuple[str, str], **given: Any) -> GraphqlResponse:
    listed = [{"from": old, "to": new} for old, new in pairs]
    return await robot.ask(MIGRATE, input={"channelId": channel, "pairs": listed, **given})


async def test_each_pair_is_counted_or_refused_with_its_place(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await robot.record(channel, *(event_input(openid, "FOLLOW") for openid in ("a1", "a2", "b2", "a3")))

    answer = await migrate(robot, channel, ("a1", "b1"), ("a2", "b2"), ("a3", "a3"), ("a4", "b4"), ("a1", "b1"))

    done = answer["migrateOpenids"]
    assert [done[name] for name in ("moved", "unchanged", "united", "unknown", "job")] == [1, 1, 1, 1, None]
    assert [(each["index"], each["code"]) for each in done["rejected"]] == [(2, "BAD_VALUE")]
    assert done["channel"]["id"] == channel


async def test_people_are_found_by_either_openid_and_keep_their_ids(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    await robot.record(channel, event_input("old-ann", "FOLLOW"), event_input("ben", "FOLLOW"))
    before = (await robot.ask(ONE, c=channel, o="old-ann"))["user"]["id"]
    await migrate(robot, channel, ("old-ann", "new-ann"))
    await robot.record(channel, event_input("old-ann", "MESSAGE", timedelta(0)))

    old, ben, nobody, new = (await robot.ask(WHO, c=channel, o=["old-ann", "ben", "eve", "new-ann"]))["users"]
    assert old == new
    assert (old["id"], old["openid"], ben["openid"], nobody) == (before, "new-ann", "ben", None)
    assert "Opened" in {each["tag"]["name"] for each in old["tags"]}
    assert (await robot.ask(ONE, c=channel, o="old-ann"))["user"] == {"id": before, "openid": "new-ann"}
    gone = (await robot.ask(FORGET, c=channel, o="old-ann"))["forgetUser"]
    assert gone == {"forgotten": True, "forgottenUserId": before}
    assert (await robot.ask(WHO, c=channel, o=["old-ann", "new-ann"]))["users"] == [None, None]


async def test_the_first_call_names_the_account_and_integrators_may_go_on_with_the_old_one(robot: Robot) -> None:
    bound = await robot.bind()
    channel, old, new = bound["id"], robot.app_id(1), robot.app_id(7)
    integrator: Integrator = await obtain_endpoint(robot)
    await robot.record(channel, event_input("old-ann", "FOLLOW"))

    answer = await migrate(robot, channel, ("old-ann", "new-ann"), newAppId=new)
    assert answer["migrateOpenids"]["channel"]["appId"] == new
    for app_id in (old, new):
        assert (await integrator.submit(xml_of(app_id, ["old-ann"], label=app_id)))["code"] == 0
    assert {old, new} <= await robot.tags(channel, "new-ann")
    again = (await robot.bind())["id"]
    assert again != channel, "the old account can be bound by itself"
    assert (await integrator.submit(xml_of(old, ["carl"])))["code"] == 0
    assert (await robot.ask(ONE, c=again, o="carl"))["user"] is not None


async def test_bad_requests_are_refused_whole(robot: Robot) -> None:
    channel, other = (await robot.bind())["id"], await robot.bind(2)
    await robot.record(channel, event_input("old-ann", "FOLLOW"))
    pair = ("old-ann", "new-ann")

    assert (await migrate(robot, channel, pair, newAppId=other["appId"])).codes == ["CONFLICT"]
    for given, path in (({"newAppSecret": "s"}, "newAppSecret"), ({"newAppId": "gh_12345"}, "newAppId")):
        refused = await migrate(robot, channel, pair, **given)
        assert refused.codes == ["BAD_USER_INPUT"]
        (field,) = refused.errors[0]["extensions"]["fields"]
        assert field["path"] == f"input.{path}"
    many = [(f"a{number}", f"b{number}") for number in range(10_001)]
    assert (await migrate(robot, channel, *many)).codes == ["LIMIT_EXCEEDED"]
    assert (await robot.ask(ONE, c=channel, o="old-ann"))["user"]["openid"] == "old-ann"


async def test_without_pairs_wechat_is_asked_where_it_can_be(robot: Robot) -> None:
    channel = (await robot.bind())["id"]
    assert (await migrate(robot, channel))["migrateOpenids"]["job"] is None

    answer = await migrate(robot, channel, newAppId=robot.app_id(7), newAppSecret="0123456789abcdef")
    job = answer["migrateOpenids"]["job"]
    assert (job["state"], job["moved"]) == ("QUEUED", 0)
    assert base64.urlsafe_b64decode(job["id"] + "==").startswith(b"OpenidMigration:")
    found = await robot.ask("query($id: ID!) { job(id: $id) { __typename id } }", id=job["id"])
    assert found["job"] == {"__typename": "OpenidMigration", "id": job["id"]}
