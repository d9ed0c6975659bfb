"""Draw histories of a few people: the events, the reports of them, and the time that passes between."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import strategies as st

from service.domain.default_tags.scheduled_run import apply_windows, run_default_tags
from service.domain.events.recorder import EventRecorder
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.users import EventKind, UserEvent
from service.foundation.settings import Windows
from tests.support.clock import START, FrozenClock
from tests.support.database_state import expected_facts, facts_by_openid, miscounted, replay_and_check, tags_by_openid
from tests.support.oracle import oracle_tags

PEOPLE = ("ann", "ben", "cyd")
MAX_CLOCK_SKEW = timedelta(minutes=5)
HOUR = 3600
# Close to each other, so that ties and exact boundaries are common.
MOMENTS = (-48, -47, -1, 0, 1, 48)
OFFSETS_IN_SECONDS = (-1, 0, 0, 0, 1)
FRACTIONS_IN_MICROSECONDS = (0, 0, 1, 400_000, 999_999)


@dataclass(frozen=True, slots=True)
class Report:
    """Hand events over together; each is an index into the history, and may come again."""

    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TimePasses:
    """Let time pass; the scheduled run notices unless it is down."""

    by: timedelta
    run: bool


@dataclass(frozen=True, slots=True)
class ReachBoundary:
    """Let time pass until just before, at, or just after the end of something that an event started."""

    event: int
    window: int
    offset: int
    run: bool


Step = Report | TimePasses | ReachBoundary


@dataclass(frozen=True, slots=True)
class History:
    events: tuple[UserEvent, ...]
    steps: tuple[Step, ...]


def moments() -> st.SearchStrategy[datetime]:
    """Draw times around the moment the channel is bound: most of them whole seconds, as WeChat's are."""
    around = st.builds(
        lambda hours, offset: hours * HOUR + offset, st.sampled_from(MOMENTS), st.sampled_from(OFFSETS_IN_SECONDS)
    )
    return st.builds(
        lambda seconds, fraction: START + timedelta(seconds=seconds, microseconds=fraction),
        st.one_of(around, around, st.integers(-60 * HOUR, 50 * HOUR)),
        st.sampled_from(FRACTIONS_IN_MICROSECONDS),
    )


def events(kinds: Sequence[EventKind]) -> st.SearchStrategy[UserEvent]:
    def event(openid: str, kind: EventKind, at: datetime, from_ad: bool) -> UserEvent:
        return UserEvent(openid, kind, at, from_ad=from_ad and kind is EventKind.FOLLOW)

    return st.builds(event, st.sampled_from(PEOPLE), st.sampled_from(kinds), moments(), st.booleans())


@st.composite
def histories(draw: st.DrawFn, kinds: Sequence[EventKind] = tuple(EventKind)) -> History:
    """Draw events, and a way to report them all: in any order, repeated, in batches, with runs between."""
    happened = tuple(draw(st.lists(events(kinds), min_size=1, max_size=8)))
    indexes = range(len(happened))
    order = [*draw(st.permutations(indexes)), *draw(st.lists(st.sampled_from(indexes), max_size=3))]
    passing = st.one_of(
        st.builds(TimePasses, st.integers(0, 30 * HOUR).map(lambda seconds: timedelta(seconds=seconds)), st.booleans()),
        st.builds(
            ReachBoundary,
            st.sampled_from(indexes),
            st.sampled_from((1, 48)),
            st.sampled_from(OFFSETS_IN_SECONDS),
            st.booleans(),
        ),
    )
    steps: list[Step] = []
    while order:
        size = draw(st.integers(1, 4))
        steps.append(Report(tuple(order[:size])))
        order = order[size:]
        steps += draw(st.lists(passing, max_size=2))
    steps.append(
        draw(
            st.builds(
                ReachBoundary,
                st.sampled_from(indexes),
                st.sampled_from((1, 48)),
                st.sampled_from(OFFSETS_IN_SECONDS),
                st.just(True),
            )
        )
    )
    return History(happened, tuple(steps))


class HistoryPlayer:
    """Play a history on one channel, and compare with the oracle whenever everybody must have been evaluated.

    `reporters` take turns in recording, as processes on several hosts do; `clock` is the fastest of their clocks.
    """

    def __init__(self, runtime: Runtime, clock: FrozenClock, channel: Channel, *reporters: Runtime) -> None:
        self.runtime = runtime
        self.clock = clock
        self.channel = channel
        self.windows = runtime.settings.windows
        self.reported: set[UserEvent] = set()
        self._recorders = itertools.cycle([EventRecorder(reporter) for reporter in reporters or (runtime,)])
        self._lag = max(clock() - reporter.clock() for reporter in reporters or (runtime,))
        self._evaluated_at: datetime | None = None

    async def play(self, history: History) -> None:
        for step in history.steps:
            match step:
                case Report(indexes):
                    await self.report([history.events[index] for index in indexes])
                case TimePasses(by, run):
                    await self.advance_to(self.clock.now + by, run=run)
                case ReachBoundary(index, window, offset, run):
                    end = history.events[index].at + timedelta(hours=window, seconds=offset)
                    await self.advance_to(end, run=run)
        await self.check_final()

    async def check_final(self) -> None:
        """Let the scheduled run come, and compare everything with everything."""
        await self.advance_to(self.clock.now, run=True)
        assert (await verify_channel(self.runtime, self.channel, repair=False)).clean
        await replay_and_check(self.runtime, self.channel)

    async def report(self, batch: Sequence[UserEvent]) -> None:
        """Hand events over as soon as nothing in them is ahead of what every reporter allows."""
        self.clock.now = max(self.clock.now, *(event.at - MAX_CLOCK_SKEW + self._lag for event in batch))
        recorded = await next(self._recorders).record(self.channel, batch)
        assert recorded.accepted == len(batch)
        self.reported |= set(batch)
        if self._evaluated_at == self.clock.now:
            await self.check()

    async def change_windows(self, windows: Windows) -> None:
        """Put other windows in force; they hold for everybody from the next run on."""
        await apply_windows(replace(self.runtime, settings=replace(self.runtime.settings, windows=windows)))
        self.windows = windows
        self._evaluated_at = None

    async def advance_to(self, moment: datetime, *, run: bool) -> None:
        self.clock.now = max(self.clock.now, moment)
        if run:
            await run_default_tags(self.runtime, self.channel)
            self._evaluated_at = self.clock.now
            await self.check()

    async def check(self) -> None:
        """Check that facts, tags and counts are those of the events reported so far."""
        by_person = {openid: {event for event in self.reported if event.openid == openid} for openid in PEOPLE}
        known = {openid: happened for openid, happened in by_person.items() if happened}
        assert await facts_by_openid(self.runtime, self.channel) == {
            openid: expected_facts(happened) for openid, happened in known.items()
        }
        assert await tags_by_openid(self.runtime, self.channel) == {
            openid: oracle_tags(happened, self.channel.bound_at, self.windows, self.clock.now, self.channel.kind)
            for openid, happened in known.items()
        }
        assert await miscounted(self.runtime, self.channel) == []
