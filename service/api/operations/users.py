"""Resolve `user` and `users`."""

from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import as_many_as
from service.api.guards.permissions import needs
from service.api.types.primitives import ChannelId, Openid
from service.api.types.user import User, users_by_openids
from service.domain.input_rules import check_openid, check_openids
from service.domain.tags.reader import MAX_USERS_PER_QUERY
from service.entities.errors import NotFoundError
from service.entities.ids import parse_channel_gid, parse_user_gid
from service.entities.principal import Permission

# The column's type; PostgreSQL refuses to compare with more.
MAX_ORDINAL = 2**31 - 1


@strawberry.type
class UserQueries:
    @strawberry.field(
        description=(
            "One person of a channel; null for an unknown openid. For creators, admins and agents "
            "(VIEW_USERS). Answers BAD_USER_INPUT for a malformed openid, or NOT_FOUND for the channel."
        ),
        extensions=[needs(Permission.VIEW_USERS)],
    )
    async def user(self, info: Info, channel_id: ChannelId, openid: Openid) -> User | None:
        check_openid(openid)
        return (await users_by_openids(info, parse_channel_gid(channel_id), [openid]))[0]

    @strawberry.field(
        description=(
            "Up to 100 people of a channel, such as a page of a conversation list, in the order asked; "
            "null for an unknown openid. For creators, admins and agents (VIEW_USERS). Answers "
            "BAD_USER_INPUT for a malformed openid, LIMIT_EXCEEDED, or NOT_FOUND for the channel."
        ),
        metadata=as_many_as("openids", most=MAX_USERS_PER_QUERY),
        extensions=[needs(Permission.VIEW_USERS)],
    )
    async def users(
        self,
        info: Info,
        channel_id: ChannelId,
        openids: Annotated[
            list[str], strawberry.argument(description="At most 100 openids of the channel, LIMIT_EXCEEDED beyond.")
        ],
    ) -> list[User | None] | None:
        check_openids(openids)
        return await users_by_openids(info, parse_channel_gid(channel_id), openids)


async def user_by_id(info: Info, gid: str) -> User:
    """Return a person by their id. Raises NotFoundError."""
    key = parse_user_gid(gid)
    if key.ordinal > MAX_ORDINAL:
        raise NotFoundError("user")
    await info.context.resources.channels.find(
        info.context.principal, key.channel_id, Permission.VIEW_USERS, sought="user"
    )
    found = await info.context.loaders.user_by_ordinal.load(key)
    if found is None:
        raise NotFoundError("user")
    return User.of(found)
