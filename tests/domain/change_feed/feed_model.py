"""Tell random lives to a channel, and hold what somebody knows who applies the events of its feed in order."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from service.domain.account_migration.migrating import migrate_openids
from service.domain.account_migration.pairs import OpenidPair
from service.domain.change_feed.cursors import decode_cursor
from service.domain.change_feed.sequencing import sequence_channel
from service.domain.channels.binding import unbind_channel
from service.domain.combos.activation import rescue_combos
from service.domain.combos.cleanup import clear_members
from service.domain.combos.refresh import refresh_combos
from service.domain.combos.tag_deletion import rename_tag
from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import record_events
from service.domain.privacy.forgetting import forget_openid
from service.domain.runtime import Runtime
from service.entities.change_feed import FeedEventType, FeedFilter, FeedPosition
from service.entities.channels import Channel
from service.entities.errors import RequestError
from service.entities.expressions import Expression, all_of, any_of, difference, tag
from service.entities.ids import parse_tag_gid, parse_user_gid
from service.entities.return_data import ReturnMode
from service.entities.tags import Catalogue
from service.entities.users import EventKind, UserEvent
from service.storage import tags, users
from tests.domain.change_feed.follower import Body, Follower, ordinal_of, tags_of
from tests.support.clock import FrozenClock
from tests.support.merging import begin_merge, do_slice, merge
from tests.support.runtime import admin, bind
from tests.support.tags import (
    delete_tag_of,
    edit_combo,
    make_ad_tag,
    make_combo,
    record_ad_follow_of,
    submission_of,
    submit,
)

PEOPLE = tuple(f"person-{number}" for number in range(6))
# More than are logged one by one.
CROWD = tuple(f"crowd-{number}" for number in range(70))
FIRST_OWN_TAG = 9
SOME = FeedFilter(
    frozenset({FeedEventType.USER_TAGS_CHANGED, FeedEventType.TAG_DELETED}), frozenset({5, FIRST_OWN_TAG + 1})
)
Step = tuple[str, tuple[Any, ...]]


def histories() -> st.SearchStrategy[list[Step]]:
    people, index = st.sampled_from(PEOPLE), st.integers(0, 20)
    steps = {
        "happen": (people, st.sampled_from([EventKind.FOLLOW, EventKind.UNFOLLOW, EventKind.MESSAGE])),
        "give": (st.sampled_from("ABC"), st.sets(people, min_size=1), st.sampled_from(ReturnMode)),
        "give_crowd": (st.sampled_from("ABC"), st.sampled_from(ReturnMode)),
        "combine": (st.sampled_from([all_of, any_of, difference]), index, index),
        "edit": (index, index),
        "rename": (index,),
        "delete": (index,),
        "merge": (index, index),
        "begin_to_merge": (index, index),
        "advertise": (people,),
        "activate": (),
        "refresh": (),
        "pass_time": (st.sampled_from([timedelta(minutes=30), timedelta(hours=49)]),),
        "close": (),
        "open": (),
        "forget": (people,),
        "migrate": (people, people),
        "number": (),
        "read": (),
    }
    often = ("give", "happen", "number", "read", "activate")
    every = st.one_of(*(st.tuples(st.just(name), st.tuples(*steps[name])) for name in (*steps, *often)))
    return st.lists(every, min_size=5, max_size=25)


@dataclass
class Knowledge:
    """Hold what a follower knows: which tags are in effect, and who shows which, by what was loaded and told."""

    follower: Follower
    open: bool = True
    active: set[int] = field(default_factory=set)
    shown: dict[int, set[int]] = field(default_factory=dict)

    async def load(self, only: int | None = None) -> None:
        """Ask who has which tag now, or who has one of them, as the API answers it."""
        catalogue, bits = await present_state(self.follower.runtime, self.follower.channel)
        if only is None:
            self.active = {each.tag_id for each in catalogue.living() if each.shown}
            self.shown = {ordinal: set(catalogue.shown(has)) for ordinal, has in bits.items()}
        else:
            for ordinal, has in bits.items():
                if only in catalogue.shown(has):
                    self.shown.setdefault(ordinal, set()).add(only)

    async def apply(self, event: Body) -> None:
        """Apply one event."""
        match event["type"]:
            case "user.tags_changed":
                assert self.open
                known = self.shown.setdefault(ordinal_of(event), set())
                known |= tags_of(event, "added") & self.active
                known -= tags_of(event, "removed")
            case "user.forgotten":
                self.shown.pop(ordinal_of(event), None)
            case "user.migrated":
                if "formerUserId" in event:
                    self.shown.pop(parse_user_gid(event["formerUserId"]).ordinal, None)
            case "channel.state_changed":
                self.open = event["open"]
                await self.load()
            case _:
                await self._apply_to_tag(event, parse_tag_gid(event["tagId"]).tag_id)

    async def _apply_to_tag(self, event: Body, tag_id: int) -> None:
        if event["type"] == "tag.deleted" or event["state"] != "ACTIVE":
            self.active.discard(tag_id)
            for known in self.shown.values():
                known.discard(tag_id)
        elif tag_id not in self.active:
            self.active.add(tag_id)
            if event["type"] != "tag.created":
                await self.load(tag_id)


async def present_state(runtime: Runtime, channel: Channel) -> tuple[Catalogue, dict[int, frozenset[int]]]:
    """Return the tags of a channel, and whose bits are set."""
    rows = await runtime.pool.fetch("select ordinal from channel_user where channel_id = $1", channel.channel_id)
    async with runtime.pool.acquire() as conn:
        catalogue = await tags.catalogue(conn, channel.channel_id)
        return catalogue, await users.tags_of_users(conn, channel.channel_id, [row["ordinal"] for row in rows])


@dataclass
class FeedLife:
    """Tell a history to a channel in whose first two blocks people are, with somebody who follows."""

    runtime: Runtime
    clock: FrozenClock
    channel: Channel
    knowledge: Knowledge
    gone: set[int] = field(default_factory=set)
    migrations: int = 0

    async def run(self, history: list[Step]) -> None:
        """Let it all happen, and check what the follower knows in the end."""
        beginning = self.knowledge.follower.position
        for name, arguments in history:
            self.clock.advance(timedelta(seconds=1))
            try:
                await self._steps()[name](*arguments)
            except RequestError:
                # Refused, as with a closed gate or a taken name: nothing happened.
                continue
        await self._number()
        await self._read()
        await self._check_knowledge()
        await self._check_reading_again(beginning)

    def _steps(self) -> dict[str, Callable[..., Awaitable[None]]]:
        return {
            "happen": self._happen,
            "give": self._give,
            "give_crowd": self._give_crowd,
            "combine": self._combine,
            "edit": self._edit,
            "rename": self._rename,
            "delete": self._delete,
            "merge": self._merge,
            "begin_to_merge": self._begin_to_merge,
            "advertise": self._advertise,
            "activate": self._activate,
            "refresh": self._refresh,
            "pass_time": self._pass_time,
            "close": self._close,
            "open": self._open,
            "forget": self._forget,
            "migrate": self._migrate,
            "number": self._number,
            "read": self._read,
        }

    async def _check_knowledge(self) -> None:
        catalogue, bits = await present_state(self.runtime, self.channel)
        expected = {ordinal: set(catalogue.shown(has)) for ordinal, has in bits.items() if catalogue.shown(has)}
        assert self.knowledge.open is catalogue.open
        told = {ordinal: known for ordinal, known in self.knowledge.shown.items() if known}
        assert (told if catalogue.open else {}) == expected

    async def _check_reading_again(self, beginning: FeedPosition) -> None:
        """Check that a second reading in other pages tells the same, but for people who are no more."""
        first = self.knowledge.follower
        again = Follower(self.runtime, self.channel, beginning, page_size=3)
        await again.read()
        assert [each for each in again.events if not self._is_about_gone(each)] == [
            each for each in first.events if not self._is_about_gone(each)
        ]
        for ordinal, told in _by_person(again.events):
            assert told == sorted(set(told)), "each change once, in the order of the log"
            assert ordinal not in self.gone or len(told) <= 1, "what was told of them before is told no more"

        filtered = Follower(self.runtime, self.channel, beginning, SOME, page_size=2)
        await filtered.read()
        assert filtered.events == list(_only_some(again.events))

    def _is_about_gone(self, event: Body) -> bool:
        return "userId" in event and ordinal_of(event) in self.gone

    async def _happen(self, openid: str, kind: EventKind) -> None:
        await record_events(self.runtime, self.channel, [UserEvent(openid, kind, self.clock())])

    async def _give(self, label: str, openids: set[str], mode: ReturnMode) -> None:
        await submit(self.runtime, self.channel, submission_of(sorted(openids), mode, label=label))

    async def _give_crowd(self, label: str, mode: ReturnMode) -> None:
        await submit(self.runtime, self.channel, submission_of([*PEOPLE, *CROWD], mode, label=label))

    async def _combine(self, operator: Callable[..., Expression], first: int, second: int) -> None:
        operands = [tag(await self._tag_at(first)), tag(await self._tag_at(second))]
        await make_combo(self.runtime, self.channel, f"Combo {self.clock()}"[:60], operator(*operands))

    async def _edit(self, index: int, operand: int) -> None:
        catalogue, _ = await present_state(self.runtime, self.channel)
        combos = [each.tag_id for each in catalogue.living() if each.kind == "COMBO"]
        if combos:
            await edit_combo(self.runtime, self.channel, combos[index % len(combos)], tag(await self._tag_at(operand)))

    async def _rename(self, index: int) -> None:
        await rename_tag(
            self.runtime,
            admin(self.channel.robot_id),
            self.channel.channel_id,
            await self._tag_at(index, FIRST_OWN_TAG),
            f"Name {self.clock()}"[:60],
        )

    async def _delete(self, index: int) -> None:
        await delete_tag_of(self.runtime, self.channel, await self._tag_at(index, FIRST_OWN_TAG))

    async def _merge(self, index: int, into: int) -> None:
        both = await self._tag_at(index, FIRST_OWN_TAG), await self._tag_at(into, FIRST_OWN_TAG)
        await merge(self.runtime, self.channel, *both)

    async def _begin_to_merge(self, index: int, into: int) -> None:
        """Begin a merge, of which people are told before it is at its end; it is not ended."""
        both = await self._tag_at(index, FIRST_OWN_TAG), await self._tag_at(into, FIRST_OWN_TAG)
        await do_slice(self.runtime, await begin_merge(self.runtime, self.channel, *both))

    async def _advertise(self, openid: str) -> None:
        await make_ad_tag(self.runtime, self.channel, f"Ad {self.clock()}"[:60], "1")
        await record_ad_follow_of(self.runtime, self.channel, openid, self.clock(), "1")

    async def _activate(self) -> None:
        await rescue_combos(self.runtime, self.channel.channel_id)
        await clear_members(self.runtime, self.channel.channel_id)

    async def _refresh(self) -> None:
        await refresh_combos(self.runtime, self.channel.channel_id)

    async def _pass_time(self, by: timedelta) -> None:
        self.clock.advance(by)
        await run_default_tags(self.runtime, self.channel)

    async def _close(self) -> None:
        await unbind_channel(self.runtime, admin(self.channel.robot_id), self.channel.channel_id)

    async def _open(self) -> None:
        await bind(self.runtime, self.channel.app_id, robot_id=self.channel.robot_id)

    async def _forget(self, openid: str) -> None:
        ordinal = await forget_openid(self.runtime, self.channel.channel_id, openid)
        if ordinal is not None:
            self.gone.add(ordinal)

    async def _migrate(self, former: str, present: str) -> None:
        _, before = await present_state(self.runtime, self.channel)
        await migrate_openids(self.runtime, self.channel, [OpenidPair(former, present)])
        _, after = await present_state(self.runtime, self.channel)
        self.gone |= before.keys() - after.keys()

    async def _number(self) -> None:
        await sequence_channel(self.runtime, self.channel.channel_id)

    async def _read(self) -> None:
        for event in await self.knowledge.follower.read():
            await self.knowledge.apply(event)

    async def _tag_at(self, index: int, first: int = 1) -> int:
        catalogue, _ = await present_state(self.runtime, self.channel)
        every = [each.tag_id for each in catalogue.tags.values() if each.deleted_at is None and each.tag_id >= first]
        return every[index % len(every)] if every else first


def _only_some(events: list[Body]) -> Iterator[Body]:
    """Yield what is told to somebody who follows `SOME`."""
    assert SOME.tag_ids is not None
    for event in events:
        if event["type"] == "user.tags_changed":
            sides = {
                side: [each for each in event[side] if parse_tag_gid(each).tag_id in SOME.tag_ids]
                for side in ("added", "removed")
            }
            if any(sides.values()):
                yield event | sides
        elif event["type"] == "tag.deleted" and parse_tag_gid(event["tagId"]).tag_id in SOME.tag_ids:
            yield event


def _by_person(events: list[Body]) -> Iterator[tuple[int, list[int]]]:
    """Yield the versions of their block at which something was told of each person."""
    people: dict[int, list[int]] = {}
    for event in events:
        if event["type"] in {"user.tags_changed", "user.forgotten"}:
            channel_id = parse_user_gid(event["userId"]).channel_id
            version = decode_cursor(event["cursor"], channel_id, "after").version
            people.setdefault(ordinal_of(event), []).append(version)
    yield from people.items()
