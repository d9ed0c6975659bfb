"""Show the return endpoint of a robot: the address, and to creators and admins the key."""

from datetime import datetime

import strawberry

from service.api.context import Info
from service.api.guards.permissions import null_unless
from service.api.types.primitives import Node
from service.domain.return_data import endpoint as use_cases
from service.entities.errors import NotFoundError
from service.entities.ids import gid
from service.entities.principal import Permission
from service.entities.return_data import ReturnEndpoint as EndpointEntity


@strawberry.type(
    description=(
        "Where integrators hand back data with the WeChat platform's own call (`batchset`). For "
        "every role (VIEW_RETURN_ADDRESS); the key is for creators and admins."
    )
)
class ReturnEndpoint(Node):
    """Show a return endpoint; token and key are decrypted when they are selected."""

    entity: strawberry.Private[EndpointEntity]
    app_id: str = strawberry.field(
        description="APPID of the robot, which stands at the end of each encrypted envelope."
    )
    obtained_at: datetime = strawberry.field(description="When the return endpoint was first obtained.")
    key_reset_at: datetime | None = strawberry.field(description="When the key was last reset; null if it never was.")
    last_call_at: datetime | None = strawberry.field(
        description="When a call last came that could be decrypted, to the minute; null before the first."
    )

    @classmethod
    def of(cls, entity: EndpointEntity) -> "ReturnEndpoint":
        """Return the object of the robot's endpoint."""
        return cls(
            id=strawberry.ID(gid("ReturnEndpoint", entity.endpoint_id)),
            entity=entity,
            app_id=entity.app_id,
            obtained_at=entity.obtained_at,
            key_reset_at=entity.key_reset_at,
            last_call_at=entity.last_call_at,
        )

    @strawberry.field(description="URL to which integrators POST, with the token in its path.")
    def address(self, info: Info) -> str:
        return use_cases.return_address(info.context.runtime, self.entity)

    @strawberry.field(description="TOKEN of the robot, by which calls are signed; it is also in the path of `address`.")
    def token(self, info: Info) -> str:
        return use_cases.decrypt_token(info.context.runtime, self.entity)

    @strawberry.field(
        description=(
            "EncodingAESKey of the robot, 43 characters, by which calls are encrypted. For creators and "
            "admins (MANAGE_RETURN_KEY), null for others."
        ),
        extensions=[null_unless(Permission.MANAGE_RETURN_KEY)],
    )
    def key(self, info: Info) -> str | None:
        return use_cases.decrypt_key(info.context.runtime, self.entity)


async def endpoint_node(info: Info, numbers: tuple[int, ...]) -> ReturnEndpoint:
    """Return the robot's endpoint by the numbers of its id. Raises NotFoundError."""
    endpoint = await use_cases.find_endpoint(info.context.runtime, info.context.principal)
    if endpoint is None or numbers != (endpoint.endpoint_id,):
        raise NotFoundError("return endpoint")
    return ReturnEndpoint.of(endpoint)
