"""The return address of a robot, and its key."""

from datetime import datetime

import strawberry

from service.api.context import Info
from service.api.guards.permissions import null_unless
from service.api.types.primitives import Node
from service.domain.return_data import endpoint as use_cases
from service.entities.enums import Permission
from service.entities.errors import NotFoundError
from service.entities.ids import gid
from service.entities.return_data import ReturnEndpoint as EndpointEntity


@strawberry.type(
    description="Where integrators hand data back with the WeChat platform's own call. `address` (with the token in "
    "its path) is for everybody with a role; `key` is null for agents and integrators."
)
class ReturnEndpoint(Node):
    entity: strawberry.Private[EndpointEntity]
    app_id: str = strawberry.field(description="The robot's own APPID, at the end of each envelope.")
    obtained_at: datetime = strawberry.field(description="When it was first obtained.")
    key_reset_at: datetime | None = strawberry.field(description="When the key was last changed.")
    last_call_at: datetime | None = strawberry.field(description="Last call that decrypted, to the minute.")

    @classmethod
    def of(cls, entity: EndpointEntity) -> "ReturnEndpoint":
        return cls(
            id=strawberry.ID(gid("ReturnEndpoint", entity.endpoint_id)),
            entity=entity,
            app_id=entity.app_id,
            obtained_at=entity.obtained_at,
            key_reset_at=entity.key_reset_at,
            last_call_at=entity.last_call_at,
        )

    @strawberry.field(description="The whole URL to POST to.")
    def address(self, info: Info) -> str:
        return use_cases.return_address(info.context.runtime, self.entity)

    @strawberry.field(description="The TOKEN, as it is in the address.")
    def token(self, info: Info) -> str:
        return use_cases.decrypt_token(info.context.runtime, self.entity)

    @strawberry.field(
        description="The EncodingAESKey, 43 characters. Creators and admins only, null for others.",
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
