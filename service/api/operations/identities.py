"""Resolve `linkIdentities`."""

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import as_the_input, given_by
from service.api.guards.permissions import needs
from service.api.types.primitives import Input, RejectedItem
from service.domain.people.identities import MAX_PAIRS_PER_REQUEST, IdentityPair, link_identities
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission


@strawberry.input(description="The two ids of one person.")
class IdentityPairInput:
    openid: str = strawberry.field(
        description=(
            "WeChat's id of the person on the channel, 1 to 128 characters of A-Z a-z 0-9 _ -; "
            "MALFORMED_OPENID otherwise."
        )
    )
    unionid: str = strawberry.field(
        description=(
            "WeChat's id of the person across the accounts of one owner, 1 to 128 characters of A-Z a-z "
            "0-9 _ -; MALFORMED_UNIONID otherwise."
        )
    )


@strawberry.input(description="Pairs of ids to link. Openids not known so far become users who do not follow.")
class LinkIdentitiesInput:
    channel_id: strawberry.ID = strawberry.field(description="Id of the channel of the openids.")
    pairs: list[IdentityPairInput] = strawberry.field(
        description="At most 10,000 pairs in any order, LIMIT_EXCEEDED beyond; repeated ones change nothing."
    )


@strawberry.type(description="The answer to `linkIdentities`; what was linked is durable.")
class LinkIdentitiesPayload:
    linked: int = strawberry.field(description="How many pairs are new.")
    unchanged: int = strawberry.field(description="How many pairs were known already.")
    rejected: list[RejectedItem] = strawberry.field(
        description=(
            "Pairs that were rejected. Within a channel a unionid belongs to one openid and an openid "
            "keeps its unionid; UNIONID_CONFLICT otherwise."
        ),
        metadata=as_the_input(most=MAX_PAIRS_PER_REQUEST),
    )


@strawberry.type
class IdentityMutations:
    @strawberry.mutation(
        description=(
            "Links openids to unionids, so that openids can be converted between channels. For creators, "
            "admins and integrators (SUBMIT_DATA). Answers LIMIT_EXCEEDED or NOT_FOUND; a bad pair is "
            "rejected by itself."
        ),
        metadata=given_by("input", "pairs", most=MAX_PAIRS_PER_REQUEST),
        extensions=[needs(Permission.SUBMIT_DATA)],
    )
    async def link_identities(self, info: Info, input: Input[LinkIdentitiesInput]) -> LinkIdentitiesPayload | None:
        channel = await info.context.resources.channels.find(
            info.context.principal, parse_channel_gid(input.channel_id), Permission.SUBMIT_DATA
        )
        pairs = [IdentityPair(each.openid, each.unionid) for each in input.pairs]
        linked = await link_identities(info.context.runtime, channel, pairs)
        return LinkIdentitiesPayload(
            linked=linked.linked,
            unchanged=linked.unchanged,
            rejected=[RejectedItem.of(each) for each in linked.rejected],
        )
