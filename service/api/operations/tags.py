"""Resolve `tag`, `deleteTagPreview`, `renameTag` and `deleteTag`: tags of every kind."""

from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most
from service.api.guards.permissions import needs
from service.api.types.broadcast import Broadcast
from service.api.types.combo_tag import ComboTag
from service.api.types.presenters import combo_to_graphql, tag_to_graphql
from service.api.types.primitives import TagId
from service.api.types.tag import Tag
from service.domain.broadcasts.control.tags_in_use import broadcasts_of_tag
from service.domain.combos import tag_deletion as use_cases
from service.domain.jobs.starting import MAX_UNFINISHED_BROADCASTS
from service.domain.tags.catalogue import MAX_TAGS_PER_CHANNEL
from service.domain.tags.naming import UNCHANGED
from service.entities.errors import NotFoundError
from service.entities.ids import parse_tag_gid, tag_gid
from service.entities.principal import Permission


@strawberry.type(description="The answer to `renameTag`.")
class RenameTagPayload:
    tag: Tag = strawberry.field(description="The tag after the change.")


@strawberry.type(description="The answer to `deleteTag`.")
class DeleteTagPayload:
    deleted_id: strawberry.ID = strawberry.field(description="Id of the tag that was deleted.")
    tag: Tag = strawberry.field(description="The tag in its last state, with `deletedAt`.")
    lapsed: list[ComboTag] = strawberry.field(
        description="Combos that lapsed with the tag, directly or through others.",
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=20),
    )


@strawberry.type(description="The consequences that deleting a tag would have.")
class DeleteTagPreview:
    tag: Tag = strawberry.field(description="The tag that would be deleted.")
    would_lapse: list[ComboTag] = strawberry.field(
        description="Combos that would lapse with the tag, directly or through others.",
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=20),
    )
    broadcasts: list[Broadcast] = strawberry.field(
        description=(
            "Broadcasts for people of the tag, also by way of combos, that have not started, and series that have "
            "further runs: they would fail."
        ),
        metadata=at_most(MAX_UNFINISHED_BROADCASTS, usual=5),
    )


@strawberry.type
class TagQueries:
    @strawberry.field(
        description=(
            "One living tag by its id; null while the gate is closed. For every role (VIEW_TAGS). Answers NOT_FOUND."
        ),
        extensions=[needs(Permission.VIEW_TAGS)],
    )
    async def tag(self, info: Info, id: TagId) -> Tag | None:
        return await tag_by_id(info, id, living=True)

    @strawberry.field(
        description=(
            "Tells which combos would lapse and which broadcasts fail if the tag were deleted, and changes nothing. "
            "For creators and admins (MANAGE_TAGS). Answers TAG_PROTECTED, CHANNEL_NOT_BOUND or NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def delete_tag_preview(self, info: Info, id: TagId) -> DeleteTagPreview | None:
        found = await use_cases.deletion_preview(info.context.runtime, info.context.principal, *parse_tag_gid(id))
        catalogue = info.context.named(found.graph.catalogue)
        unstarted = await broadcasts_of_tag(info.context.runtime, found.graph, found.tag.tag_id)
        return DeleteTagPreview(
            tag=tag_to_graphql(found.tag, catalogue),
            would_lapse=[combo_to_graphql(each, catalogue) for each in found.lapsed],
            broadcasts=await Broadcast.load_many(info, [(found.tag.channel_id, each) for each in unstarted]),
        )


@strawberry.type
class TagMutations:
    @strawberry.mutation(
        description=(
            "Gives a tag of any kind but the default ones another name, and a description where one is "
            "given. For creators and admins (MANAGE_TAGS). Answers BAD_USER_INPUT, NAME_TAKEN, CONFLICT, "
            "TAG_PROTECTED, CHANNEL_NOT_BOUND or NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def rename_tag(
        self,
        info: Info,
        id: TagId,
        name: Annotated[
            str,
            strawberry.argument(
                description=(
                    "New name (second level), 1 to 64 characters; NAME_TAKEN where a living tag of the category has it."
                )
            ),
        ],
        description: Annotated[
            str | None,
            strawberry.argument(
                description="What the tag means, in words, at most 1,000 characters; null clears it, absent keeps it."
            ),
        ] = strawberry.UNSET,
        expected_version: Annotated[
            int | None,
            strawberry.argument(
                description=(
                    "`version` of the tag as it was read; CONFLICT when it is another by now, no check when absent."
                )
            ),
        ] = None,
    ) -> RenameTagPayload | None:
        renamed = await use_cases.rename_tag(
            info.context.runtime,
            info.context.actor,
            *parse_tag_gid(id),
            name,
            description=UNCHANGED if description is strawberry.UNSET else description,
            expected_version=expected_version,
        )
        return RenameTagPayload(tag=tag_to_graphql(renamed.tag, info.context.named(renamed.catalogue)))

    @strawberry.mutation(
        description=(
            "Deletes a tag of any kind but the default ones. Combos made of it lapse, and people's pages "
            "lose all of them at once. For creators and admins (MANAGE_TAGS). Answers CONFLICT while the tag is being "
            "merged, TAG_PROTECTED, CHANNEL_NOT_BOUND or NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def delete_tag(self, info: Info, id: TagId) -> DeleteTagPayload | None:
        gone = await use_cases.delete_tag(info.context.runtime, info.context.actor, *parse_tag_gid(id))
        catalogue = info.context.named(gone.graph.catalogue)
        return DeleteTagPayload(
            deleted_id=strawberry.ID(tag_gid(gone.tag.channel_id, gone.tag.tag_id)),
            tag=tag_to_graphql(gone.tag, catalogue),
            lapsed=[combo_to_graphql(each, catalogue) for each in gone.lapsed],
        )


async def tag_by_id(info: Info, gid: str, *, living: bool) -> Tag | None:
    """Return a tag by its id, None while the gate is closed.

    Raises NotFoundError for an unknown tag, and with `living` for a deleted one.
    """
    channel_id, tag_id = parse_tag_gid(gid)
    await info.context.resources.channels.find(info.context.principal, channel_id, Permission.VIEW_TAGS, sought="tag")
    catalogue = await info.context.loaders.catalogue_of_channel.load(channel_id)
    tag = catalogue.tags.get(tag_id)
    if tag is None or (living and tag.deleted_at is not None):
        raise NotFoundError("tag")
    return tag_to_graphql(tag, catalogue) if catalogue.open else None
