"""What resolvers see: who asks, the process's parts, and fresh loaders."""

from dataclasses import dataclass, field
from typing import TypeAlias

import strawberry

from service.api.loaders import Loaders
from service.api.rates import Rates
from service.domain.events import EventRecorder
from service.domain.feed.hub import Hub
from service.domain.readings import Readings
from service.domain.runtime import Runtime
from service.entities.errors import UnauthenticatedError
from service.entities.principal import Principal


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of the web process that resolvers call."""

    runtime: Runtime
    recorder: EventRecorder
    hub: Hub
    rates: Rates
    readings: Readings


@dataclass(slots=True)
class Context:
    """One for each HTTP request, and one for each WebSocket connection."""

    services: Services
    request_id: str
    holder: Principal | None = None
    refusal: UnauthenticatedError | None = None
    # The cursor of the last event that a client of server-sent events has seen.
    resume_after: str | None = None
    connection_params: dict[str, object] = field(default_factory=dict)
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    @property
    def runtime(self) -> Runtime:
        return self.services.runtime

    @property
    def principal(self) -> Principal:
        """Raises UnauthenticatedError, saying what is wrong with the token if there is one."""
        if self.holder is None:
            raise self.refusal or UnauthenticatedError
        return self.holder

    def count_operation(self) -> None:
        """Raises RateLimitedError when the holder of the token has asked too often."""
        if self.holder is not None:
            self.services.rates.take(self.holder)

    def begin(self) -> None:
        """Forgets what was loaded: a connection lives long, and each operation and event must see the present."""
        self.loaders = Loaders(self.runtime, self.services.readings)


Info: TypeAlias = strawberry.Info[Context, None]
