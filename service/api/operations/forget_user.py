"""Resolve `forgetUser`."""

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.primitives import ChannelId, Openid
from service.domain.input_rules import check_openid
from service.domain.privacy.forgetting import forget_user
from service.entities.ids import parse_channel_gid, user_gid
from service.entities.principal import Permission


@strawberry.type(description="The answer to `forgetUser`.")
class ForgetUserPayload:
    forgotten: bool = strawberry.field(description="Whether the person was known, and is forgotten now.")
    forgotten_user_id: strawberry.ID | None = strawberry.field(
        description="Id that the forgotten person had; null if the person was not known."
    )


@strawberry.type
class ForgetUserMutations:
    @strawberry.mutation(
        description=(
            "Deletes what identifies a person: openid, unionid, facts, ads and history. What the person "
            "does from now on makes a new person. For creators and admins (MANAGE_CHANNELS). Answers "
            "BAD_USER_INPUT for a malformed openid, or NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def forget_user(self, info: Info, channel_id: ChannelId, openid: Openid) -> ForgetUserPayload | None:
        check_openid(openid)
        number = parse_channel_gid(channel_id)
        ordinal = await forget_user(info.context.runtime, info.context.actor, number, openid)
        if ordinal is None:
            return ForgetUserPayload(forgotten=False, forgotten_user_id=None)
        return ForgetUserPayload(forgotten=True, forgotten_user_id=strawberry.ID(user_gid(number, ordinal)))
