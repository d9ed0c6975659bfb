"""Show a tag as one person has it, and what happened to a person's tags."""

from datetime import datetime

import strawberry

from service.api.engine.serializers import SerializedForms
from service.api.guards.list_sizes import at_most, long_text
from service.api.types.evidence import TagEvidence
from service.api.types.tag import Tag
from service.domain.tags.catalogue import MAX_TAGS_PER_CHANNEL
from service.entities.blocks import ChangeCause


@strawberry.type(description="A tag as one person has it. For creators, admins and agents (VIEW_USERS).")
class UserTag:
    """Show a tag as one user has it, or, with `serialized`, as all users have it whose reasons are not selected."""

    serialized: strawberry.Private[SerializedForms | None] = None
    id: strawberry.ID = strawberry.field(description="Opaque id of this person having this tag.")
    tag: Tag = strawberry.field(description="The tag that the person has.")
    since: datetime | None = strawberry.field(
        description=(
            "Since when the person has the tag; null if that is longer ago than the change log reaches, "
            "7 days by default."
        )
    )
    why: str = strawberry.field(
        description="A sentence that says why the person has the tag, for people.", metadata=long_text(64)
    )
    until: datetime | None = strawberry.field(
        description="When the tag ends if nothing happens; null if it does not end by itself, or that is not known."
    )
    evidence: TagEvidence | None = strawberry.field(
        description="Facts behind the tag, for programs; null where there are none to show."
    )


@strawberry.type(description="One change of a person's tags. For creators, admins and agents (VIEW_USERS).")
class UserTagChange:
    """Show one change of a user's tags."""

    at: datetime = strawberry.field(description="When the change was written.")
    added: list[Tag] = strawberry.field(
        description="Tags that the person gained; a tag deleted since has `deletedAt`.",
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=5),
    )
    removed: list[Tag] = strawberry.field(
        description="Tags that the person lost; a tag deleted since has `deletedAt`.",
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=5),
    )
    cause: ChangeCause = strawberry.field(description="Why the tags changed, for programs.")
    why: str = strawberry.field(description="A sentence that says why the tags changed, for people.")
