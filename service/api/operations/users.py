"""Look people up."""

from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.operations.channels import sees_channel
from service.api.types.primitives import ChannelId, Openid
from service.api.types.user import User, users_by_openids
from service.domain.input_rules import check_openids
from service.entities.errors import NotFoundError
from service.entities.ids import parse_gid
from service.entities.principal import Permission

# The column's type; PostgreSQL refuses to compare with more.
MAX_ORDINAL = 2**31 - 1


@strawberry.type
class UserQueries:
    @strawberry.field(
        description=(
            "One person of a channel; null where nobody is known. For creators, admins and agents "
            "(VIEW_USERS). Answers BAD_USER_INPUT for a malformed openid, or NOT_FOUND for the channel."
        ),
        extensions=[needs(Permission.VIEW_USERS)],
    )
    async def user(self, info: Info, channel_id: ChannelId, openid: Openid) -> User | None:
        check_openids([openid], "openid")
        return (await users_by_openids(info, channel_id, [openid]))[0]

    @strawberry.field(
        description=(
            "Up to 100 people of a channel, such as a page of a conversation list, in the order asked; "
            "null where nobody is known. For creators, admins and agents (VIEW_USERS). Answers "
            "BAD_USER_INPUT for a malformed openid, LIMIT_EXCEEDED, or NOT_FOUND for the channel."
        ),
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
        check_openids(openids, "openids")
        return await users_by_openids(info, channel_id, openids)


async def user_by_id(info: Info, gid_text: str) -> User:
    numbers = parse_gid(gid_text, "User", 2)
    if numbers is None or numbers[1] > MAX_ORDINAL:
        raise NotFoundError("user")
    if not await sees_channel(info, numbers[0]):
        raise NotFoundError("user")
    found = await info.context.loaders.user_by_ordinal.load((numbers[0], numbers[1]))
    if found is None:
        raise NotFoundError("user")
    return User.of(found)
