"""Show the job that merges a tag into another."""

import strawberry

from service.api.context import Info
from service.api.types.job import Job, job_fields
from service.api.types.primitives import Node
from service.api.types.tag import Tag
from service.entities.jobs import Job as JobEntity


@strawberry.type(
    description=(
        "A job that merges a tag into another. `done` counts people. Cancelled or failed, what people gained by it is "
        "taken away again within a minute. For creators and admins (MANAGE_TAGS)."
    )
)
class TagMerge(Job, Node):
    """Show how far a merge is, and of which tags it is."""

    @strawberry.field(
        name="from", description="The tag that is merged; once the job is DONE it is deleted, with `mergedInto`."
    )
    async def from_tag(self, info: Info) -> Tag:
        return await self._tag(info, self.entity.payload["from"])

    @strawberry.field(description="The tag that it is merged into.")
    async def into(self, info: Info) -> Tag:
        return await self._tag(info, self.entity.payload["into"])

    @classmethod
    def of(cls, _: Info, entity: JobEntity, *, is_open: bool) -> "TagMerge":
        """Return the object of a job, `is_open` telling of the gate; behind a closed one nobody is counted."""
        return cls(**job_fields(entity, is_open=is_open))

    async def _tag(self, info: Info, tag_id: int) -> Tag:
        catalogue = await info.context.loaders.catalogue_of_channel.load(self.entity.channel_id)
        return info.context.presenters.tag(catalogue.tags[tag_id], catalogue)
