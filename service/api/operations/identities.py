"""Who is the same person on several channels."""

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.primitives import Input, RejectedItem
from service.domain.people.identities import IdentityPair, link_identities
from service.entities.enums import Permission
from service.entities.ids import parse_channel_gid


@strawberry.input(description="Two ids of one person.")
class IdentityPairInput:
    openid: str = strawberry.field(description="On the channel; 1 to 128 characters of A-Z a-z 0-9 _ -.")
    unionid: str = strawberry.field(description="Across the channels of one owner; of the same characters.")


@strawberry.input(description="At most 10,000 pairs. People not heard of before are made, and do not follow.")
class LinkIdentitiesInput:
    channel_id: strawberry.ID = strawberry.field(description="The channel of the openids.")
    pairs: list[IdentityPairInput] = strawberry.field(description="In any order; repeats change nothing.")


@strawberry.type(description="What was linked; it is durable.")
class LinkIdentitiesPayload:
    linked: int = strawberry.field(description="Pairs that were new.")
    unchanged: int = strawberry.field(description="Pairs that were known.")
    rejected: list[RejectedItem] = strawberry.field(
        description="The others. UNIONID_CONFLICT: within a channel a unionid belongs to one openid, and an openid "
        "keeps its unionid."
    )


@strawberry.type
class IdentityMutations:
    @strawberry.mutation(
        description="Says which unionids people have, so that openids can be converted between channels.",
        extensions=[needs(Permission.SUBMIT_DATA)],
    )
    async def link_identities(self, info: Info, input: Input[LinkIdentitiesInput]) -> LinkIdentitiesPayload | None:  # noqa: A002
        channel = await info.context.services.channels.find(
            info.context.principal, parse_channel_gid(input.channel_id), Permission.SUBMIT_DATA
        )
        pairs = [IdentityPair(each.openid, each.unionid) for each in input.pairs]
        linked = await link_identities(info.context.runtime, channel, pairs)
        return LinkIdentitiesPayload(
            linked=linked.linked,
            unchanged=linked.unchanged,
            rejected=[RejectedItem.of(each) for each in linked.rejected],
        )
