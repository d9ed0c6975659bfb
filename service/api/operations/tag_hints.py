"""Resolve `tagHints`: which tags of a channel are equal, contained in others, never met, empty or unused."""

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most, takes_as_long_as
from service.api.guards.permissions import needs
from service.api.types.primitives import ChannelId
from service.api.types.tag_hint import TagHint, hints_to_graphql
from service.domain.hints.finding import MAX_HINTS
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission


@strawberry.type
class TagHintQueries:
    @strawberry.field(
        description=(
            "What is worth a look about the ACTIVE tags of a channel by today's members, the gravest first and at most "
            "200: tags that nobody has both of although a combo asks for both, equal, empty, contained in others, and "
            "unused ones; empty while the gate is closed. What could not be compared in some seconds is left out. For "
            "creators, admins and agents (VIEW_USERS). Answers NOT_FOUND."
        ),
        metadata={**at_most(MAX_HINTS, usual=50), **takes_as_long_as(20_000)},
        extensions=[needs(Permission.VIEW_USERS)],
    )
    async def tag_hints(self, info: Info, channel_id: ChannelId) -> list[TagHint] | None:
        resources = info.context.resources
        channel = await resources.channels.find(
            info.context.principal, parse_channel_gid(channel_id), Permission.VIEW_USERS
        )
        return hints_to_graphql(info, await resources.hint_reader.hints_of(channel.channel_id))
