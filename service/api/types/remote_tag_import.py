"""Show the import of tags of the Official Account."""

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most
from service.api.types.job import Job, job_fields
from service.api.types.primitives import Node
from service.api.types.return_tag import ReturnTag
from service.domain.official_account.remote_import import MAX_TAGS_PER_IMPORT, imported_tag_ids
from service.entities.jobs import Job as JobEntity


@strawberry.type(
    description=(
        "A job that reads the members of tags of the Official Account that were taken over. It counts people. For "
        "creators and admins (SYNC)."
    )
)
class RemoteTagImport(Job, Node):
    """Show an import of tags of the Official Account, with the tags of ours."""

    @classmethod
    def of(cls, info: Info, entity: JobEntity, *, is_open: bool) -> "RemoteTagImport":
        """Return the object of an import, `is_open` telling of the gate."""
        del info
        return cls(**job_fields(entity, is_open=is_open))

    @strawberry.field(
        description=(
            "The return tags that are linked to what was asked for, by this import or before it. One that could not "
            "be read says why."
        ),
        metadata=at_most(MAX_TAGS_PER_IMPORT),
    )
    async def tags(self, info: Info) -> list[ReturnTag]:
        catalogue = await info.context.loaders.catalogue_of_channel.load(self.entity.channel_id)
        shown = info.context.presenters.tags(imported_tag_ids(self.entity), catalogue)
        return [tag for tag in shown if isinstance(tag, ReturnTag)]
