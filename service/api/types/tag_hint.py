"""Show what is worth a look about tags."""

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import long_text
from service.api.types.presenters import tag_to_graphql
from service.api.types.tag import Tag
from service.domain.hints.reader import ChannelHints
from service.domain.hints.texts import hint_text
from service.entities.hints import TagHintKind


@strawberry.type(
    description=(
        "Something worth a look about one tag or two, by today's members. For creators, admins and agents (VIEW_USERS)."
    )
)
class TagHint:
    """Show a hint, with its tags and as a sentence."""

    kind: TagHintKind = strawberry.field(description="What is worth a look.")
    tag: Tag = strawberry.field(description="Tag that the hint is about; of two, the younger or the smaller one.")
    other: Tag | None = strawberry.field(description="Second tag of a hint about two; null for EMPTY and UNUSED.")
    text: str = strawberry.field(description="Hint as a sentence, for people.", metadata=long_text(200))


def hints_to_graphql(info: Info, found: ChannelHints) -> list[TagHint]:
    """Return the hints of a channel, its tags named in the language of who asks."""
    catalogue = info.context.named(found.catalogue)
    return [
        TagHint(
            kind=hint.kind,
            tag=tag_to_graphql(catalogue.tags[hint.tag_id], catalogue),
            other=None if hint.other_id is None else tag_to_graphql(catalogue.tags[hint.other_id], catalogue),
            text=hint_text(catalogue, hint),
        )
        for hint in found.hints
    ]
