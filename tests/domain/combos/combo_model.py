"""Tell random lives of a channel's combos to the service, beside a plain model of what must be so after each step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from service.domain.combos import activation
from service.domain.combos.activation import rescue_combos
from service.domain.combos.cleanup import clear_members
from service.domain.combos.editing import ComboEdit, update_combo
from service.domain.combos.expressions import to_draft
from service.domain.combos.refresh import refresh_combos
from service.domain.combos.tag_deletion import delete_tag
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.errors import ErrorCode, RequestError
from service.entities.expressions import FOLLOWERS, Expression, all_of, any_of, difference, tag
from service.entities.tags import TagState
from service.entities.users import EventKind, UserEvent
from tests.support.clock import FrozenClock
from tests.support.database_state import miscounted, replay_and_check, skip_ordinals
from tests.support.oracle import holds
from tests.support.runtime import admin
from tests.support.tags import add_members, combo_graph_of, make_combo, make_tag, remove_members, tag_ids_by_openid

PEOPLE = tuple(f"person-{number}" for number in range(6))
BLOCK = 32_000
DEFAULT_TAGS = (3, 4)  # Opened, Not opened

# A shape becomes an expression when it is known which tags there are: leaves are places in the list of them.
ExpressionShape = Any
Step = tuple[str, tuple[Any, ...]]


def expression_shapes(depth: int = 3) -> st.SearchStrategy[ExpressionShape]:
    leaves = st.one_of(st.integers(0, 30), st.just("followers"))
    if depth == 0:
        return leaves
    inner = st.deferred(lambda: expression_shapes(depth - 1))
    some = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        leaves,
        some.map(lambda operands: ("all", operands)),
        some.map(lambda operands: ("any", operands)),
        st.tuples(st.just("except"), st.tuples(inner, inner)),
    )


def histories() -> st.SearchStrategy[list[Step]]:
    indexes, people = st.integers(0, 30), st.sampled_from(PEOPLE)
    steps = st.one_of(
        st.tuples(st.just("create"), st.tuples(expression_shapes())),
        st.tuples(st.just("create"), st.tuples(expression_shapes())),
        st.tuples(st.just("edit"), st.tuples(indexes, expression_shapes())),
        st.tuples(st.just("delete"), st.tuples(indexes)),
        st.tuples(st.just("change"), st.tuples(indexes, people)),
        st.tuples(st.just("write"), st.tuples(people)),
        st.tuples(st.just("refresh"), st.tuples()),
        st.tuples(st.just("sweep"), st.tuples()),
        st.tuples(st.just("begin"), st.tuples(indexes, st.integers(1, 4))),
        st.tuples(st.just("clear"), st.tuples()),
    )
    return st.lists(steps, min_size=4, max_size=16)


def leaves_of(expression: Expression) -> tuple[int, ...]:
    """Return the tags that say who is in an expression."""
    return (*expression.tag_ids(), *(DEFAULT_TAGS if expression.has_followers() else ()))


@dataclass
class ComboModel:
    """Hold a channel with three tags of people in three blocks, and tell it all that happens to its combos."""

    runtime: Runtime
    clock: FrozenClock
    channel: Channel
    base: list[int] = field(default_factory=list)
    deleted: set[int] = field(default_factory=set)
    made_of: dict[int, Expression] = field(default_factory=dict)
    # When a tag that is not a combo last changed its members, and when a combo was last edited.
    changed_at: dict[int, datetime] = field(default_factory=dict)

    async def run(self, history: list[Step]) -> None:
        for number in range(3):
            await skip_ordinals(self.runtime, self.channel, number * BLOCK)
            people = PEOPLE[number * 2 : number * 2 + 2]
            self.base.append(await make_tag(self.runtime, self.channel, f"Base {number}", *people))
        for name, arguments in history:
            self.clock.advance(timedelta(seconds=1))
            step: Callable[..., Any] = getattr(self, f"_{name}")
            await step(*arguments)
            await self.check()
        await self.check_settled()

    async def check_settled(self) -> None:
        """Check that one sweep and one refresh make everything right, however it went so far."""
        self.clock.advance(timedelta(seconds=1))
        await rescue_combos(self.runtime, self.channel.channel_id)
        await refresh_combos(self.runtime, self.channel.channel_id)
        await clear_members(self.runtime, self.channel.channel_id)
        await self.check()
        graph, held = (
            await combo_graph_of(self.runtime, self.channel),
            await tag_ids_by_openid(self.runtime, self.channel),
        )
        for found, combo in graph.living():
            dead = bool(self.deleted_dependencies(combo.tag_id))
            assert found.state is (TagState.LAPSED if dead else TagState.ACTIVE)
            has = {openid for openid, tag_ids in held.items() if combo.tag_id in tag_ids}
            assert has == (set() if dead else self.expected(combo.tag_id, held))
        for tag_id in self.deleted:
            assert not any(tag_id in tag_ids for tag_ids in held.values())
        assert await miscounted(self.runtime, self.channel) == []
        await replay_and_check(self.runtime, self.channel)
        assert (await verify_channel(self.runtime, self.channel, repair=False)).clean

    async def check(self) -> None:
        """Check that combos are LAPSED exactly while they reach a deleted tag, and ACTIVE ones are right."""
        graph, held = (
            await combo_graph_of(self.runtime, self.channel),
            await tag_ids_by_openid(self.runtime, self.channel),
        )
        living = {combo.tag_id: (found, combo) for found, combo in graph.living()}
        assert living.keys() == self.made_of.keys() - self.deleted
        for tag_id, (found, combo) in living.items():
            assert combo.expression == self.made_of[tag_id]
            assert (found.state is TagState.LAPSED) is bool(self.deleted_dependencies(tag_id))
            if found.state is not TagState.ACTIVE:
                continue
            assert combo.as_of is not None
            assert not self.deleted & set(combo.expression.tag_ids())
            below = self.below(tag_id)
            if all(self.changed_at.get(each, combo.as_of) <= combo.as_of for each in below):
                has = {openid for openid, tag_ids in held.items() if tag_id in tag_ids}
                assert has == self.expected(tag_id, held), f"{tag_id} is not exact as of {combo.as_of}"

    def below(self, tag_id: int) -> set[int]:
        """Return everything that a living combo is made of, and itself."""
        found, left = {tag_id}, [tag_id]
        while left:
            now = left.pop()
            for each in leaves_of(self.made_of[now]) if now in self.made_of and now not in self.deleted else ():
                if each not in found:
                    found.add(each)
                    left.append(each)
        return found

    def deleted_dependencies(self, tag_id: int) -> set[int]:
        return self.below(tag_id) & self.deleted

    def expected(self, tag_id: int, held: Mapping[str, frozenset[int]]) -> set[str]:
        """Return who is in a combo, by plain sets over what people have of tags that are no combos."""
        return {openid for openid, tag_ids in held.items() if self._holds(tag_id, tag_ids)}

    def _holds(self, tag_id: int, tag_ids: frozenset[int]) -> bool:
        if tag_id not in self.made_of:
            return tag_id in tag_ids
        expression = self.made_of[tag_id]
        return holds(expression, frozenset(each for each in leaves_of(expression) if self._holds(each, tag_ids)))

    async def _create(self, shape: ExpressionShape) -> None:
        expression = self._expression(shape)
        try:
            combo = await make_combo(self.runtime, self.channel, f"Combo {len(self.made_of)}", expression)
        except RequestError as refused:
            self._check_refusal(refused.code, expression, None)
            return
        self.made_of[combo.tag_id] = combo.expression

    async def _edit(self, index: int, shape: ExpressionShape) -> None:
        tag_id = self._combo_at(index)
        if tag_id is None:
            return
        expression = self._expression(shape)
        edit = ComboEdit(expression=to_draft(self.channel.channel_id, expression))
        try:
            graph, _ = await update_combo(self.runtime, admin(), self.channel.channel_id, tag_id, edit)
        except RequestError as refused:
            self._check_refusal(refused.code, expression, tag_id)
            return
        assert not any(tag_id in self.below(each) for each in expression.tag_ids())
        if graph.combos[tag_id].expression != self.made_of[tag_id]:
            self.changed_at[tag_id] = self.clock()
        self.made_of[tag_id] = graph.combos[tag_id].expression

    def _check_refusal(self, code: ErrorCode, expression: Expression, edited: int | None) -> None:
        """Check the reason of a refusal: it reaches what is edited, or something deleted."""
        below = {each for leaf in expression.tag_ids() for each in self.below(leaf)}
        reasons = {
            ErrorCode.CYCLE: edited in below,
            ErrorCode.TAG_NOT_USABLE: bool(below & self.deleted),
        }
        assert reasons[code], f"{code} for no reason"

    async def _delete(self, index: int) -> None:
        every = [each for each in self._tags() if each not in DEFAULT_TAGS and each not in self.deleted]
        if every:
            tag_id = every[index % len(every)]
            above = {each for each in self.made_of.keys() - self.deleted - {tag_id} if tag_id in self.below(each)}
            lapsing = {each for each in above if not self.deleted_dependencies(each)}
            gone = await delete_tag(self.runtime, admin(), self.channel.channel_id, tag_id)
            assert {each.tag_id for each in gone.lapsed} == lapsing
            self.deleted.add(tag_id)

    async def _change(self, index: int, openid: str) -> None:
        """Give a tag to a person who lacks it, or take it from one who has it."""
        tag_id = self.base[index % len(self.base)]
        if tag_id not in self.deleted:
            has = tag_id in (await tag_ids_by_openid(self.runtime, self.channel))[openid]
            await (remove_members if has else add_members)(self.runtime, self.channel, tag_id, openid)
            self.changed_at[tag_id] = self.clock()

    async def _write(self, openid: str) -> None:
        """Let a person write, who has Opened from then on."""
        await record_events(self.runtime, self.channel, [UserEvent(openid, EventKind.MESSAGE, self.clock())])
        self.changed_at |= dict.fromkeys(DEFAULT_TAGS, self.clock())

    async def _refresh(self) -> None:
        await refresh_combos(self.runtime, self.channel.channel_id)

    async def _sweep(self) -> None:
        await rescue_combos(self.runtime, self.channel.channel_id)

    async def _clear(self) -> None:
        await clear_members(self.runtime, self.channel.channel_id)

    async def _begin(self, index: int, slices: int) -> None:
        """Let a worker compute some slices of a combo and die before the next, or before it is in force."""
        tag_id = self._combo_at(index)
        if tag_id is not None:
            generation = (await combo_graph_of(self.runtime, self.channel)).combos[tag_id].generation
            for _ in range(slices):
                await activation._compute_slice(self.runtime, self.channel.channel_id, tag_id, generation)

    def _tags(self) -> list[int]:
        return [*DEFAULT_TAGS, *self.base, *self.made_of]

    def _combo_at(self, index: int) -> int | None:
        living = [each for each in self.made_of if each not in self.deleted]
        return living[index % len(living)] if living else None

    def _expression(self, shape: ExpressionShape) -> Expression:
        if isinstance(shape, int):
            every = self._tags()
            return tag(every[shape % len(every)])
        if shape == "followers":
            return FOLLOWERS
        operator, operands = shape
        read = [self._expression(each) for each in operands]
        if operator == "except":
            return difference(*read)
        return all_of(*read) if operator == "all" else any_of(*read)
