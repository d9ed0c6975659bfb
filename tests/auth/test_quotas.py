"""Limit how often a principal asks and how many subscriptions it has open (docs/settings.md, limits)."""

from datetime import timedelta

import pytest

from service.entities.principal import Role
from tests.support.robot import Robot
from tests.support.sockets import OperationError
from tests.support.waiting import wait_until
from tests.support.web import web_process

# The one is encoded directly, the other has a resolver and is executed.
ENCODED = "subscription ($c: ID!, $o: String!) { userTags(channelId: $c, openid: $o) { reset } }"
EXECUTED = "subscription ($c: ID!, $o: String!) { userTags(channelId: $c, openid: $o) { reset user { id } } }"


VIEWER = "{ viewer { robotId } }"

pytestmark = pytest.mark.usefixtures("stopped_quotas")


@pytest.mark.parametrize(("limits", "allowed"), [({}, 5), ({"operations_burst": timedelta(seconds=3)}, 3)])
async def test_too_many_requests_are_429_with_retry_after(
    database_url: str, redis_url: str, limits: dict[str, timedelta], allowed: int
) -> None:
    """So many seconds' worth may come at once, five unless set; others are not held up."""
    async with web_process(database_url, redis_url, operations_per_second=1, **limits) as web:
        headers = {"Authorization": f"Bearer {web.token(Role.AGENT, subject='eager')}"}
        answers = [await web.http.post("/graphql", json={"query": VIEWER}, headers=headers) for _ in range(10)]
        limited = [answer for answer in answers if answer.status_code == 429]
        assert [answer.status_code for answer in answers] == [200] * allowed + [429] * (10 - allowed)
        [error] = limited[0].json()["errors"]
        assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 1}
        assert limited[0].headers["retry-after"] == "1"
        assert (await web.run(VIEWER, token=web.token(Role.AGENT, subject="calm")))["viewer"]


async def test_operations_on_a_socket_count_toward_the_rate(database_url: str, redis_url: str) -> None:
    async with (
        web_process(database_url, redis_url, operations_per_second=1) as web,
        web.socket(web.token(Role.AGENT)) as socket,
    ):
        codes = []
        for _ in range(8):
            await socket.send({"type": "subscribe", "id": "1", "payload": {"query": VIEWER}})
            message = await socket.receive()
            if message["type"] == "error":
                codes += [error["extensions"]["code"] for error in message["payload"]]
            else:
                assert (await socket.receive())["type"] == "complete"
        assert set(codes) == {"RATE_LIMITED"}


async def test_watching_a_job_counts_as_a_subscription(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url, subscriptions_per_principal=1) as web:
        robot = Robot(web)
        channel = (await robot.bind())["id"]
        tags = await robot.ask("query ($c: ID!) { channel(id: $c) { tags { nodes { id } } } }", c=channel)
        job = await robot.export(channel, {"tag": tags["channel"]["tags"]["nodes"][0]["id"]})
        progress = "subscription ($id: ID!) { jobProgress(id: $id) { state } }"
        async with web.socket(robot.token()) as socket:
            assert (await (await socket.subscribe(progress, id=job["id"])).next())["jobProgress"]
            with pytest.raises(OperationError) as refused:
                await (await socket.subscribe(progress, id=job["id"])).next()
            assert refused.value.codes == ["LIMIT_EXCEEDED"]


async def test_a_principal_has_a_limited_number_of_open_subscriptions(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url, subscriptions_per_principal=2) as web:
        robot = Robot(web)
        given = {"c": (await robot.bind())["id"], "o": "ada"}
        async with web.socket(robot.token()) as one, web.socket(robot.token("agent")) as other:
            first, second = await one.subscribe(ENCODED, **given), await other.subscribe(EXECUTED, **given)
            assert (await first.next())["userTags"]["reset"]
            assert (await second.next())["userTags"]["reset"]
            with pytest.raises(OperationError) as refused:
                await (await other.subscribe("subscription { tagEvents { kind } }")).next()
            assert refused.value.codes == ["LIMIT_EXCEEDED"]
            async with web.socket(web.token("agent", subject="somebody else")) as third:
                assert (await (await third.subscribe(ENCODED, **given)).next())["userTags"]["reset"]
            await first.stop()

            async def there_is_room() -> bool:
                try:
                    await (await other.subscribe(ENCODED, **given)).next()
                except OperationError:
                    return False
                return True

            await wait_until(there_is_room)
