"""Look-ups of one operation, batched: each loader is named after what it answers."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable
from datetime import datetime
from typing import Generic, TypeVar

from strawberry.dataloader import DataLoader

from service.domain.readings import Readings
from service.domain.runtime import Runtime
from service.entities.channels import Channel, ChannelState
from service.entities.combos import Combo
from service.entities.return_data import Receipt
from service.entities.tags import Catalogue, MemberCount, TagSize
from service.entities.users import ChannelUser
from service.storage import (
    ad_tags,
    channels,
    combos,
    evaluation,
    identities,
    members,
    return_batches,
    sizes,
    users,
)
from service.storage.database import Connection

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

UserKey = tuple[int, int]
# Channel, tag, and from when on.
SizesKey = tuple[int, int, datetime]


class ReadOnce(Generic[K, V]):
    """Remembers for one operation what the process reads for all of them together."""

    def __init__(self, read: Callable[[K], Awaitable[V]]) -> None:
        self._read = read
        self._known: dict[K, V] = {}

    async def load(self, key: K) -> V:
        if key not in self._known:
            self.prime(key, await self._read(key))
        return self._known[key]

    async def load_many(self, keys: Iterable[K]) -> list[V]:
        return list(await asyncio.gather(*map(self.load, keys)))

    def prime(self, key: K, value: V) -> None:
        """What is known already stays."""
        self._known.setdefault(key, value)


class Loaders:
    """Fresh for each operation and each event."""

    def __init__(self, runtime: Runtime, readings: Readings) -> None:
        self._runtime = runtime
        self._readings = readings
        self.channel: DataLoader[tuple[str, int], Channel | None] = DataLoader(self._channels)
        self.catalogue_of_channel: ReadOnce[int, Catalogue] = ReadOnce(readings.catalogue_of)
        self.state_of_channel: ReadOnce[int, ChannelState] = ReadOnce(readings.state_of)
        self.combos_of_channel: DataLoader[int, dict[int, Combo]] = DataLoader(self._each(combos.combos_of))
        self.follower_count: DataLoader[int, int] = DataLoader(self._each(channels.follower_count))
        self.member_counts: DataLoader[int, dict[int, MemberCount]] = DataLoader(self._each(members.member_counts))
        self.sizes_of_tag: DataLoader[SizesKey, list[TagSize]] = DataLoader(self._sizes_of_tags)
        self.user_by_ordinal: DataLoader[UserKey, ChannelUser | None] = DataLoader(self._users_by_ordinal)
        self.channels_of_robot: DataLoader[str, list[Channel]] = DataLoader(self._channels_of_robots)
        self.user_by_unionid: DataLoader[tuple[int, str], ChannelUser | None] = DataLoader(self._users_by_unionid)
        self.tags_of_user: ReadOnce[UserKey, frozenset[int]] = ReadOnce(self._tags_of_user)
        self.ads_of_user: DataLoader[UserKey, list[tuple[str, datetime]]] = DataLoader(self._ads_of_users)
        self.ads_of_tag: DataLoader[tuple[int, int], list[str]] = DataLoader(self._ads_of_tags)
        self.tags_since: DataLoader[UserKey, dict[int, datetime]] = DataLoader(self._tags_since)
        self.return_tag_keys: DataLoader[int, dict[int, tuple[str, str]]] = DataLoader(
            self._each(return_batches.return_tag_keys)
        )
        self.batches_holding: DataLoader[UserKey, dict[int, list[int]]] = DataLoader(self._batches_holding)
        self.receipt: DataLoader[tuple[int, int], Receipt | None] = DataLoader(self._receipts)
        self.windows: DataLoader[None, evaluation.StoredWindows] = DataLoader(self._windows)

    def _each(self, answer: Callable[[Connection, int], Awaitable[V]]) -> Callable[[list[int]], Awaitable[list[V]]]:
        async def load(channel_ids: list[int]) -> list[V]:
            async with self._runtime.pool.acquire() as conn:
                return [await answer(conn, channel_id) for channel_id in channel_ids]

        return load

    async def _channels(self, keys: list[tuple[str, int]]) -> list[Channel | None]:
        async with self._runtime.pool.acquire() as conn:
            return [await channels.channel_of_robot(conn, *key) for key in keys]

    async def _channels_of_robots(self, robot_ids: list[str]) -> list[list[Channel]]:
        async with self._runtime.pool.acquire() as conn:
            return [await channels.channels_of_robot(conn, robot_id) for robot_id in robot_ids]

    async def _users_by_unionid(self, keys: list[tuple[int, str]]) -> list[ChannelUser | None]:
        found: dict[tuple[int, str | None], ChannelUser] = {}
        async with self._runtime.pool.acquire() as conn:
            for channel_id in {channel_id for channel_id, _ in keys}:
                unionids = [unionid for channel, unionid in keys if channel == channel_id]
                for user in await identities.users_by_unionid(conn, channel_id, unionids):
                    found[channel_id, user.unionid] = user
        return [found.get(key) for key in keys]

    async def _users_by_ordinal(self, keys: list[UserKey]) -> list[ChannelUser | None]:
        found = {}
        async with self._runtime.pool.acquire() as conn:
            for channel_id, ordinals in _by_channel(keys).items():
                for user in await users.users_by_ordinal(conn, channel_id, ordinals):
                    found[channel_id, user.ordinal] = user
        return [found.get(key) for key in keys]

    async def _tags_of_user(self, key: UserKey) -> frozenset[int]:
        """The catalogue that came with them is that of the operation, so both fit together."""
        bits = await self._readings.bits_of(key)
        self.catalogue_of_channel.prime(key[0], bits.catalogue)
        return bits.tag_ids

    async def _ads_of_users(self, keys: list[UserKey]) -> list[list[tuple[str, datetime]]]:
        found = {}
        async with self._runtime.pool.acquire() as conn:
            for channel_id, ordinals in _by_channel(keys).items():
                for ordinal, ads in (await users.ads_of_users(conn, channel_id, ordinals)).items():
                    found[channel_id, ordinal] = ads
        return [found.get(key, []) for key in keys]

    async def _ads_of_tags(self, keys: list[tuple[int, int]]) -> list[list[str]]:
        found = {}
        async with self._runtime.pool.acquire() as conn:
            for channel_id, tag_ids in _by_channel(keys).items():
                for tag_id, ads in (await ad_tags.ads_of_tags(conn, channel_id, tag_ids)).items():
                    found[channel_id, tag_id] = ads
        return [found.get(key, []) for key in keys]

    async def _tags_since(self, keys: list[UserKey]) -> list[dict[int, datetime]]:
        found = {}
        async with self._runtime.pool.acquire() as conn:
            for channel_id, ordinals in _by_channel(keys).items():
                for ordinal, since in (await users.tags_since(conn, channel_id, ordinals)).items():
                    found[channel_id, ordinal] = since
        return [found.get(key, {}) for key in keys]

    async def _sizes_of_tags(self, keys: list[SizesKey]) -> list[list[TagSize]]:
        asked: dict[tuple[int, datetime], list[int]] = defaultdict(list)
        for channel_id, tag_id, since in keys:
            asked[channel_id, since].append(tag_id)
        found = {}
        async with self._runtime.pool.acquire() as conn:
            for (channel_id, since), tag_ids in asked.items():
                for tag_id, samples in (await sizes.sizes_since(conn, channel_id, tag_ids, since)).items():
                    found[channel_id, tag_id, since] = samples
        return [found.get(key, []) for key in keys]

    async def _batches_holding(self, keys: list[UserKey]) -> list[dict[int, list[int]]]:
        found = {}
        async with self._runtime.pool.acquire() as conn:
            for channel_id, ordinals in _by_channel(keys).items():
                for ordinal, holding in (await return_batches.batches_holding(conn, channel_id, ordinals)).items():
                    found[channel_id, ordinal] = holding
        return [found.get(key, {}) for key in keys]

    async def _receipts(self, keys: list[tuple[int, int]]) -> list[Receipt | None]:
        found = {}
        async with self._runtime.pool.acquire() as conn:
            for channel_id, batch_ids in _by_channel(keys).items():
                for batch_id, receipt in (await return_batches.batches_by_number(conn, channel_id, batch_ids)).items():
                    found[channel_id, batch_id] = receipt
        return [found.get(key) for key in keys]

    async def _windows(self, keys: list[None]) -> list[evaluation.StoredWindows]:
        async with self._runtime.pool.acquire() as conn:
            windows = await evaluation.current_windows(conn)
        return [windows for _ in keys]


def _by_channel(keys: list[UserKey]) -> dict[int, list[int]]:
    ordinals: dict[int, list[int]] = defaultdict(list)
    for channel_id, ordinal in keys:
        ordinals[channel_id].append(ordinal)
    return ordinals
