"""Tell who is asking."""

from datetime import datetime

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.entities.enums import Permission, Role
from service.entities.ids import gid
from service.entities.principal import permissions_of


@strawberry.type(description="Who is asking, as the token says.")
class Viewer:
    id: strawberry.ID = strawberry.field(description="Of the subject at this robot.")
    subject: str = strawberry.field(description="`sub` of the token.")
    role: Role = strawberry.field(description="`role` of the token.")
    robot_id: strawberry.ID = strawberry.field(description="`robot` of the token.")
    permissions: list[Permission] = strawberry.field(description="What the role may do.")
    token_expires_at: datetime = strawberry.field(description="Open subscriptions end then, with 4403.")

    @strawberry.field(description="The gate is open: a verified Official Account is bound.")
    async def ready(self, info: Info) -> bool:
        every = await info.context.loaders.visible_channels.load(info.context.principal)
        states = await info.context.loaders.state_of_channel.load_many([channel.channel_id for channel in every])
        return any(state.open for state in states)


@strawberry.type
class ViewerQueries:
    @strawberry.field(description="Who is asking.", extensions=[needs(None)])
    def viewer(self, info: Info) -> Viewer:
        principal = info.context.principal
        may = permissions_of(principal.role)
        return Viewer(
            id=strawberry.ID(f"{gid('Viewer', 0)}.{principal.robot_id}.{principal.subject}"),
            subject=principal.subject,
            role=principal.role,
            robot_id=strawberry.ID(principal.robot_id),
            permissions=[permission for permission in Permission if permission in may],
            token_expires_at=principal.expires_at,
        )
