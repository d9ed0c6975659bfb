"""Let everything happen to the tags of a channel that can, and remember who showed what after each step."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from service.domain.account_migration.migrating import migrate_openids
from service.domain.account_migration.pairs import OpenidPair
from service.domain.channels.binding import unbind_channel
from service.domain.combos.activation import rescue_combos
from service.domain.combos.cleanup import clear_members
from service.domain.combos.refresh import refresh_combos
from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import record_events
from service.domain.privacy.forgetting import forget_openid
from service.domain.privacy.retention import prune_channel
from service.domain.return_data.batches import expire_batches, undo_batch
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.expressions import FOLLOWERS, Expression, all_of, any_of, difference, tag
from service.entities.return_data import Receipt, ReturnMode
from service.entities.tags import Catalogue, Tag, TagKind
from service.entities.users import UserEvent
from tests.domain.audiences.steps import (
    AdFollowed,
    Clear,
    ConfirmAds,
    Delete,
    Edit,
    Forget,
    Happen,
    MakeAd,
    MakeCombo,
    Merge,
    Migrate,
    Prune,
    Refresh,
    Shape,
    ShutGate,
    SkipToNextBlock,
    Submit,
    TimePasses,
    Undo,
)
from tests.support.clock import FrozenClock
from tests.support.database_state import skip_ordinals, tags_by_ordinal
from tests.support.merging import merge
from tests.support.runtime import admin, bind
from tests.support.tags import (
    combo_graph_of,
    confirm_ad_address,
    delete_tag_of,
    edit_combo,
    make_ad_tag,
    make_combo,
    record_ad_follow_of,
    submission_of,
    submit,
)


class Remembered(NamedTuple):
    """Hold every bit, `{ordinal: tag ids}`, and the tags that people showed, from an instant on."""

    at: datetime
    bits: dict[int, set[int]]
    shown: set[int]


@dataclass
class Story:
    """Tell a story to a channel, and remember every state it was in."""

    runtime: Runtime
    channel: Channel
    clock: FrozenClock
    memory: list[Remembered] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    pruned_before: datetime | None = None
    blocks: int = 1

    async def tell(self, step: object, seconds: int) -> None:
        """Let one thing happen, so many seconds after the last one, and remember what came of it."""
        self.clock.advance(timedelta(seconds=seconds))
        await self._happen(step)
        await self.remember()

    async def remember(self) -> None:
        """Remember the present state."""
        shown = {each.tag_id for each in (await self.catalogue()).tags.values() if each.shown}
        self.memory.append(Remembered(self.clock(), await tags_by_ordinal(self.runtime, self.channel), shown))

    def state_at(self, at: datetime) -> Remembered:
        """Return what was so at an instant: the last state from then or before."""
        return next(each for each in reversed(self.memory) if each.at <= at)

    def showing_at(self, at: datetime, people: set[int]) -> dict[int, set[int]]:
        """Return what these people showed at an instant, `{ordinal: tag ids}`."""
        state = self.state_at(at)
        return {ordinal: state.bits.get(ordinal, set()) & state.shown for ordinal in people}

    async def people(self) -> set[int]:
        """Return the ordinals of everybody whom the channel knows now."""
        rows = await self.runtime.pool.fetch(
            "select ordinal from channel_user where channel_id = $1", self.channel.channel_id
        )
        return {row["ordinal"] for row in rows}

    async def catalogue(self) -> Catalogue:
        """Return the tags of the channel."""
        return (await combo_graph_of(self.runtime, self.channel)).catalogue

    async def expression(self, shape: Shape) -> Expression:
        """Return an expression of this shape over the tags that are ACTIVE now."""
        active = sorted(each.tag_id for each in (await self.catalogue()).tags.values() if each.shown)
        return _expression(shape, active)

    async def _tag(self, number: int, *kinds: TagKind) -> Tag | None:
        living = [
            each for each in (await self.catalogue()).tags.values() if each.kind in kinds and each.deleted_at is None
        ]
        return living[number % len(living)] if living else None

    async def _happen(self, step: object) -> None:
        runtime, channel, channel_id = self.runtime, self.channel, self.channel.channel_id
        match step:
            case Happen(events):
                await record_events(
                    runtime, channel, [UserEvent(openid, kind, self.clock() - ago) for openid, kind, ago in events]
                )
            case Submit(mode, openids, label, seconds):
                await self._submit(mode, openids, label, seconds)
            case Undo(number) if self.receipts:
                receipt = self.receipts.pop(number % len(self.receipts))
                await undo_batch(runtime, admin(), channel_id, receipt.batch_id)
            case MakeCombo(shape):
                await make_combo(runtime, channel, f"Combo {len(self.memory)}", await self.expression(shape))
            case Forget(openid):
                await forget_openid(runtime, channel_id, openid)
            case Migrate(before, after):
                await migrate_openids(runtime, channel, [OpenidPair(before, after)])
            case SkipToNextBlock():
                await skip_ordinals(runtime, channel, self.blocks * BLOCK_SIZE)
                self.blocks += 1
            case _:
                await self._to_tags(step)

    async def _to_tags(self, step: object) -> None:
        runtime, channel = self.runtime, self.channel
        match step:
            case AdFollowed(openid, ad_id):
                await record_ad_follow_of(runtime, channel, openid, self.clock(), ad_id)
            case MakeAd(ad_ids):
                await make_ad_tag(runtime, channel, f"Ad {len(self.memory)}", *ad_ids)
            case ConfirmAds():
                await confirm_ad_address(runtime, channel)
            case Merge(number):
                await self._merge(number)
            case _:
                await self._later(step)

    async def _later(self, step: object) -> None:
        runtime, channel, channel_id = self.runtime, self.channel, self.channel.channel_id
        match step:
            case Edit(number, shape):
                combo = await self._tag(number, TagKind.COMBO)
                if combo is not None:
                    # Of tags that are never made of combos, so that no cycle is asked for.
                    expression = _expression(shape, [1, 2, 3, 4, 5, 6])
                    await edit_combo(runtime, channel, combo.tag_id, expression)
            case Delete(number):
                found = await self._tag(number, TagKind.RETURN, TagKind.AD, TagKind.COMBO)
                if found is not None:
                    await delete_tag_of(runtime, channel, found.tag_id)
                    self.receipts = [each for each in self.receipts if each.tag_id != found.tag_id]
            case Clear():
                await clear_members(runtime, channel_id)
            case Refresh():
                await rescue_combos(runtime, channel_id)
                await refresh_combos(runtime, channel_id)
            case TimePasses(hours):
                self.clock.advance(timedelta(hours=hours))
                await expire_batches(runtime, channel_id)
                await run_default_tags(runtime, channel)
                self.receipts = []
            case ShutGate():
                await unbind_channel(runtime, admin(), channel_id)
                self.clock.advance(timedelta(seconds=1))
                self.channel = await bind(runtime, channel.app_id, kind=channel.kind)
            case Prune(hours):
                before = self.clock() - timedelta(hours=hours)
                await prune_channel(runtime, channel_id, before)
                self.pruned_before = max(before, self.pruned_before or before)

    async def _merge(self, number: int) -> None:
        found = [each.tag_id for each in (await self.catalogue()).living() if each.kind is TagKind.RETURN]
        if len(found) > 1:
            merged = found.pop(number % len(found))
            await merge(self.runtime, self.channel, merged, found[0])
            self.receipts = []

    async def _submit(self, mode: ReturnMode, openids: tuple[str, ...], label: str, seconds: int) -> None:
        known = {each.name for each in (await self.catalogue()).tags.values() if each.deleted_at is None}
        if mode is ReturnMode.REMOVE and label not in known:
            return
        expires_at = self.clock() + timedelta(seconds=seconds) if seconds and mode is ReturnMode.ADD else None
        receipt = await submit(
            self.runtime, self.channel, submission_of(openids, mode, label=label, expires_at=expires_at)
        )
        if mode is ReturnMode.REPLACE:
            self.receipts = [each for each in self.receipts if each.tag_id != receipt.tag_id]
        elif mode is ReturnMode.ADD:
            self.receipts.append(receipt)


def _expression(shape: Shape, tag_ids: list[int]) -> Expression:
    match shape:
        case None:
            return FOLLOWERS
        case int():
            return tag(tag_ids[shape % len(tag_ids)])
        case ("all", left, right):
            return all_of(_expression(left, tag_ids), _expression(right, tag_ids))
        case ("any", left, right):
            return any_of(_expression(left, tag_ids), _expression(right, tag_ids))
        case (_, left, right):
            return difference(_expression(left, tag_ids), _expression(right, tag_ids))
