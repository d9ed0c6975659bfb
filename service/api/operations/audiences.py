"""Resolve `audience`, `tagOverlap` and `massPostingTags`: count sets of ACTIVE tags without saving them."""

from datetime import datetime
from typing import Annotated, Final, TypeAlias

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most, pairs_of, takes_as_long_as_with
from service.api.guards.permissions import needs
from service.api.types.audience import Audience, TagPairOverlap, audience_to_graphql
from service.api.types.expression import ActiveExpression, draft_from_input
from service.api.types.presenters import tag_to_graphql, tags_to_graphql
from service.api.types.primitives import ChannelId
from service.api.types.tag import Tag
from service.domain.audiences import counting as use_cases
from service.domain.tags.catalogue import MAX_TAGS_PER_CHANNEL
from service.entities.ids import parse_channel_gid, parse_tag_gid
from service.entities.principal import Permission

# Values as many as which it takes to read a day of a large channel's change log.
LOOKING_BACK: Final = 2_000
AsOf: TypeAlias = Annotated[
    datetime | None,
    strawberry.argument(
        description=(
            "An instant to look back to, as far as the change log reaches, 7 days by default: the answer is who was in "
            "the audience then, by every change up to it, but for people who were forgotten since. An earlier instant, "
            "or one to come, is BAD_USER_INPUT, which names the earliest; so is `received` in the expression."
        )
    ),
]


@strawberry.type
class AudienceQueries:
    @strawberry.field(
        description=(
            "Counts the people of any expression without saving it, now or at an earlier instant. For creators, admins "
            "and agents (VIEW_USERS). Answers BAD_USER_INPUT, LIMIT_EXCEEDED, TAG_NOT_USABLE, CHANNEL_NOT_BOUND or "
            "NOT_FOUND."
        ),
        metadata=takes_as_long_as_with("asOf", LOOKING_BACK),
        extensions=[needs(Permission.VIEW_USERS)],
    )
    async def audience(
        self, info: Info, channel_id: ChannelId, expression: ActiveExpression, as_of: AsOf = None
    ) -> Audience | None:
        context = info.context
        asked = (context.runtime, context.principal, parse_channel_gid(channel_id), draft_from_input(expression))
        audience = (
            await use_cases.count_audience(*asked)
            if as_of is None
            else await use_cases.count_audience_as_of(*asked, as_of)
        )
        return audience_to_graphql(audience, context.named(audience.catalogue))

    @strawberry.field(
        description=(
            "Compares every pair of 2 to 20 ACTIVE tags of one channel. For creators, admins and agents "
            "(VIEW_USERS). Answers BAD_USER_INPUT, LIMIT_EXCEEDED, TAG_NOT_USABLE, CHANNEL_NOT_BOUND or "
            "NOT_FOUND."
        ),
        metadata=pairs_of("tagIds", most=use_cases.MAX_COMPARED_TAGS),
        extensions=[needs(Permission.VIEW_USERS)],
    )
    async def tag_overlap(
        self,
        info: Info,
        tag_ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(
                description=(
                    "Ids of 2 to 20 different tags of one channel; LIMIT_EXCEEDED beyond, BAD_USER_INPUT below."
                )
            ),
        ],
    ) -> list[TagPairOverlap] | None:
        overlap = await use_cases.tag_overlap(
            info.context.runtime, info.context.principal, [parse_tag_gid(each) for each in tag_ids]
        )
        catalogue = info.context.named(overlap.catalogue)
        return [
            TagPairOverlap(
                a=tag_to_graphql(catalogue.tags[pair.a.tag_id], catalogue),
                b=tag_to_graphql(catalogue.tags[pair.b.tag_id], catalogue),
                both=pair.both,
                only_a=pair.only_a,
                only_b=pair.only_b,
            )
            for pair in overlap.pairs
        ]

    @strawberry.field(
        description=(
            "ACTIVE tags of a channel, which the mass-posting page may offer, by category and name; "
            "empty while the gate is closed. For every role (VIEW_TAGS). Answers NOT_FOUND."
        ),
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=100),
        extensions=[needs(Permission.VIEW_TAGS)],
    )
    async def mass_posting_tags(self, info: Info, channel_id: ChannelId) -> list[Tag] | None:
        channel = await info.context.resources.channels.find(
            info.context.principal, parse_channel_gid(channel_id), Permission.VIEW_TAGS
        )
        catalogue = await info.context.loaders.catalogue_of_channel.load(channel.channel_id)
        return tags_to_graphql(catalogue.shown(catalogue.tags), catalogue)
