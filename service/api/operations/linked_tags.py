"""Resolve `setKeepInSync` and `unlinkOfficialAccountTag`."""

from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import as_the_input, given_by
from service.api.guards.permissions import needs
from service.api.types.presenters import tag_to_graphql
from service.api.types.primitives import TagId
from service.api.types.tag import Tag
from service.domain.official_account import linked_tags as use_cases
from service.entities.ids import parse_tag_gid
from service.entities.principal import Permission


@strawberry.type(description="The answer to `setKeepInSync` and `unlinkOfficialAccountTag`.")
class SetKeepInSyncPayload:
    tags: list[Tag] = strawberry.field(
        description="The tags whose links were changed, in the order they were named.",
        metadata=as_the_input(most=use_cases.MAX_LINKED_TAGS),
    )


@strawberry.type
class LinkedTagMutations:
    @strawberry.mutation(
        description=(
            "Keeps tags of one channel in sync with the Official Account's from now on, or no longer; all of them or "
            "none. For creators and admins (SYNC). Answers BAD_USER_INPUT for no tags, for tags that were never "
            "synced and where WeChat cannot be called, LIMIT_EXCEEDED, TAG_NOT_USABLE for LAPSED tags, UPSTREAM where "
            "this installation makes no calls, CHANNEL_NOT_BOUND or NOT_FOUND."
        ),
        metadata=given_by("tagIds", most=use_cases.MAX_LINKED_TAGS),
        extensions=[needs(Permission.SYNC)],
    )
    async def set_keep_in_sync(
        self,
        info: Info,
        tag_ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description="Ids of 1 to 100 tags of one channel; LIMIT_EXCEEDED beyond."),
        ],
        keep_in_sync: Annotated[
            bool,
            strawberry.argument(
                description="True to sync whenever members change; false to leave WeChat's tags as they are."
            ),
        ],
    ) -> SetKeepInSyncPayload | None:
        changed = await use_cases.set_keep_in_sync(
            info.context.runtime,
            info.context.actor,
            [parse_tag_gid(each) for each in tag_ids],
            keep_in_sync=keep_in_sync,
        )
        return _payload(info, changed)

    @strawberry.mutation(
        description=(
            "Ends the link of a tag to the Official Account's, of deleted and lapsed tags too; WeChat's tag stays "
            "unless `deleteRemote`. For creators and admins (SYNC). Answers BAD_USER_INPUT for a tag that is not "
            "linked, CONFLICT while it is being synced, UPSTREAM where WeChat does not delete its tag, which then is "
            "still linked, CHANNEL_NOT_BOUND or NOT_FOUND."
        ),
        metadata=given_by("tagId", most=1),
        extensions=[needs(Permission.SYNC)],
    )
    async def unlink_official_account_tag(
        self,
        info: Info,
        tag_id: TagId,
        delete_remote: Annotated[
            bool, strawberry.argument(description="Whether WeChat's tag is deleted too, from everybody who has it.")
        ] = False,
    ) -> SetKeepInSyncPayload | None:
        unlinked = await use_cases.unlink_tag(
            info.context.runtime, info.context.actor, *parse_tag_gid(tag_id), delete_remote=delete_remote
        )
        return _payload(info, unlinked)


def _payload(info: Info, changed: use_cases.ChangedLinks) -> SetKeepInSyncPayload:
    catalogue = info.context.named(changed.catalogue)
    return SetKeepInSyncPayload(tags=[tag_to_graphql(catalogue.tags[tag.tag_id], catalogue) for tag in changed.tags])
