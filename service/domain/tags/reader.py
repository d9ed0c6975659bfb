"""What queries read most, for all requests of a process: people, their bits, and the catalogue of each channel.

The catalogue is kept in the process. What the database says with the bits, in the same statement, decides whether what
is kept is still true; so nobody is shown a tag after the answer that deleted it, whichever process gave that answer.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from service.entities.channels import ChannelState
from service.entities.errors import LimitExceededError, NotFoundError
from service.entities.ids import parse_gid
from service.entities.principal import Principal
from service.entities.tags import Catalogue
from service.entities.users import ChannelUser
from service.foundation.batch_reader import LookUps
from service.storage import channels, tags, users
from service.storage.database.pool import Pool

MOST_USERS_AT_ONCE: Final = 100
MOST_CATALOGUES: Final = 1_000

UserKey = tuple[int, int]
Person = tuple[str, int, str]
TaggedRow = tuple[ChannelUser, frozenset[int], users.Standing]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bits:
    """The tags somebody has, shown or not, with the catalogue that says which are shown."""

    tag_ids: frozenset[int]
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Tagged:
    """Somebody, with the tags of the same instant."""

    user: ChannelUser
    bits: Bits


class Readings:
    """One for each web process."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._kept: OrderedDict[int, Catalogue] = OrderedDict()
        self._people: LookUps[Person, ChannelUser | NotFoundError] = LookUps(self._read_people)
        self._tagged: LookUps[Person, TaggedRow | NotFoundError] = LookUps(self._read_tagged)
        self._bits: LookUps[UserKey, tuple[frozenset[int], users.Standing]] = LookUps(self._read_bits)
        self._states: LookUps[int, ChannelState] = LookUps(self._read_states)
        self._catalogues: LookUps[int, Catalogue] = LookUps(self._read_catalogues)

    async def people_named(
        self, principal: Principal, channel_gid: str, openids: Sequence[str]
    ) -> list[ChannelUser | None]:
        """People in the order asked, None where nobody is known; raises NotFoundError, LimitExceededError."""
        found = await self._people.get_many(_keys(principal, channel_gid, openids))
        return [_known(each) for each in found][: len(openids)]

    async def people_with_tags(
        self, principal: Principal, channel_gid: str, openids: Sequence[str]
    ) -> list[Tagged | None]:
        """The same for whoever also wants their tags: what one statement says of both."""
        rows = await self._tagged.get_many(_keys(principal, channel_gid, openids))
        found: list[Tagged | None] = []
        for row in [_known(each) for each in rows][: len(openids)]:
            if row is None:
                found.append(None)
            else:
                user, tag_ids, standing = row
                found.append(Tagged(user, Bits(tag_ids, await self._catalogue_at(user.channel_id, standing))))
        return found

    async def bits_of(self, key: UserKey) -> Bits:
        """Of (channel id, ordinal)."""
        found = await self._bits.get(key)
        if found is None:
            raise LookupError("a channel never loses its state")
        tag_ids, standing = found
        return Bits(tag_ids, await self._catalogue_at(key[0], standing))

    async def state_of(self, channel_id: int) -> ChannelState:
        found = await self._states.get(channel_id)
        if found is None:
            raise LookupError("a channel never loses its state")
        return found

    async def catalogue_of(self, channel_id: int) -> Catalogue:
        """As it is now."""
        state = await self.state_of(channel_id)
        standing = users.Standing(state.tag_version, state.tag_version_at, state.default_tags_as_of)
        return await self._catalogue_at(channel_id, standing)

    async def _catalogue_at(self, channel_id: int, standing: users.Standing) -> Catalogue:
        """What is kept, if it is of this version; otherwise read anew, which may give a newer one."""
        kept = self._kept.get(channel_id)
        if kept is None or kept.place != (standing.version, standing.at):
            kept = await self._catalogues.get(channel_id)
            if kept is None:
                raise LookupError("a channel never loses its state")
            self._keep(kept)
        elif kept.default_tags_as_of != standing.default_tags_as_of:
            # The scheduled run says so without a new version: no tag changes by it.
            kept = replace(kept, default_tags_as_of=standing.default_tags_as_of)
            self._keep(kept)
        return kept

    def _keep(self, catalogue: Catalogue) -> None:
        """The longest unread one is forgotten first."""
        self._kept[catalogue.channel_id] = catalogue
        self._kept.move_to_end(catalogue.channel_id)
        if len(self._kept) > MOST_CATALOGUES:
            self._kept.popitem(last=False)

    async def _read_people(self, keys: list[Person]) -> dict[Person, ChannelUser | NotFoundError]:
        found: dict[Person, ChannelUser | NotFoundError] = {}
        async with self._pool.acquire() as conn:
            for channel, openids in _by_channel(keys).items():
                people = await users.people_of_robot(conn, *channel, openids)
                if people is None:
                    found |= {(*channel, openid): NotFoundError("channel") for openid in openids}
                else:
                    found |= {(*channel, user.openid): user for user in people}
        return found

    async def _read_tagged(self, keys: list[Person]) -> dict[Person, TaggedRow | NotFoundError]:
        found: dict[Person, TaggedRow | NotFoundError] = {}
        async with self._pool.acquire() as conn:
            for channel, openids in _by_channel(keys).items():
                people = await users.people_with_bits(conn, *channel, openids)
                if people is None:
                    found |= {(*channel, openid): NotFoundError("channel") for openid in openids}
                else:
                    found |= {(*channel, row[0].openid): row for row in people}
        return found

    async def _read_bits(self, keys: list[UserKey]) -> dict[UserKey, tuple[frozenset[int], users.Standing]]:
        wanted: defaultdict[int, list[int]] = defaultdict(list)
        for channel_id, ordinal in keys:
            wanted[channel_id].append(ordinal)
        found: dict[UserKey, tuple[frozenset[int], users.Standing]] = {}
        async with self._pool.acquire() as conn:
            for channel_id, ordinals in wanted.items():
                standing, bits = await users.bits_of_users(conn, channel_id, ordinals)
                found |= {(channel_id, ordinal): (tag_ids, standing) for ordinal, tag_ids in bits.items()}
        return found

    async def _read_states(self, channel_ids: list[int]) -> dict[int, ChannelState]:
        async with self._pool.acquire() as conn:
            return {each: await channels.channel_state(conn, each) for each in channel_ids}

    async def _read_catalogues(self, channel_ids: list[int]) -> dict[int, Catalogue]:
        async with self._pool.acquire() as conn:
            return {each: await tags.catalogue(conn, each) for each in channel_ids}


def _keys(principal: Principal, channel_gid: str, openids: Sequence[str]) -> list[Person]:
    """Raises NotFoundError, LimitExceededError."""
    if len(openids) > MOST_USERS_AT_ONCE:
        raise LimitExceededError(f"At most {MOST_USERS_AT_ONCE} users at once.")
    parsed = parse_gid(channel_gid, "Channel", 1)
    if parsed is None or (principal.channel_ids is not None and channel_gid not in principal.channel_ids):
        raise NotFoundError("channel")
    # Without a name it is still asked whether the channel is the robot's.
    return [(principal.robot_id, parsed[0], openid) for openid in openids or ("",)]


def _by_channel(keys: list[Person]) -> dict[tuple[str, int], list[str]]:
    wanted: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for robot_id, channel_id, openid in keys:
        wanted[robot_id, channel_id].append(openid)
    return wanted


def _known(found: T | NotFoundError | None) -> T | None:
    if isinstance(found, NotFoundError):
        raise found
    return found
