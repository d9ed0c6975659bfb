"""Renaming and deleting tags, and what deleting would do."""

from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.combo_tag import ComboTag
from service.api.types.presenters import combo_to_graphql, tag_to_graphql
from service.api.types.primitives import TagId
from service.api.types.tag import Tag
from service.domain.combos import tag_deletion as use_cases
from service.domain.tags.naming import UNCHANGED
from service.entities.enums import Permission
from service.entities.errors import NotFoundError
from service.entities.ids import parse_tag_gid, tag_gid


@strawberry.type(description="The tag as it is now.")
class RenameTagPayload:
    tag: Tag = strawberry.field(description="After the change.")


@strawberry.type(description="The tag that is gone.")
class DeleteTagPayload:
    deleted_id: strawberry.ID = strawberry.field(description="Its id.")
    tag: Tag = strawberry.field(description="Its last state, with `deletedAt`.")
    lapsed: list[ComboTag] = strawberry.field(description="The combos that lapsed with it, in any depth.")


@strawberry.type(description="What deleting a tag would do.")
class DeleteTagPreview:
    tag: Tag = strawberry.field(description="The tag as it is.")
    would_lapse: list[ComboTag] = strawberry.field(description="The combos that would lapse with it, in any depth.")


@strawberry.type
class TagEditQueries:
    @strawberry.field(
        description="What `deleteTag` would do.",
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def delete_tag_preview(self, info: Info, id: TagId) -> DeleteTagPreview | None:  # noqa: A002
        found = await use_cases.deletion_preview(info.context.runtime, info.context.principal, *parse_tag_gid(id))
        catalogue = found.graph.catalogue
        return DeleteTagPreview(
            tag=tag_to_graphql(found.tag, catalogue),
            would_lapse=[combo_to_graphql(each, catalogue) for each in found.lapsed],
        )


@strawberry.type
class TagMutations:
    @strawberry.mutation(
        description="Another second-level name for any tag but the default ones; with a description, that too.",
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def rename_tag(
        self,
        info: Info,
        id: TagId,  # noqa: A002
        name: Annotated[str, strawberry.argument(description="Second level, 1 to 64 characters.")],
        description: Annotated[
            str | None, strawberry.argument(description="What it means; null removes it, absent keeps it.")
        ] = strawberry.UNSET,
        expected_version: Annotated[
            int | None, strawberry.argument(description="`version` as it was read; CONFLICT when it is another by now.")
        ] = None,
    ) -> RenameTagPayload | None:
        catalogue, tag = await use_cases.rename_tag(
            info.context.runtime,
            info.context.principal,
            *parse_tag_gid(id),
            name,
            description=UNCHANGED if description is strawberry.UNSET else description,
            expected_version=expected_version,
        )
        return RenameTagPayload(tag=tag_to_graphql(tag, catalogue))

    @strawberry.mutation(
        description="Deletes a tag of any kind but the default ones. Combos made of it lapse with it, and people's "
        "pages lose all of them at once.",
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def delete_tag(self, info: Info, id: TagId) -> DeleteTagPayload | None:  # noqa: A002
        gone = await use_cases.delete_tag(info.context.runtime, info.context.principal, *parse_tag_gid(id))
        catalogue = gone.graph.catalogue
        return DeleteTagPayload(
            deleted_id=strawberry.ID(tag_gid(gone.tag.channel_id, gone.tag.tag_id)),
            tag=tag_to_graphql(gone.tag, catalogue),
            lapsed=[combo_to_graphql(each, catalogue) for each in gone.lapsed],
        )


@strawberry.type
class TagQueries:
    @strawberry.field(
        description="One living tag; null while the gate is closed.", extensions=[needs(Permission.VIEW_TAGS)]
    )
    async def tag(self, info: Info, id: TagId) -> Tag | None:  # noqa: A002
        return await tag_by_id(info, id, living=True)


async def tag_by_id(info: Info, gid: str, *, living: bool) -> Tag | None:
    """Return a tag by its id, None while the gate is closed. Raises NotFoundError; for deleted ones if `living`."""
    channel_id, tag_id = parse_tag_gid(gid)
    await info.context.services.channels.find(info.context.principal, channel_id, Permission.VIEW_TAGS, sought="tag")
    catalogue = await info.context.loaders.catalogue_of_channel.load(channel_id)
    tag = catalogue.tags.get(tag_id)
    if tag is None or (living and tag.deleted_at is not None):
        raise NotFoundError("tag")
    return tag_to_graphql(tag, catalogue) if catalogue.open else None
