"""Forgetting somebody on request."""

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.primitives import ChannelId, Openid
from service.domain.input_rules import check_openid
from service.domain.privacy.forgetting import forget_user
from service.entities.enums import Permission
from service.entities.ids import parse_channel_gid, user_gid


@strawberry.type(description="Whether anybody was known.")
class ForgetUserPayload:
    forgotten: bool = strawberry.field(description="False where nobody was known.")
    forgotten_user_id: strawberry.ID | None = strawberry.field(description="Only the id is left.")


@strawberry.type
class ForgettingMutations:
    @strawberry.mutation(
        description="Deletes what identifies a person: openid, unionid, facts, ads and history. What they do from now "
        "on makes a new person.",
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def forget_user(self, info: Info, channel_id: ChannelId, openid: Openid) -> ForgetUserPayload | None:
        check_openid(openid)
        number = parse_channel_gid(channel_id)
        ordinal = await forget_user(info.context.runtime, info.context.principal, number, openid)
        if ordinal is None:
            return ForgetUserPayload(forgotten=False, forgotten_user_id=None)
        return ForgetUserPayload(forgotten=True, forgotten_user_id=strawberry.ID(user_gid(number, ordinal)))
