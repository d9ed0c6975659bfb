"""Resolve `remoteTags` and `importRemoteTags`: the tags that an Official Account has at WeChat."""

from typing import Annotated, Final

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most
from service.api.guards.permissions import needs
from service.api.types.primitives import ChannelId
from service.api.types.remote_tag_import import RemoteTagImport
from service.api.types.tag import Tag
from service.domain.official_account.remote_import import start_remote_import
from service.domain.official_account.remote_tags import remote_tags
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission

# WeChat's own limit of the tags of an account.
MAX_REMOTE_TAGS: Final = 100

RemoteTagIds = Annotated[
    list[int], strawberry.argument(description="WeChat's ids of 1 to 100 tags; WeChat's own tags cannot be taken over.")
]


@strawberry.type(description="A tag that the Official Account has at WeChat.")
class RemoteTag:
    """Show a tag of the account, and the one of ours that is linked to it."""

    channel_id: strawberry.Private[int]
    remote_tag_id: int = strawberry.field(description="WeChat's id of the tag.")
    name: str = strawberry.field(description="WeChat's name of the tag.")
    member_count: int = strawberry.field(description="How many followers have the tag, as WeChat counts them.")

    @strawberry.field(description="Our tag that is linked to it; null if none is.")
    async def tag(self, info: Info) -> Tag | None:
        linked = await info.context.loaders.tag_ids_by_remote_id.load(self.channel_id)
        catalogue = await info.context.loaders.catalogue_of_channel.load(self.channel_id)
        tag = catalogue.tags.get(linked.get(self.remote_tag_id, 0))
        return None if tag is None or tag.deleted_at is not None else info.context.presenters.tag(tag, catalogue)


@strawberry.type(description="The answer to `importRemoteTags`.")
class ImportRemoteTagsPayload:
    job: RemoteTagImport = strawberry.field(
        description="The job that reads the members; its tags are there at once, and `jobProgress` tells how far it is."
    )


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
        number = parse_channel_gid(channel_id)
        found = await remote_tags(context.runtime, context.principal, number)
        return [
            RemoteTag(channel_id=number, remote_tag_id=tag.remote_tag_id, name=tag.name, member_count=tag.member_count)
            for tag in found[:MAX_REMOTE_TAGS]
        ]


@strawberry.type
class RemoteTagMutations:
    @strawberry.mutation(
        description=(
            "Takes over tags that exist at the Official Account as return tags of ours, with their members, linked for "
            "syncing. They are in the category `Official Account`; one that is linked already is left as it is. The "
            "same import once more, while it is unfinished, returns its job. For creators and admins (SYNC). Answers "
            "NOT_FOUND, for tags that the account does not have too, BAD_USER_INPUT, LIMIT_EXCEEDED for over 100 tags, "
            "over 1,000 of the channel, or beside another import, NAME_TAKEN, CHANNEL_NOT_BOUND, or UPSTREAM where "
            "WeChat refuses or does not answer; then nothing is made."
        ),
        extensions=[needs(Permission.SYNC)],
    )
    async def import_remote_tags(
        self, info: Info, channel_id: ChannelId, remote_tag_ids: RemoteTagIds
    ) -> ImportRemoteTagsPayload | None:
        context = info.context
        job = await start_remote_import(context.runtime, context.actor, parse_channel_gid(channel_id), remote_tag_ids)
        return ImportRemoteTagsPayload(job=RemoteTagImport.of(info, job, is_open=True))
