"""Write to tags in any order and merge them, at once or step by step, against a plain model of batches.

The rule: docs/specification.md §4.7. A merge counts at its end; what people gain before that is shown meanwhile.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.combos.cleanup import clear_members
from service.domain.jobs.lookup import cancel_job
from service.domain.merging import slices
from service.domain.merging.taking_back import take_back_merges
from service.domain.privacy.forgetting import forget_openid
from service.domain.return_data.batches import expire_batches, settle_batches, undo_batch
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.jobs import Job, JobKind, JobState
from service.entities.return_data import Receipt, ReturnMode
from tests.support.clock import START, FrozenClock
from tests.support.database_state import miscounted, replay_and_check, skip_ordinals
from tests.support.examples import compared_with_model
from tests.support.merging import begin_merge, do_slice, members_by_keys
from tests.support.runtime import admin, bind
from tests.support.tags import submission_of, submit, tag_ids_by_openid

PEOPLE = tuple(f"person-{number}" for number in range(6))
LABELS = ("Gold", "Silver", "Bronze")
SECOND = timedelta(seconds=1)
ADD, REMOVE, REPLACE = ReturnMode.ADD, ReturnMode.REMOVE, ReturnMode.REPLACE


@dataclass(frozen=True)
class Submit:
    label: str
    mode: ReturnMode
    people: frozenset[str]
    lasts: int | None = None


@dataclass(frozen=True)
class Undo:
    batch: int


@dataclass(frozen=True)
class Pass:
    seconds: int


@dataclass(frozen=True)
class Settle:
    pass


@dataclass(frozen=True)
class Forget:
    person: str


@dataclass(frozen=True)
class Begin:
    """Begin to merge the tag that has a key into the one that has another."""

    label: str
    into: str


@dataclass(frozen=True)
class Work:
    """Do the next slice of the merge under way."""


@dataclass(frozen=True)
class Cancel:
    """Cancel the merge under way, and take it back."""


Step = Submit | Undo | Pass | Settle | Forget | Begin | Work | Cancel

# The first merge is of these two; what is written concerns them mostly.
FIRST: Final = Begin("Silver", "Gold")
labels = st.sampled_from(("Silver", "Silver", "Gold", "Gold", "Bronze"))
some_people = st.frozensets(st.sampled_from(PEOPLE), max_size=4)
additions = st.builds(Submit, labels, st.just(ADD), some_people, st.none() | st.integers(1, 9))
writes = st.one_of(
    additions,
    additions,
    st.builds(Submit, labels, st.sampled_from((REMOVE, REPLACE)), some_people),
    st.builds(Submit, labels, st.sampled_from((REMOVE, REPLACE)), some_people),
    st.builds(Undo, st.integers(0, 5)),
    st.builds(Pass, st.integers(1, 6)),
    st.builds(Settle),
    st.builds(Forget, st.sampled_from(PEOPLE)),
)
# Tags that have people are merged, and much happens while they are; then anything, perhaps another merge.
steps = st.tuples(
    st.lists(additions, min_size=1, max_size=4),
    st.just([FIRST]),
    st.lists(writes | st.builds(Work), min_size=2, max_size=6),
    st.lists(st.builds(Work) | st.builds(Cancel) | st.builds(Begin, labels, labels) | writes, max_size=8),
).map(lambda parts: list(chain(*parts)))


@dataclass
class Batch:
    """Hold the key by which a batch came, and its people."""

    key: str
    people: set[str]
    ends: int | None


@dataclass
class Model:
    """Hold the batches in force, who was settled by which key, and the tag, named by its first key, that has each."""

    batches: dict[int, Batch] = field(default_factory=dict)
    settled: dict[str, set[str]] = field(default_factory=lambda: {label: set() for label in LABELS})
    owner: dict[str, str] = field(default_factory=lambda: {label: label for label in LABELS})
    now: int = 0

    def keys(self, tag: str) -> set[str]:
        return {key for key, owner in self.owner.items() if owner == tag}

    def members(self, tag: str) -> set[str]:
        keys = self.keys(tag)
        held = [each.people for each in self.batches.values() if each.key in keys]
        return set().union(*held, *(self.settled[key] for key in keys))

    def submit(self, number: int, step: Submit) -> None:
        if step.mode is REMOVE:
            for key in self.keys(self.owner[step.label]):
                self.remove(step.people, {key})
            return
        if step.mode is REPLACE:
            self.batches = {place: each for place, each in self.batches.items() if each.key != step.label}
            self.settled[step.label] = set()
        ends = None if step.lasts is None else self.now + step.lasts
        self.batches[number] = Batch(step.label, set(step.people), ends)

    def remove(self, people: frozenset[str], keys: set[str]) -> None:
        for batch in self.batches.values():
            if batch.key in keys:
                batch.people -= people
        for key in keys:
            self.settled[key] -= people

    def expire(self) -> None:
        over = [place for place, each in self.batches.items() if each.ends is not None and each.ends <= self.now]
        for place in over:
            del self.batches[place]

    def settle(self) -> None:
        for place in [place for place, each in self.batches.items() if each.ends is None]:
            batch = self.batches.pop(place)
            self.settled[batch.key] |= batch.people

    def merge(self, tag: str, into: str) -> None:
        self.owner = {key: into if owner == tag else owner for key, owner in self.owner.items()}


@compared_with_model(examples=60)
@given(story=steps)
async def test_members_are_what_a_plain_model_says_whatever_is_merged_when(
    runtime: Runtime, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, story: list[Step]
) -> None:
    monkeypatch.setattr(slices, "BLOCKS_PER_SLICE", 1)
    clock.now = START
    channel = await bind(runtime)
    teller = Teller(runtime, clock, channel)
    await teller.begin()

    for step in story:
        await teller.tell(step)
        await teller.check()
    await teller.finish()
    assert await miscounted(runtime, channel) == []
    assert (await verify_channel(runtime, channel, repair=False)).clean
    if not any(isinstance(step, Forget) for step in story):
        await replay_and_check(runtime, channel)


class Teller:
    """Tell the service and the model the same story."""

    def __init__(self, runtime: Runtime, clock: FrozenClock, channel: Channel) -> None:
        self.runtime = runtime
        self.clock = clock
        self.channel = channel
        self.model = Model()
        self.receipts: list[Receipt] = []
        self.tag_ids: dict[str, int] = {}
        self.merging: tuple[Job, Begin] | None = None
        # Of those who had the tag when its merge began, and have had it since, some may not have the other one yet.
        self.since_before: set[str] = set()
        self.shown: set[str] = set()

    async def begin(self) -> None:
        """Make the tags, and people in two blocks."""
        await submit(self.runtime, self.channel, submission_of(PEOPLE[:3], label="Other"))
        await skip_ordinals(self.runtime, self.channel, 32_000 * 33)
        await submit(self.runtime, self.channel, submission_of(PEOPLE, label="Other"))
        for label in LABELS:
            self.tag_ids[label] = (await submit(self.runtime, self.channel, submission_of([], label=label))).tag_id

    async def check(self) -> None:
        """Check who has which tag; while two are merged, people of the one may have the other."""
        held = await tag_ids_by_openid(self.runtime, self.channel)
        for label, tag_id in self.tag_ids.items():
            expected = self.model.members(label)
            assert await members_by_keys(self.runtime, self.channel, tag_id) == expected
            if self.model.owner[label] != label:
                continue
            found = {openid for openid, tag_ids in held.items() if tag_id in tag_ids}
            if self.merging is not None and label == self.merging[1].into:
                coming = self.model.members(self.merging[1].label)
                self.since_before &= coming
                assert expected | coming - self.since_before | coming & self.shown <= found <= expected | coming
                self.shown = found
            else:
                assert found == expected
        if self.merging is not None:
            assert (await verify_channel(self.runtime, self.channel, repair=False)).clean

    async def finish(self) -> None:
        """Bring a merge under way to its end."""
        while self.merging is not None:
            await self.tell(Work())
        await self.check()

    async def tell(self, step: Step) -> None:
        channel_id = self.channel.channel_id
        match step:
            case Submit():
                await self._submit(step)
            case Undo(number) if number in self.model.batches and self.receipts[number].mode is ADD:
                before = self.model.batches.pop(number)
                tag = self.model.owner[before.key]
                receipt = self.receipts[number]
                _, ended = await undo_batch(self.runtime, admin(), channel_id, receipt.batch_id)
                lost = before.people - self.model.members(tag)
                if self.merging is not None and tag == self.merging[1].into:
                    lost -= self.model.members(self.merging[1].label)
                assert (ended.removed, ended.kept) == (len(lost), len(before.people - lost))
            case Pass(seconds):
                self.clock.advance(seconds * SECOND)
                self.model.now += seconds
                self.model.expire()
                await expire_batches(self.runtime, channel_id)
            case Settle():
                self.model.settle()
                await settle_batches(self.runtime, channel_id, self.clock.now + SECOND)
            case Forget(person):
                self.model.remove(frozenset({person}), set(LABELS))
                await forget_openid(self.runtime, channel_id, person)
            case Begin(label, into) if self.merging is None:
                await self._begin(label, into)
            case Work() if self.merging is not None:
                await self._work()
            case Cancel() if self.merging is not None:
                job, _ = self.merging
                await cancel_job(self.runtime, admin(), JobKind.TAG_MERGE, channel_id, job.job_id)
                await take_back_merges(self.runtime, channel_id)
                self.merging = None
            case _:
                pass

    async def _submit(self, step: Submit) -> None:
        expires_at = None if step.lasts is None else self.clock.now + step.lasts * SECOND
        submission = submission_of(step.people, step.mode, label=step.label, expires_at=expires_at)
        receipt = await submit(self.runtime, self.channel, submission)
        assert receipt.tag_id == self.tag_ids[self.model.owner[step.label]]
        self.model.submit(len(self.receipts), step)
        self.receipts.append(receipt)

    async def _begin(self, label: str, into: str) -> None:
        sides = Begin(self.model.owner[label], self.model.owner[into])
        if sides.label != sides.into:
            self.since_before, self.shown = self.model.members(sides.label), set()
            job = await begin_merge(self.runtime, self.channel, self.tag_ids[sides.label], self.tag_ids[sides.into])
            self.merging = job, sides

    async def _work(self) -> None:
        assert self.merging is not None
        job, sides = self.merging
        # The worker before is taken for dead.
        await self.runtime.pool.execute("update job set lease_until = null")
        if (await do_slice(self.runtime, job)).state is JobState.DONE:
            self.model.merge(sides.label, sides.into)
            self.merging = None
            await clear_members(self.runtime, self.channel.channel_id)
