"""Resolve `mergeTagPreview` and `mergeTag`."""

from typing import Annotated, TypeAlias

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most
from service.api.guards.permissions import needs
from service.api.types.broadcast import Broadcast
from service.api.types.combo_tag import ComboTag
from service.api.types.presenters import combo_to_graphql, tag_to_graphql
from service.api.types.tag import Tag
from service.api.types.tag_merge import TagMerge
from service.domain.jobs.starting import MAX_UNFINISHED_BROADCASTS
from service.domain.merging.planning import merge_preview
from service.domain.merging.starting import start_merge
from service.domain.tags.catalogue import MAX_TAGS_PER_CHANNEL
from service.entities.ids import parse_tag_gid
from service.entities.principal import Permission

FromId: TypeAlias = Annotated[
    strawberry.ID, strawberry.argument(name="from", description="Id of the tag that is merged, and is gone after it.")
]
IntoId: TypeAlias = Annotated[
    strawberry.ID, strawberry.argument(description="Id of the tag that it is merged into: of its kind and channel.")
]


@strawberry.type(description="The consequences that merging a tag into another would have.")
class MergeTagPreview:
    from_tag: Tag = strawberry.field(
        name="from",
        description=(
            "The tag that would be merged. Its remote tag, if it has one (`officialAccount`), stays at WeChat as it "
            "is, and is no longer kept in sync."
        ),
    )
    into: Tag = strawberry.field(description="The tag that it would be merged into.")
    gains: int = strawberry.field(description="How many people would get `into`.")
    already_there: int = strawberry.field(description="How many people have both.")
    combos: list[ComboTag] = strawberry.field(
        description="Combos that name `from`, and would name `into` in its place.",
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=20),
    )
    meaning_changes: list[ComboTag] = strawberry.field(
        description=(
            "Combos made of `from` that would hold `into` twice, and are simplified where one of the two is enough, or "
            "that would always be empty, also by way of other combos."
        ),
        metadata=at_most(MAX_TAGS_PER_CHANNEL, usual=5),
    )
    broadcasts: list[Broadcast] = strawberry.field(
        description=(
            "Broadcasts that have not started, and series that have further runs, whose audience names `from`, and "
            "would name `into` in its place."
        ),
        metadata=at_most(MAX_UNFINISHED_BROADCASTS, usual=5),
    )
    hash: str = strawberry.field(description="Stands for all that the preview says; give it to `mergeTag`.")


@strawberry.type(description="The answer to `mergeTag`.")
class MergeTagPayload:
    job: TagMerge = strawberry.field(description="The job that merges the tags.")


@strawberry.type
class MergeTagQueries:
    @strawberry.field(
        description=(
            "Tells what merging a tag into another would do, and changes nothing. For creators and admins "
            "(MANAGE_TAGS). Answers BAD_USER_INPUT unless both are return tags, or both ad tags, of one channel, "
            "TAG_PROTECTED for default tags, TAG_NOT_USABLE where `into` is PENDING and `from` is not, LIMIT_EXCEEDED "
            "for more than 1,000 ads together, CONFLICT while one of them is being merged, CHANNEL_NOT_BOUND or "
            "NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def merge_tag_preview(self, info: Info, from_id: FromId, into: IntoId) -> MergeTagPreview | None:
        plan = await merge_preview(
            info.context.runtime, info.context.principal, parse_tag_gid(from_id), parse_tag_gid(into)
        )
        catalogue = info.context.named(plan.graph.catalogue)
        channel_id = catalogue.channel_id
        return MergeTagPreview(
            from_tag=tag_to_graphql(plan.from_tag, catalogue),
            into=tag_to_graphql(plan.into_tag, catalogue),
            gains=plan.gains,
            already_there=plan.already_there,
            combos=[combo_to_graphql(catalogue.tags[each], catalogue) for each in plan.combos],
            meaning_changes=[combo_to_graphql(catalogue.tags[each], catalogue) for each in plan.meaning_changes],
            broadcasts=await Broadcast.load_many(info, [(channel_id, each) for each in plan.audiences]),
            hash=plan.hash,
        )


@strawberry.type
class MergeTagMutations:
    @strawberry.mutation(
        description=(
            "Merges a tag into another of its kind and channel, by a job: everybody of `from` gets `into`, batches, "
            "keys or ads move, combos, broadcasts and webhooks that name `from` name `into`, and `from` is deleted, "
            "with `mergedInto`. People get `into` while the job runs; all else is one change at its end. For creators "
            "and admins (MANAGE_TAGS). Answers CONFLICT where anything is other than the preview said or one of the "
            "tags is being merged, BAD_USER_INPUT, TAG_PROTECTED, TAG_NOT_USABLE, LIMIT_EXCEEDED, CHANNEL_NOT_BOUND or "
            "NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_TAGS)],
    )
    async def merge_tag(
        self,
        info: Info,
        from_id: FromId,
        into: IntoId,
        preview_hash: Annotated[str, strawberry.argument(description="`hash` of the preview that was looked at.")],
    ) -> MergeTagPayload | None:
        job = await start_merge(
            info.context.runtime, info.context.actor, parse_tag_gid(from_id), parse_tag_gid(into), preview_hash
        )
        return MergeTagPayload(job=TagMerge.of(info, job, is_open=True))
