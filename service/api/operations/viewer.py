"""Resolve `viewer`: tell who is asking."""

from datetime import datetime

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import at_most
from service.api.guards.permissions import needs
from service.entities.ids import gid
from service.entities.principal import Permission, Role


@strawberry.type(description="Who is asking, as the token says.")
class Viewer:
    id: strawberry.ID = strawberry.field(description="Opaque id of the subject at this robot.")
    subject: str = strawberry.field(description="Who is asking: `sub` of the token.")
    role: Role = strawberry.field(description="Role of who is asking: `role` of the token.")
    robot_id: strawberry.ID = strawberry.field(description="Robot for which the token is good: `robot` of the token.")
    permissions: list[Permission] = strawberry.field(
        description=(
            "Everything that the token may do today: what its role allows, without what is not built yet and, if the "
            "token is narrowed to some channels, without what concerns the whole robot."
        ),
        metadata=at_most(len(Permission)),
    )
    token_expires_at: datetime = strawberry.field(
        description="When the token expires; open subscriptions end then, and a WebSocket is closed with 4403."
    )

    @strawberry.field(
        description=(
            "Whether the gate is open: a verified Official Account of the robot is bound, so that tags can be used."
        )
    )
    async def ready(self, info: Info) -> bool:
        every = await info.context.loaders.visible_channels.load(info.context.principal)
        states = await info.context.loaders.state_of_channel.load_many([channel.channel_id for channel in every])
        return any(state.open for state in states)


@strawberry.type
class ViewerQueries:
    @strawberry.field(
        description="Tells who is asking. For every valid token. Answers no code of its own.",
        extensions=[needs(None)],
    )
    def viewer(self, info: Info) -> Viewer:
        principal = info.context.principal
        return Viewer(
            id=strawberry.ID(f"{gid('Viewer', 0)}.{principal.robot_id}.{principal.subject}"),
            subject=principal.subject,
            role=principal.role,
            robot_id=strawberry.ID(principal.robot_id),
            permissions=[permission for permission in Permission if principal.may(permission)],
            token_expires_at=principal.expires_at,
        )
