"""Give resolvers the principal, the resources of the process, and fresh loaders."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import strawberry

from service.api.loaders import Loaders
from service.domain.default_tags.languages import Language, in_language
from service.domain.runtime import Runtime
from service.entities.errors import UnauthenticatedError
from service.entities.principal import Principal, RequestOrigin
from service.entities.tags import Catalogue
from service.foundation.client_addresses import ip_address_or_none
from service.foundation.deadlines import Departure
from service.resources import Resources

if TYPE_CHECKING:
    from service.api.types.presenters import Presenters

T = TypeVar("T")


@dataclass(slots=True)
class Context:
    """Keep what belongs to one HTTP request, one WebSocket connection, or one operation on a connection."""

    resources: Resources
    presenters: "Presenters"
    request_id: str
    principal_or_none: Principal | None = None
    authentication_error: UnauthenticatedError | None = None
    # The cursor of the last event that a client of server-sent events has received.
    resume_after: str | None = None
    connection_params: dict[str, object] = field(default_factory=dict)
    # What the server says of where the request comes from; it is read only for acts that are recorded.
    peer: str | None = None
    # How to hear that the client of an HTTP request does not wait any more.
    departure: Departure | None = None
    # Of the names of default tags.
    language: Language = Language.ENGLISH
    _loaders: Loaders | None = None

    @property
    def runtime(self) -> Runtime:
        """Return what the domain runs on."""
        return self.resources.runtime

    @property
    def principal(self) -> Principal:
        """Return the principal; raises UnauthenticatedError, saying what is wrong with the token if there is one."""
        if self.principal_or_none is None:
            raise self.authentication_error or UnauthenticatedError
        return self.principal_or_none

    @property
    def actor(self) -> Principal:
        """Return the principal with the request that it comes with, as the audit log names both; raises likewise."""
        return replace(self.principal, origin=RequestOrigin(self.request_id, ip_address_or_none(self.peer)))

    def count_operation(self) -> None:
        """Count an operation of the principal; raises RateLimitedError if there are too many."""
        if self.principal_or_none is not None:
            self.resources.rate_limiter.acquire(self.principal_or_none)

    def charge(self, values: int) -> None:
        """Count an operation that may return many values as several operations of the principal."""
        more = values // self.runtime.settings.client_limits.values_per_operation
        if more and self.principal_or_none is not None:
            self.resources.rate_limiter.charge(self.principal_or_none, more)

    async def spend_cpu(self, work: Callable[[], Awaitable[tuple[T, float]]]) -> T:
        """Return the result of some work at the expense of the principal; see CpuBudget.spend.

        Raises RateLimitedError while the principal has overdrawn its budget of processor time.
        """
        if self.principal_or_none is None:
            return (await work())[0]
        return await self.resources.cpu_budget.spend(self.principal_or_none, work)

    @property
    def loaders(self) -> Loaders:
        """Return the loaders of this operation, made when they are first used."""
        if self._loaders is None:
            self._loaders = Loaders(self.runtime, self.resources.user_reader, self.resources.channels, self.language)
        return self._loaders

    def named(self, catalogue: Catalogue) -> Catalogue:
        """Return a catalogue with its default tags named in the language of who asks."""
        return in_language(catalogue, self.language)

    def reset_loaders(self) -> None:
        """Forget what was loaded: a subscription lives long, and each event must see the present."""
        self._loaders = None


Info: TypeAlias = strawberry.Info[Context, None]
