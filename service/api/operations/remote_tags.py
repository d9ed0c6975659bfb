"""Resolve `remoteTags`: list the tags that an Official Account has at WeChat."""

from typing import Final

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most
from service.api.guards.permissions import needs
from service.api.types.primitives import ChannelId
from service.domain.official_account.remote_tags import remote_tags
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission

# WeChat's own limit of the tags of an account.
MAX_REMOTE_TAGS: Final = 100


@strawberry.type(description="A tag that the Official Account has at WeChat.")
class RemoteTag:
    remote_tag_id: int = strawberry.field(description="WeChat's id of the tag.")
    name: str = strawberry.field(description="WeChat's name of the tag.")
    member_count: int = strawberry.field(description="How many followers have the tag, as WeChat counts them.")


@strawberry.type
class RemoteTagQueries:
    @strawberry.field(
        description=(
            "The Official Account's own tags, as WeChat answers now, without those of the system. For creators and "
            "admins (SYNC). Answers NOT_FOUND, BAD_USER_INPUT for a Mini Program and for a channel without an app "
            "secret, CHANNEL_NOT_BOUND, or UPSTREAM where WeChat refuses or does not answer."
        ),
        metadata=at_most(MAX_REMOTE_TAGS),
        extensions=[needs(Permission.SYNC)],
    )
    async def remote_tags(self, info: Info, channel_id: ChannelId) -> list[RemoteTag] | None:
        context = info.context
        found = await remote_tags(context.runtime, context.principal, parse_channel_gid(channel_id))
        return [
            RemoteTag(remote_tag_id=tag.remote_tag_id, name=tag.name, member_count=tag.member_count)
            for tag in found[:MAX_REMOTE_TAGS]
        ]
