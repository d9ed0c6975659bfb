"""Resolve `syncToOfficialAccount`, `applySync` and `officialAccountSync`."""

from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.job import JobId
from service.api.types.official_account_sync import OfficialAccountSync
from service.api.types.primitives import Input
from service.domain.jobs.lookup import find_job
from service.domain.official_account.sync import requests as use_cases
from service.domain.official_account.sync.options import SyncOptions
from service.entities.errors import NotFoundError
from service.entities.ids import JobKey, parse_channel_gid, parse_job_gid, parse_tag_gid
from service.entities.jobs import JobKind
from service.entities.principal import Permission
from service.entities.remote_tags import RemoteAdditions
from service.entities.syncs import SyncConflict


@strawberry.input(description="The name that a tag is to have at WeChat.")
class RemoteNameInput:
    tag_id: strawberry.ID = strawberry.field(description="Id of the tag, one of `tagIds`.")
    name: str = strawberry.field(description="Name at WeChat, at most 30 bytes, ten Chinese characters.")


@strawberry.input(description="What to sync to an Official Account, and how.")
class SyncInput:
    channel_id: strawberry.ID = strawberry.field(description="Id of the channel.")
    tag_ids: list[strawberry.ID] = strawberry.field(description="Ids of 1 to 100 ACTIVE tags of the channel.")
    dry_run: bool = strawberry.field(
        default=False, description="Only plan: nothing is changed at WeChat, and `applySync` carries out the plan."
    )
    keep_in_sync: bool = strawberry.field(
        default=False, description="Keep the tags in sync from then on; false leaves that as it is."
    )
    remote_names: list[RemoteNameInput] | None = strawberry.field(
        default=None, description="Names at WeChat, where a tag's own name is too long there or taken."
    )
    on_conflict: SyncConflict = strawberry.field(
        default=SyncConflict.FAIL, description="What to do with a remote tag of the same name that is not ours."
    )
    remote_additions: RemoteAdditions = strawberry.field(
        default=RemoteAdditions.KEEP, description="What to do with people who got the remote tag from somebody else."
    )
    allow_removals: bool = strawberry.field(
        default=False,
        description=(
            "Whether a tag may be taken from more than 1,000 people or a fifth of those who have it (settings); "
            "otherwise such a sync is FAILED with LIMIT_EXCEEDED, and nothing was sent."
        ),
    )


@strawberry.type(description="The answer to `syncToOfficialAccount` and `applySync`.")
class SyncToOfficialAccountPayload:
    sync: OfficialAccountSync = strawberry.field(description="The sync; `jobProgress` tells how far it is.")


@strawberry.type
class OfficialAccountSyncQueries:
    @strawberry.field(
        description="One sync or dry run by its id. For creators and admins (SYNC). Answers NOT_FOUND.",
        extensions=[needs(Permission.SYNC)],
    )
    async def official_account_sync(self, info: Info, id: JobId) -> OfficialAccountSync | None:
        context = info.context
        job = await find_job(context.runtime, context.principal, *_parse_sync_gid(id))
        state = await context.loaders.state_of_channel.load(job.channel_id)
        return OfficialAccountSync.of(info, job, is_open=state.open)


@strawberry.type
class OfficialAccountSyncMutations:
    @strawberry.mutation(
        description=(
            "Starts to make tags of the Official Account that have the same members as ours among its followers, or "
            "with `dryRun` to plan that; at most 20 syncs of a channel are unfinished at once. For creators and admins "
            "(SYNC). Answers NOT_FOUND, BAD_USER_INPUT for names that WeChat does not take, for a Mini Program and for "
            "a channel without an app secret, LIMIT_EXCEEDED for more than 100 tags, TAG_NOT_USABLE, "
            "CHANNEL_NOT_BOUND, also for an unverified subscription account, or UPSTREAM where acting is off."
        ),
        extensions=[needs(Permission.SYNC)],
    )
    async def sync_to_official_account(
        self, info: Info, input: Input[SyncInput]
    ) -> SyncToOfficialAccountPayload | None:
        options = SyncOptions(
            dry_run=input.dry_run,
            keep_in_sync=input.keep_in_sync,
            on_conflict=input.on_conflict,
            remote_additions=input.remote_additions,
            allow_removals=input.allow_removals,
        )
        job = await use_cases.start_sync(
            info.context.runtime,
            info.context.actor,
            parse_channel_gid(input.channel_id),
            [parse_tag_gid(each) for each in input.tag_ids],
            options,
            [(parse_tag_gid(each.tag_id), each.name) for each in input.remote_names or ()],
        )
        return SyncToOfficialAccountPayload(sync=OfficialAccountSync.of(info, job, is_open=True))

    @strawberry.mutation(
        description=(
            "Starts to carry out the plan of a dry run; asked again, it answers the same sync. For creators and admins "
            "(SYNC). Answers NOT_FOUND, CONFLICT for a plan that is over or has another hash, LIMIT_EXCEEDED where "
            "it removes more than is allowed without `allowRemovals`, BAD_USER_INPUT, CHANNEL_NOT_BOUND or UPSTREAM as "
            "`syncToOfficialAccount` does. Where either side moved since, the sync is FAILED with CONFLICT, and "
            "nothing was sent."
        ),
        extensions=[needs(Permission.SYNC)],
    )
    async def apply_sync(
        self,
        info: Info,
        sync_id: Annotated[strawberry.ID, strawberry.argument(description="Id of the dry run.")],
        plan_hash: Annotated[str, strawberry.argument(description="`planHash` of the dry run.")],
        allow_removals: Annotated[
            bool,
            strawberry.argument(description="Whether more people may lose a tag than is allowed otherwise."),
        ] = False,
    ) -> SyncToOfficialAccountPayload | None:
        _, channel_id, job_id = _parse_sync_gid(sync_id)
        job = await use_cases.apply_sync(
            info.context.runtime,
            info.context.actor,
            channel_id,
            job_id,
            plan_hash,
            allow_removals=allow_removals,
        )
        return SyncToOfficialAccountPayload(sync=OfficialAccountSync.of(info, job, is_open=True))


def _parse_sync_gid(text: str) -> JobKey:
    """Return the key of a sync by its global id. Raises NotFoundError for any other text."""
    key = parse_job_gid(text)
    if key.kind is not JobKind.OFFICIAL_ACCOUNT_SYNC:
        raise NotFoundError("sync")
    return key
