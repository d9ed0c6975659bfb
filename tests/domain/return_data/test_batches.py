"""Add, remove, replace, undo and expire batches in any order, against a plain model.

The rule: docs/specification.md §4.2.
"""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.return_data import members as return_support
from service.domain.return_data.batches import expire_batches, settle_batches, undo_batch
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.errors import ConflictError
from service.entities.return_data import Receipt, ReturnMode
from tests.support.clock import START, FrozenClock
from tests.support.database_state import miscounted, replay_and_check, skip_ordinals
from tests.support.examples import compared_with_model
from tests.support.runtime import admin, bind
from tests.support.tags import members_of, members_of_batches, submission_of, submit

PEOPLE = tuple(f"person-{number}" for number in range(9))
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Submit:
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


Step = Submit | Undo | Pass | Settle

some_people = st.frozensets(st.sampled_from(PEOPLE))
steps = st.lists(
    st.one_of(
        st.builds(Submit, st.just(ReturnMode.ADD), some_people, st.none() | st.integers(1, 9)),
        st.builds(Submit, st.just(ReturnMode.ADD), some_people),
        st.builds(Submit, st.sampled_from((ReturnMode.REMOVE, ReturnMode.REPLACE)), some_people),
        st.builds(Undo, st.integers(0, 9)),
        st.builds(Pass, st.integers(1, 6)),
        st.builds(Settle),
    ),
    min_size=1,
    max_size=12,
)


@dataclass
class Model:
    """Hold the people of each batch in force, as sets."""

    held: dict[int, set[str]] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    now: int = 0

    @property
    def members(self) -> set[str]:
        return self.settled.union(*self.held.values())

    def submit(self, number: int, step: Submit) -> tuple[int, int, int]:
        """Return how many were added, removed, unchanged."""
        before = self.members
        if step.mode is ReturnMode.REMOVE:
            for held in self.held.values():
                held.difference_update(step.people)
            self.settled -= step.people
            gone = before & step.people
            return 0, len(gone), len(step.people - gone)
        if step.mode is ReturnMode.REPLACE:
            self.held, self.ends, self.settled = {}, {}, set()
        self.held[number] = set(step.people)
        if step.lasts is not None:
            self.ends[number] = self.now + step.lasts
        return len(step.people - before), len(before - self.members), len(step.people & before)

    def end(self, number: int) -> tuple[int, int]:
        """Return how many lost the tag, and how many keep it."""
        held = self.held.pop(number)
        self.ends.pop(number, None)
        return len(held - self.members), len(held & self.members)

    def expire(self) -> None:
        for number in [number for number, end in self.ends.items() if end <= self.now]:
            self.end(number)

    def settle(self) -> None:
        for number in [number for number in self.held if number not in self.ends]:
            self.settled |= self.held.pop(number)


@pytest.fixture(params=["a row for few", "a row a block", "bits"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Hold people in each of the three forms."""
    name: str = request.param
    if name != "a row for few":
        monkeypatch.setattr(return_support, "MAX_ORDINALS_PER_SEGMENT", 0)
    if name == "bits":
        monkeypatch.setattr(return_support, "MAX_ORDINALS_PER_LIST", 1)
    return name


@compared_with_model(examples=40)
@given(story=steps)
async def test_batches_are_what_a_plain_model_says(
    runtime: Runtime, clock: FrozenClock, form: str, story: list[Step]
) -> None:
    del form
    clock.now = START
    channel = await bind(runtime)
    # Some people in each of three blocks, the last two in the second segment.
    await skip_ordinals(runtime, channel, 32_000 * 31 + 31_997)
    teller = _Teller(runtime, clock, channel)
    await teller.begin()

    for step in story:
        await teller.tell(step)
        assert await members_of(runtime, channel, teller.tag_id) == teller.model.members
        assert await members_of_batches(runtime, channel, teller.tag_id) == teller.model.members
    assert await miscounted(runtime, channel) == []
    assert (await verify_channel(runtime, channel, repair=False)).clean
    await replay_and_check(runtime, channel)


class _Teller:
    def __init__(self, runtime: Runtime, clock: FrozenClock, channel: Channel) -> None:
        self.runtime = runtime
        self.clock = clock
        self.channel = channel
        self.model = Model()
        self.receipts: list[Receipt] = []
        self.undone: dict[int, tuple[int, int]] = {}
        self.tag_id = 0

    async def begin(self) -> None:
        """Make the tag, and the people with a gap so that they lie in several blocks."""
        self.tag_id = (await submit(self.runtime, self.channel, submission_of([]))).tag_id
        await submit(self.runtime, self.channel, submission_of(PEOPLE[:6], label="Other"))
        await skip_ordinals(self.runtime, self.channel, 32_000 * 33)
        await submit(self.runtime, self.channel, submission_of(PEOPLE, label="Other"))

    async def tell(self, step: Step) -> None:
        match step:
            case Submit():
                await self._submit(step)
            case Undo(number) if number < len(self.receipts):
                await self._undo(number)
            case Pass(seconds):
                self.clock.advance(seconds * SECOND)
                self.model.now += seconds
                self.model.expire()
                await expire_batches(self.runtime, self.channel.channel_id)
            case Settle():
                self.model.settle()
                await settle_batches(self.runtime, self.channel.channel_id, self.clock.now + SECOND)
            case _:
                pass

    async def _submit(self, step: Submit) -> None:
        expires_at = None if step.lasts is None else self.clock.now + step.lasts * SECOND
        submission = submission_of(step.people, step.mode, expires_at=expires_at)
        receipt = await submit(self.runtime, self.channel, submission)
        expected = self.model.submit(len(self.receipts), step)
        assert (receipt.added, receipt.removed, receipt.unchanged) == expected
        self.receipts.append(receipt)

    async def _undo(self, number: int) -> None:
        receipt = self.receipts[number]
        if receipt.mode is not ReturnMode.ADD:
            return
        in_force = number in self.model.held
        if not in_force and number not in self.undone:
            with pytest.raises(ConflictError):
                await undo_batch(self.runtime, admin(), receipt.channel_id, receipt.batch_id)
            return
        _, ended = await undo_batch(self.runtime, admin(), receipt.channel_id, receipt.batch_id)
        if in_force:
            self.undone[number] = self.model.end(number)
        assert (ended.removed, ended.kept) == self.undone[number]
