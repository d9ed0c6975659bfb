"""Find webhook endpoints, with how far each has been told (docs/specification.md §6.4)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from service.domain.channels.lookup import require_permission
from service.domain.runtime import Runtime
from service.entities.errors import NotFoundError
from service.entities.principal import Permission, Principal
from service.entities.webhooks import (
    FAILING_AFTER,
    WebhookEndpoint,
    WebhookPosition,
    WebhookState,
    WebhookSwitch,
)
from service.storage import channels, webhooks
from service.storage.database.pool import Connection

ENDPOINT: Final = "webhook endpoint"


@dataclass(frozen=True, slots=True)
class ToldEndpoint:
    """Hold an endpoint with its positions, one for each channel that it follows, as of an instant."""

    endpoint: WebhookEndpoint
    positions: tuple[WebhookPosition, ...]
    now: datetime

    @property
    def state(self) -> WebhookState:
        """Return its state: as it was set, or else that of the channel where it fares worst."""
        if self.endpoint.switch is not WebhookSwitch.ON:
            return WebhookState(self.endpoint.switch.value)
        since = min((each.failing_since for each in self.positions if each.failing_since is not None), default=None)
        if since is None:
            return WebhookState.ACTIVE
        return WebhookState.FAILING if self.now - since >= FAILING_AFTER else WebhookState.RETRYING

    @property
    def reason(self) -> str | None:
        """Return why it is in its state, for people: of several channels that fail, of the one that did first."""
        if self.endpoint.switch is not WebhookSwitch.ON:
            return self.endpoint.reason
        failing = [(each.failing_since, each.reason) for each in self.positions if each.failing_since is not None]
        return min(failing, key=lambda each: each[0])[1] if failing else None

    @property
    def last_success_at(self) -> datetime | None:
        """Return when it last acknowledged a delivery; None before the first."""
        return max((each.last_success_at for each in self.positions if each.last_success_at is not None), default=None)

    @property
    def lag(self) -> timedelta:
        """Return how long the event has waited that has waited longest, of any channel."""
        return max((lag_of(each, self.now) for each in self.positions), default=timedelta())


def lag_of(position: WebhookPosition, now: datetime) -> timedelta:
    """Return how long the oldest event has waited that comes after a position; nothing where none does."""
    return timedelta() if position.waiting_since is None else max(timedelta(), now - position.waiting_since)


async def endpoints_of(runtime: Runtime, principal: Principal) -> list[ToldEndpoint]:
    """Return the endpoints of the robot, oldest first; of a narrowed token those of its own channels only.

    Raises ForbiddenError.
    """
    require_permission(principal, Permission.MANAGE_WEBHOOKS)
    async with runtime.pool.acquire() as conn:
        every = await webhooks.endpoints_of_robot(conn, principal.robot_id)
        return await with_positions(conn, [each for each in every if _is_visible(principal, each)], runtime.clock())


async def find_told_endpoint(runtime: Runtime, principal: Principal, endpoint_id: int) -> ToldEndpoint:
    """Return an endpoint with its positions. Raises ForbiddenError, NotFoundError."""
    async with runtime.pool.acquire() as conn:
        endpoint = await find_endpoint(conn, principal, endpoint_id)
        [told] = await with_positions(conn, [endpoint], runtime.clock())
    return told


async def find_endpoint(
    conn: Connection, principal: Principal, endpoint_id: int, *, sought: str = ENDPOINT
) -> WebhookEndpoint:
    """Return an endpoint that the principal may manage.

    A narrowed token manages those of which every channel is its own. Raises ForbiddenError, NotFoundError.
    """
    require_permission(principal, Permission.MANAGE_WEBHOOKS)
    found = await webhooks.endpoint_of_robot(conn, principal.robot_id, endpoint_id)
    if found is None or not _is_visible(principal, found):
        raise NotFoundError(sought)
    return found


async def lock_endpoint(conn: Connection, principal: Principal, endpoint_id: int, now: datetime) -> WebhookEndpoint:
    """Return an endpoint with its robot locked, so that changes of it come one after the other.

    Raises ForbiddenError, NotFoundError.
    """
    await find_endpoint(conn, principal, endpoint_id)
    await channels.lock_robot(conn, principal.robot_id, now)
    return await find_endpoint(conn, principal, endpoint_id)


async def with_positions(conn: Connection, endpoints: Sequence[WebhookEndpoint], now: datetime) -> list[ToldEndpoint]:
    """Return endpoints of one robot with their positions, by the order of the channels."""
    positions: dict[int, list[WebhookPosition]] = defaultdict(list)
    for channel_id, followers in (await _followers_of_channels(conn, endpoints)).items():
        for position in await webhooks.positions_of_channel(conn, channel_id, followers):
            positions[position.endpoint_id].append(position)
    return [ToldEndpoint(each, tuple(positions[each.endpoint_id]), now) for each in endpoints]


async def followed_channels(conn: Connection, endpoint: WebhookEndpoint) -> tuple[int, ...]:
    """Return the channels that an endpoint is told of, in ascending order."""
    return tuple(await _followers_of_channels(conn, [endpoint]))


async def _followers_of_channels(conn: Connection, endpoints: Iterable[WebhookEndpoint]) -> dict[int, list[int]]:
    """Return the endpoints that follow each channel, by their ids, the channels in ascending order."""
    every: list[int] | None = None
    followers: dict[int, list[int]] = defaultdict(list)
    for endpoint in endpoints:
        followed: Iterable[int]
        if endpoint.channel_ids is not None:
            followed = endpoint.channel_ids
        elif every is None:
            every = [each.channel_id for each in await channels.channels_of_robot(conn, endpoint.robot_id)]
            followed = every
        else:
            followed = every
        for channel_id in followed:
            followers[channel_id].append(endpoint.endpoint_id)
    return dict(sorted(followers.items()))


def _is_visible(principal: Principal, endpoint: WebhookEndpoint) -> bool:
    if not principal.narrowed:
        return True
    return endpoint.channel_ids is not None and all(map(principal.is_for_channel, endpoint.channel_ids))
