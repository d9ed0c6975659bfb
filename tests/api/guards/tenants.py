"""Make tenants, and use ids in the places of the schema that take them."""

from dataclasses import dataclass
from typing import Any, Final

from service.entities.jobs import JobState
from tests.api.guards.id_arguments import COMPARED_AS_TEXT, NEVER_LOOKED_UP, PLACES
from tests.api.operations.dry_run import insert_dry_run
from tests.support.broadcasts import insert_broadcast_of
from tests.support.robot import Robot, event_input
from tests.support.sockets import OperationError
from tests.support.web import GraphqlResponse

# The ids that a robot has, for what an operation needs besides.
OWN: Final[dict[str, dict[str, str]]] = {}


@dataclass(frozen=True)
class Tenant:
    """Keep a robot with one channel and one user, by their ids."""

    robot: Robot
    ids: dict[str, str]

    @property
    def channel(self) -> str:
        """Return the id of the channel."""
        return self.ids["channel"]


async def make_tenant(robot: Robot) -> Tenant:
    """Bind a channel of a robot, and give it a user, tags, a job and a receipt."""
    channel = (await robot.bind())["id"]
    await robot.record(channel, event_input("ada", "FOLLOW"))
    answer = await robot.ask('query($c: ID!) { user(channelId: $c, openid: "ada") { id } }', c=channel)
    tag = (await robot.tag_ids(channel, "ada"))["New user"]
    submitted = await robot.ask(PLACES["Mutation.submitReturnData(input.channelId)"], id=channel)
    hook = await robot.ask(PLACES["Mutation.createWebhookEndpoint(input.channelIds)"], id=channel)
    webhook = hook["createWebhookEndpoint"]["endpoint"]["id"]
    ids = {
        "channel": channel,
        "tag": tag,
        "combo": await robot.create_combo(channel, tag),
        "ad tag": await robot.create_ad_tag(channel, "Autumn", "7"),
        "other ad tag": await robot.create_ad_tag(channel, "Winter", "8"),
        "user": answer["user"]["id"],
        "job": (await robot.export(channel, {"tag": tag}))["id"],
        "sync": await insert_dry_run(robot, channel),
        "broadcast": await insert_broadcast_of(robot, channel, state=JobState.PAUSED),
        "receipt": submitted["submitReturnData"]["receipt"]["id"],
        "webhook": webhook,
        "delivery": (await robot.ask(PLACES["Mutation.testWebhook(id)"], id=webhook))["testWebhook"]["id"],
    }
    OWN[robot.name] = ids
    return Tenant(robot, ids)


async def ask(robot: Robot, place: str, given: str, role: str = "admin", **narrowed: Any) -> GraphqlResponse:
    """Run the operation of a place with an id, over HTTP or, for a subscription, until its first event."""
    token = robot.token(role, **narrowed)
    operation = {**PLACES, **NEVER_LOOKED_UP, **COMPARED_AS_TEXT}[place]
    for kind, own_id in OWN[robot.name].items():
        operation = operation.replace(f'"${kind}"', f'"{own_id}"')
    if not place.startswith("Subscription."):
        return await robot.web.run(operation, token=token, id=given)
    async with robot.web.socket(token) as socket:
        subscription = await socket.subscribe(operation, id=given)
        try:
            return GraphqlResponse(200, {"data": await subscription.next()})
        except OperationError as error:
            return GraphqlResponse(200, {"data": None, "errors": error.errors})


def assert_not_found(place: str, answer: GraphqlResponse) -> None:
    """Check that an answer is that of an id that does not exist, and nothing else."""
    if place == "Query.nodes(ids)":
        assert answer.body == {"data": {"nodes": [None]}}
    else:
        assert answer.codes == ["NOT_FOUND"]
        assert not answer.data or set(answer.data.values()) == {None}
