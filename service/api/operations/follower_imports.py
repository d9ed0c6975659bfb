"""Resolve `importFollowers`."""

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.types.job import FollowerImport
from service.api.types.primitives import ChannelId
from service.domain.followers.starting import import_followers
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission


@strawberry.type(description="The answer to `importFollowers`.")
class ImportFollowersPayload:
    job: FollowerImport = strawberry.field(
        description="The job that imports the followers; `jobProgress` tells how far it is."
    )
    already_running: bool = strawberry.field(description="Whether one was running before; `job` is that one then.")


@strawberry.type
class FollowerImportMutations:
    @strawberry.mutation(
        description=(
            "Starts to read all followers of an Official Account from WeChat, unless that is being done. For creators "
            "and admins (MANAGE_CHANNELS). Answers NOT_FOUND, BAD_USER_INPUT for a Mini Program and for a channel "
            "without an app secret, CHANNEL_NOT_BOUND, or UPSTREAM where this installation makes no calls."
        ),
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def import_followers(self, info: Info, channel_id: ChannelId) -> ImportFollowersPayload | None:
        context = info.context
        started = await import_followers(context.runtime, context.actor, parse_channel_gid(channel_id))
        job = FollowerImport.of(info, started.job, is_open=True)
        return ImportFollowersPayload(job=job, already_running=started.already_running)
