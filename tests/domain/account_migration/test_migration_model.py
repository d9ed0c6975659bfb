"""Migrate openids between events, lists, links and forgetting, in any order and again, against a plain model."""

from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.domain.account_migration.migrating import migrate_openids
from service.domain.account_migration.pairs import OpenidPair
from service.domain.events.recorder import record_events
from service.domain.people.identities import IdentityPair, link_identities
from service.domain.privacy.forgetting import forget_openid
from service.domain.return_data.batches import settle_batches, undo_batch
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel, ChannelKind
from service.entities.return_data import Receipt, ReturnMode
from service.entities.users import EventKind, UserEvent
from service.foundation.settings import Windows
from tests.domain.account_migration.migration_model import Model, Pair
from tests.support.clock import START, FrozenClock
from tests.support.database_state import expected_facts, facts_by_openid, miscounted, skip_ordinals
from tests.support.examples import compared_with_model
from tests.support.oracle import oracle_tags
from tests.support.runtime import admin, bind
from tests.support.tags import make_ad_tag, submission_of, submit, tag_ids_by_openid

OPENIDS = tuple(f"{account}{number}" for account in "abc" for number in range(3))
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Record:
    events: tuple[tuple[str, EventKind, int, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Submit:
    mode: ReturnMode
    openids: tuple[str, ...]


@dataclass(frozen=True)
class Undo:
    batch: int


@dataclass(frozen=True)
class Settle:
    pass


@dataclass(frozen=True)
class Link:
    openid: str
    unionid: str


@dataclass(frozen=True)
class Forget:
    openid: str


@dataclass(frozen=True)
class Migrate:
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class SkipToNextBlock:
    pass


openids = st.sampled_from(OPENIDS)
pairs = st.tuples(openids, openids) | st.tuples(st.sampled_from(OPENIDS[:3]), st.sampled_from(OPENIDS[3:6]))
records = st.lists(
    st.tuples(openids, st.sampled_from(tuple(EventKind)), st.integers(0, 3), st.just(()))
    | st.tuples(openids, st.just(EventKind.FOLLOW), st.integers(0, 3), st.just(("1",))),
    min_size=1,
    max_size=4,
).map(lambda events: Record(tuple(events)))
lists = st.lists(openids, max_size=4).map(tuple)
migrations = st.lists(pairs, min_size=1, max_size=4).map(lambda some: Migrate(tuple(some)))
steps = st.lists(
    st.one_of(
        records,
        st.builds(Submit, st.just(ReturnMode.ADD), lists),
        st.builds(Submit, st.sampled_from(tuple(ReturnMode)), lists),
        st.builds(Undo, st.integers(0, 3)) | st.builds(Settle) | st.builds(SkipToNextBlock),
        st.builds(Link, openids, st.sampled_from(("u1", "u2"))),
        st.builds(Forget, openids),
        migrations,
        migrations,
    ),
    min_size=2,
    max_size=12,
)


@dataclass
class Teller:
    """Let a story happen to a channel and to the model."""

    runtime: Runtime
    channel: Channel
    clock: FrozenClock
    model: Model = field(default_factory=Model)
    receipts: list[Receipt] = field(default_factory=list)
    blocks: int = 1
    gold: int = 0
    ad_tag: int = 0

    async def begin(self) -> None:
        self.gold = (await submit(self.runtime, self.channel, submission_of([]))).tag_id
        self.ad_tag = (await make_ad_tag(self.runtime, self.channel, "Ad", "1")).tag_id

    async def tell(self, step: object) -> None:
        """Let one thing happen; a second has passed since the last one."""
        self.clock.advance(5 * SECOND)
        match step:
            case Record(events):
                await self._record(
                    [
                        UserEvent(openid, kind, self.clock() - ago * SECOND, ad_ids=ads)
                        for openid, kind, ago, ads in events
                    ]
                )
            case Submit(mode, some):
                await self._submit(mode, some)
            case Undo(number) if number < len(self.receipts):
                await self._undo(self.receipts[number])
            case Settle():
                await settle_batches(self.runtime, self.channel.channel_id, self.clock.now + SECOND)
                self.receipts = []
            case SkipToNextBlock():
                # So that two halves of a person may lie in two blocks.
                await skip_ordinals(self.runtime, self.channel, self.blocks * BLOCK_SIZE)
                self.blocks += 1
            case Link(openid, unionid):
                await link_identities(self.runtime, self.channel, [IdentityPair(openid, unionid)])
                self.model.link(openid, unionid)
            case Forget(openid):
                await forget_openid(self.runtime, self.channel.channel_id, openid)
                self.model.forget(openid)
            case Migrate(some_pairs):
                await self._migrate(some_pairs)

    async def _record(self, events: list[UserEvent]) -> None:
        await record_events(self.runtime, self.channel, events)
        for event, person in zip(events, self.model.find_or_create(event.openid for event in events), strict=True):
            person.events.append(event)

    async def _submit(self, mode: ReturnMode, some: tuple[str, ...]) -> None:
        receipt = await submit(self.runtime, self.channel, submission_of(some, mode))
        if mode is not ReturnMode.ADD:
            named = [person for person in map(self.model.find, some) if person is not None]
            for person in named if mode is ReturnMode.REMOVE else self.model.people:
                person.batches.clear()
        if mode is not ReturnMode.REMOVE:
            for person in self.model.find_or_create(dict.fromkeys(some)):
                person.batches.add(receipt.batch_id)
        if mode is ReturnMode.REPLACE:
            self.receipts = []
        elif mode is ReturnMode.ADD:
            self.receipts.append(receipt)

    async def _undo(self, receipt: Receipt) -> None:
        await undo_batch(self.runtime, admin(), receipt.channel_id, receipt.batch_id)
        for person in self.model.people:
            person.batches.discard(receipt.batch_id)

    async def _migrate(self, some: tuple[Pair, ...]) -> None:
        expected = self.model.migrate(some)
        done = await migrate_openids(self.runtime, self.channel, [OpenidPair(*pair) for pair in some])
        assert (done.moved, done.unchanged, done.united, done.unknown) == (
            expected.moved,
            expected.unchanged,
            expected.united,
            expected.unknown,
        )
        assert {each.index: each.code.value for each in done.rejected} == expected.rejected

    async def check(self) -> None:
        """Compare everything that is stored with the model."""
        people = self.model.people
        rows = await self.runtime.pool.fetch(
            "select openid, unionid from channel_user where channel_id = $1 order by ordinal", self.channel.channel_id
        )
        assert [(row["openid"], row["unionid"]) for row in rows] == [(each.openid, each.unionid) for each in people]
        former = await self.runtime.pool.fetch(
            "select f.openid, u.openid as present from former_openid f"
            " left join channel_user u using (channel_id, ordinal) where channel_id = $1",
            self.channel.channel_id,
        )
        assert {(row["openid"], row["present"]) for row in former} == {
            (openid, each.openid) for each in people for openid in each.former
        }
        assert await facts_by_openid(self.runtime, self.channel) == {
            each.openid: expected_facts(set(each.events)) for each in people
        }
        tags = await tag_ids_by_openid(self.runtime, self.channel)
        assert {each.openid: set(tags.get(each.openid, ())) for each in people} == {
            each.openid: self._tags(each.events, each.batches) for each in people
        }

    def _tags(self, events: list[UserEvent], batches: set[int]) -> set[int]:
        default = oracle_tags(events, self.channel.bound_at, Windows(), self.clock(), ChannelKind.SERVICE_ACCOUNT)
        from_ad = any(event.ad_ids for event in events)
        return (
            {rule.value for rule in default}
            | ({self.gold} if batches else set())
            | ({self.ad_tag} if from_ad else set())
        )


@compared_with_model(examples=40)
@given(story=steps)
async def test_whatever_happens_people_are_what_the_model_says(
    runtime: Runtime, clock: FrozenClock, story: list[object]
) -> None:
    clock.now = START
    teller = Teller(runtime, await bind(runtime), clock)
    await teller.begin()
    for step in story:
        await teller.tell(step)
        await teller.check()
    assert await miscounted(runtime, teller.channel) == []
    assert (await verify_channel(runtime, teller.channel, repair=False)).clean
    user_count = "select user_count from channel_state where channel_id = $1"
    assert await runtime.pool.fetchval(user_count, teller.channel.channel_id) == len(teller.model.people)
