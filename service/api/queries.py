"""The queries: what somebody may read."""

import asyncio
from datetime import datetime
from typing import Annotated

import strawberry

from service.api.arguments import ChannelId, NodeId, Openid, TagId
from service.api.audiences import AudienceQueries
from service.api.channels import Channel
from service.api.combo_tags import ComboTagQueries
from service.api.context import Info
from service.api.jobs import JobQueries, shown_job
from service.api.nodes import Node
from service.api.permissions import TYPE_PERMISSIONS, needs
from service.api.receipts import receipt_node
from service.api.return_endpoints import ReturnEndpointQueries, endpoint_node
from service.api.tag_edits import TagEditQueries
from service.api.tags import Tag, shown_tag
from service.api.users import User, users_named
from service.domain.access import channels_of, find_channel, may_see
from service.domain.jobs import find_job
from service.domain.reading import check_openids
from service.entities.enums import Permission, Role
from service.entities.errors import LimitExceededError, NotFoundError
from service.entities.ids import gid, parse_gid, split_gid
from service.entities.jobs import JobKind
from service.entities.principal import permissions_of

MOST_NODES_AT_ONCE = 100
# The column's type; PostgreSQL refuses to compare with more.
LARGEST_ORDINAL = 2**31 - 1


@strawberry.type(description="Who is asking, as the token says.")
class Viewer:
    id: strawberry.ID = strawberry.field(description="Of the subject at this robot.")
    subject: str = strawberry.field(description="`sub` of the token.")
    role: Role = strawberry.field(description="`role` of the token.")
    robot_id: strawberry.ID = strawberry.field(description="`robot` of the token.")
    permissions: list[Permission] = strawberry.field(description="What the role may do.")
    token_expires_at: datetime = strawberry.field(description="Open subscriptions end then, with 4403.")

    @strawberry.field(description="The gate is open: a verified Official Account is bound.")
    async def ready(self, info: Info) -> bool:
        every = await channels_of(info.context.runtime, info.context.principal)
        states = await info.context.loaders.state_of_channel.load_many([channel.channel_id for channel in every])
        return any(state.open for state in states)


@strawberry.type(description="What can be read. Ids of other robots are NOT_FOUND.")
class Query(AudienceQueries, ComboTagQueries, JobQueries, ReturnEndpointQueries, TagEditQueries):
    @strawberry.field(description="Who is asking.", extensions=[needs(None)])
    def viewer(self, info: Info) -> Viewer:
        holder = info.context.principal
        may = permissions_of(holder.role)
        return Viewer(
            id=strawberry.ID(f"{gid('Viewer', 0)}.{holder.robot_id}.{holder.subject}"),
            subject=holder.subject,
            role=holder.role,
            robot_id=strawberry.ID(holder.robot_id),
            permissions=[permission for permission in Permission if permission in may],
            token_expires_at=holder.expires_at,
        )

    @strawberry.field(
        description="Anything by its id, to those who may see its type.",
        extensions=[needs(Permission.VIEW_TAGS)],
    )
    async def node(self, info: Info, id: NodeId) -> Node | None:  # noqa: A002 - the contract's name
        return await _node(info, id)

    @strawberry.field(description="At most 100; null where there is none.", extensions=[needs(Permission.VIEW_TAGS)])
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Ids of any types of Node, mixed.")],
    ) -> list[Node | None]:
        if len(ids) > MOST_NODES_AT_ONCE:
            raise LimitExceededError(f"At most {MOST_NODES_AT_ONCE} nodes at once.")
        return list(await asyncio.gather(*(_node_or_none(info, each) for each in ids)))

    @strawberry.field(
        description="The robot's channels, bound or not, oldest first.",
        extensions=[needs(Permission.VIEW_TAGS)],
    )
    async def channels(self, info: Info) -> list[Channel]:
        return [Channel.of(each) for each in await channels_of(info.context.runtime, info.context.principal)]

    @strawberry.field(description="One channel.", extensions=[needs(Permission.VIEW_TAGS)])
    async def channel(self, info: Info, id: ChannelId) -> Channel | None:  # noqa: A002
        return Channel.of(await find_channel(info.context.runtime, info.context.principal, id))

    @strawberry.field(
        description="One living tag; null while the gate is closed.", extensions=[needs(Permission.VIEW_TAGS)]
    )
    async def tag(self, info: Info, id: TagId) -> Tag | None:  # noqa: A002
        return await _tag(info, id, living=True)

    @strawberry.field(
        description="One person of a channel; null where nobody is known.",
        extensions=[needs(Permission.VIEW_USERS)],
    )
    async def user(self, info: Info, channel_id: ChannelId, openid: Openid) -> User | None:
        check_openids([openid], "openid")
        return (await users_named(info, channel_id, [openid]))[0]

    @strawberry.field(
        description="The chips of a conversation list in one request: at most 100, in the order asked; "
        "null where nobody is known.",
        extensions=[needs(Permission.VIEW_USERS)],
    )
    async def users(
        self,
        info: Info,
        channel_id: ChannelId,
        openids: Annotated[list[str], strawberry.argument(description="In the order to answer in.")],
    ) -> list[User | None] | None:
        check_openids(openids, "openids")
        return await users_named(info, channel_id, openids)


async def _node(info: Info, gid_text: str) -> Node | None:
    """Refuses exactly what the root field of the type would refuse."""
    split = split_gid(gid_text)
    type_name = split[0] if split else ""
    needed = TYPE_PERMISSIONS.get(type_name)
    if needed is None or not info.context.principal.may(needed):
        raise NotFoundError("node")
    match type_name:
        case "Channel":
            return Channel.of(await find_channel(info.context.runtime, info.context.principal, gid_text))
        case "Tag":
            return await _tag(info, gid_text, living=False)
        case "User":
            return await _user(info, gid_text)
        case kind if kind in JobKind.__members__.values():
            return shown_job(info, await find_job(info.context.runtime, info.context.principal, gid_text))
        case "ReturnReceipt":
            return await receipt_node(info, gid_text)
        case "ReturnEndpoint":
            return await endpoint_node(info, gid_text)
        case _:
            raise NotFoundError("node")


async def _node_or_none(info: Info, gid_text: str) -> Node | None:
    try:
        return await _node(info, gid_text)
    except NotFoundError:
        return None


async def _tag(info: Info, gid_text: str, *, living: bool) -> Tag | None:
    numbers = parse_gid(gid_text, "Tag", 2)
    if numbers is None:
        raise NotFoundError("tag")
    if not await _sees(info, numbers[0]):
        raise NotFoundError("tag")
    catalogue = await info.context.loaders.catalogue_of_channel.load(numbers[0])
    tag = catalogue.tags.get(numbers[1])
    if tag is None or (living and tag.deleted_at is not None):
        raise NotFoundError("tag")
    return shown_tag(tag, catalogue) if catalogue.open else None


async def _sees(info: Info, channel_id: int) -> bool:
    """Whether a channel is there for who asks; read once an operation, however many nodes are in it."""
    found = await info.context.loaders.channel.load((info.context.principal.robot_id, channel_id))
    return found is not None and may_see(info.context.principal, found)


async def _user(info: Info, gid_text: str) -> User:
    numbers = parse_gid(gid_text, "User", 2)
    if numbers is None or numbers[1] > LARGEST_ORDINAL:
        raise NotFoundError("user")
    if not await _sees(info, numbers[0]):
        raise NotFoundError("user")
    found = await info.context.loaders.user_by_ordinal.load((numbers[0], numbers[1]))
    if found is None:
        raise NotFoundError("user")
    return User.of(found)
