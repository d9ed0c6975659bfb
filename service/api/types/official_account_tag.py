"""Show what a tag is linked to at the Official Account."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, cast

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import long_text
from service.domain.official_account.linked_tags import halted_because
from service.entities.jobs import JobKind
from service.entities.remote_tags import LinkedTag
from service.entities.tags import Catalogue, Tag

if TYPE_CHECKING:
    from service.api.types.official_account_sync import OfficialAccountSync

SyncType = Annotated["OfficialAccountSync", strawberry.lazy("service.api.types.official_account_sync")]


@strawberry.type(description="What a tag is linked to at the Official Account, and how far the two agree.")
class OfficialAccountTag:
    """Show the link of a tag; its last sync is read when it is selected."""

    link: strawberry.Private[LinkedTag]
    remote_tag_id: int | None = strawberry.field(
        description="WeChat's id of its tag; null until WeChat told it, and after the link was ended."
    )
    remote_name: str = strawberry.field(description="WeChat's name of its tag, which may differ from ours.")
    keep_in_sync: bool = strawberry.field(
        description=(
            "Whether the tag is synced again whenever its members change. It is suspended while the tag is not ACTIVE "
            "or the gate is closed, as `error` then says, and ends when the tag is deleted."
        )
    )
    in_sync: bool = strawberry.field(
        description=(
            "Whether, when it was last looked at, every follower with the tag was known to have WeChat's tag, and "
            "nobody who was to lose it."
        )
    )
    last_synced_at: datetime | None = strawberry.field(
        description="When a sync of the tag last succeeded; null if none did."
    )
    error: str | None = strawberry.field(
        description=(
            "Why the tag is not synced, for people: what failed last, or what it waits for; null while all is well."
        ),
        metadata=long_text(200),
    )

    @classmethod
    def of(cls, link: LinkedTag, tag: Tag, catalogue: Catalogue, *, acting: bool) -> "OfficialAccountTag":
        """Return the object of a link; `acting` tells whether calls to WeChat are made at all."""
        halted = halted_because(link, tag, is_open=catalogue.open, acting=acting)
        return cls(
            link=link,
            remote_tag_id=link.remote_tag_id,
            remote_name=link.remote_name,
            keep_in_sync=link.keep_in_sync and tag.deleted_at is None,
            in_sync=link.in_sync and halted is None,
            last_synced_at=link.last_success_at,
            error=halted or link.error,
        )

    @strawberry.field(
        description="The newest sync that concerned the tag, whoever began it; null if that is no longer kept."
    )
    async def last_sync(self, info: Info) -> SyncType | None:
        if self.link.last_job_id is None:
            return None
        job = await info.context.loaders.job.load((self.link.channel_id, self.link.last_job_id))
        if job is None or job.kind is not JobKind.OFFICIAL_ACCOUNT_SYNC:
            return None
        return cast("OfficialAccountSync", await info.context.presenters.job(info, job))
