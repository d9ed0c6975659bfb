"""Show syncs to the Official Account: their plans, their progress, and whom they could not tag."""

from datetime import datetime
from typing import Any, Final, TypeAlias

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most
from service.api.types.connection import CountedConnection, Edge, counted_page, encode_page_cursor, start_of_page
from service.api.types.job import Job, job_fields
from service.api.types.primitives import After, First, Node
from service.api.types.tag import Tag
from service.api.types.user import User
from service.domain.official_account.sync.naming import MAX_REMOTE_TAGS
from service.domain.official_account.sync.reports import failures_page, reason_of
from service.entities.jobs import Job as JobEntity
from service.entities.jobs import JobState
from service.entities.syncs import SyncFailure, TagSync, TagSyncAction

MAX_WARNINGS: Final = 400


@strawberry.type(description="A person who could not be given a tag at WeChat, or not be freed of it.")
class PersonFailure:
    """Show who failed and why."""

    failure: strawberry.Private[SyncFailure]
    channel_id: strawberry.Private[int]
    errcode: int | None = strawberry.field(description="WeChat's code; null where it was not asked.")
    reason: str = strawberry.field(description="Why the person could not be tagged, for people.")

    @strawberry.field(description="The person; null once forgotten.")
    async def user(self, info: Info) -> User | None:
        found = await info.context.loaders.user_by_ordinal.load((self.channel_id, self.failure.ordinal))
        return None if found is None else User.of(found)


PersonFailureConnection: TypeAlias = CountedConnection[PersonFailure]


@strawberry.type(description="What a sync does about one tag, and how far it is.")
class TagSyncResult:
    """Show one tag of a sync."""

    entity: strawberry.Private[TagSync]
    remote_tag_id: int | None = strawberry.field(
        description="WeChat's id of the remote tag; null until it is made, and where there is none."
    )
    remote_name: str = strawberry.field(description="Name that the remote tag has, or is to have.")
    action: TagSyncAction = strawberry.field(
        description="What is done about the tag; NOTHING also before that is known."
    )
    to_add: int = strawberry.field(description="How many people are to get the remote tag.")
    to_remove: int = strawberry.field(description="How many people are to lose the remote tag.")
    unchanged: int = strawberry.field(description="How many people have both tags already.")
    at_tag_limit: int = strawberry.field(
        description="How many people have no room for the tag, as they have 20 at WeChat; they are in `failures`."
    )
    drift: int = strawberry.field(description="How many people were given the tag or freed of it by others since.")
    added: int = strawberry.field(description="How many people got the remote tag so far.")
    removed: int = strawberry.field(description="How many people lost the remote tag so far.")
    failed: int = strawberry.field(description="How many people could not be tagged so far.")
    error: str | None = strawberry.field(
        description="Why nothing more is done about the tag, for people; null if it is."
    )
    errcode: int | None = strawberry.field(description="WeChat's code for that; null where it was not asked.")

    @classmethod
    def of(cls, entity: TagSync) -> "TagSyncResult":
        """Return the object of one tag of a sync."""
        return cls(
            entity=entity,
            remote_tag_id=entity.remote_tag_id,
            remote_name=entity.remote_name,
            action=entity.action,
            to_add=entity.to_add,
            to_remove=entity.to_remove,
            unchanged=entity.unchanged,
            at_tag_limit=entity.at_tag_limit,
            drift=entity.drift,
            added=entity.added,
            removed=entity.removed,
            failed=entity.failed,
            error=entity.error,
            errcode=entity.errcode,
        )

    @strawberry.field(description="The tag, as it is now; deleted ones too.")
    async def tag(self, info: Info) -> Tag:
        catalogue = await info.context.loaders.catalogue_of_channel.load(self.entity.channel_id)
        return info.context.presenters.tag(catalogue.tags[self.entity.tag_id], catalogue)

    @strawberry.field(
        description="People who could not be tagged or have no room for the tag, in the order they became known."
    )
    async def failures(self, info: Info, first: First = 50, after: After = None) -> PersonFailureConnection:
        start = start_of_page("failure", first, after)
        found = await failures_page(info.context.runtime, self.entity, first=first, after=start)
        edges = [
            Edge(
                cursor=encode_page_cursor("failure", each.ordinal),
                node=PersonFailure(
                    failure=each,
                    channel_id=self.entity.channel_id,
                    errcode=each.errcode,
                    reason=reason_of(each),
                ),
            )
            for each in found.page.items
        ]
        return counted_page(edges, after=after, has_next=found.page.has_more, total=found.total)


@strawberry.type(
    description=(
        "A job that makes tags of ours and of the Official Account the same, or plans to; its units are people. For "
        "creators and admins (SYNC)."
    )
)
class OfficialAccountSync(Job, Node):
    """Show a sync or a dry run."""

    is_open: strawberry.Private[bool]
    dry_run: bool = strawberry.field(description="Whether nothing is changed at WeChat.")
    plan_hash: str | None = strawberry.field(
        description="Hash of the plan, for `applySync`; null unless this is a dry run that is DONE."
    )
    plan_expires_at: datetime | None = strawberry.field(
        description="Until when the plan can be carried out, an hour by default; null unless there is one."
    )
    warnings: list[str] = strawberry.field(
        description="What people should know about the plan; empty until there is one.",
        metadata=at_most(MAX_WARNINGS, usual=5),
    )
    calls_needed: int | None = strawberry.field(
        description="How many calls to WeChat the plan takes, if nobody fails; null until there is one."
    )
    seconds_needed: int | None = strawberry.field(
        description="How long that takes, by how fast WeChat answered; null until there is a plan."
    )
    quota_left: int | None = strawberry.field(
        description="How many calls that tag were left of the day; null if that was not known when this was planned."
    )

    @classmethod
    def of(cls, info: Info, entity: JobEntity, *, is_open: bool) -> "OfficialAccountSync":
        """Return the object of a sync, `is_open` telling of the gate."""
        del info
        payload = entity.payload
        has_plan = payload["dry_run"] and entity.state is JobState.DONE
        planned: dict[str, Any] = dict(payload) if is_open else {}
        return cls(
            **job_fields(entity, is_open=is_open),
            is_open=is_open,
            dry_run=payload["dry_run"],
            plan_hash=payload["hash"] if has_plan else None,
            plan_expires_at=entity.expires_at if has_plan else None,
            warnings=planned.get("warnings", [])[:MAX_WARNINGS],
            calls_needed=planned.get("calls"),
            seconds_needed=planned.get("seconds"),
            quota_left=planned.get("quota_left"),
        )

    @strawberry.field(
        description="What is done about each tag, in the order of `tagIds`; none while the gate is closed.",
        metadata=at_most(MAX_REMOTE_TAGS, usual=10),
    )
    async def tags(self, info: Info) -> list[TagSyncResult]:
        if not self.is_open:
            return []
        key = (self.entity.channel_id, self.entity.job_id)
        return [TagSyncResult.of(each) for each in await info.context.loaders.tags_of_sync.load(key)]
