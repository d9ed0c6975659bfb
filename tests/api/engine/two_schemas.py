"""Open one set of resources behind two schemas: one with fast path and plans, one without either."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import strawberry
from redis.asyncio import Redis
from strawberry.types import ExecutionResult

from service.api import schema as schemas
from service.api.context import Context
from service.api.types.presenters import Presenters
from service.domain.events.recorder import record_events
from service.entities.ids import channel_gid
from service.entities.principal import Principal, Role
from service.entities.users import EventKind, UserEvent
from service.foundation.settings import Settings
from service.resources import Resources
from tests.support.clock import START, FrozenClock
from tests.support.runtime import FAR_FUTURE, bind, open_runtime


@dataclass
class SchemaPair:
    """Keep the two schemas and their resources."""

    resources: Resources
    fast: schemas.FastPathSchema
    plain: strawberry.Schema
    variables: dict[str, Any]

    def context(self, role: Role | None = Role.ADMIN) -> Context:
        """Return a context of a principal with a role, or of nobody."""
        principal = None if role is None else Principal("tests", "robot-1", role, FAR_FUTURE)
        return Context(self.resources, Presenters(), "the request", principal)

    async def execute_both(self, text: str, role: Role | None = Role.ADMIN, **given: Any) -> tuple[Any, Any]:
        """Return (data, errors) by the fast path and by Strawberry alone."""
        variables = given.pop("variables", self.variables)
        fast = self.fast.execute(text, variables, self.context(role), **given)
        plain = strawberry.Schema.execute(self.plain, text, variables, self.context(role), **given)
        return _comparable(await fast), _comparable(await plain)


def _comparable(result: ExecutionResult) -> Any:
    return result.data, [error.formatted for error in result.errors or ()]


@asynccontextmanager
async def open_schema_pair(
    database_url: str, redis_url: str, settings: Settings | None = None
) -> AsyncIterator[SchemaPair]:
    """Open the schemas over a channel whose user `ann` has followed, unfollowed and followed again.

    One principal asks all that a test asks, so processor time is not rationed.
    """
    settings = settings or Settings()
    settings = replace(settings, client_limits=replace(settings.client_limits, cpu_share=1_000.0))
    opened = open_runtime(database_url, FrozenClock(), settings=settings)
    async with opened as runtime, Redis.from_url(redis_url) as valkey:
        channel = await bind(runtime)
        for number, kind in enumerate((EventKind.FOLLOW, EventKind.MESSAGE, EventKind.UNFOLLOW, EventKind.FOLLOW)):
            await record_events(runtime, channel, [UserEvent("ann", kind, START.replace(second=number))])
        fast = schemas.make_schema(settings)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(schemas, "optimise_resolvers", lambda _schema: None)
            plain = schemas.make_schema(settings)
        yield SchemaPair(Resources(runtime, valkey), fast, plain, {"c": channel_gid(channel.channel_id)})
