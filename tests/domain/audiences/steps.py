"""Name what can happen to the tags of a channel, and draw stories of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias, Union

from hypothesis import strategies as st

from service.entities.return_data import ReturnMode
from service.entities.users import EventKind

OPENIDS: Final = ("p0", "p1", "p2", "p3", "q0", "q1")
LABELS: Final = ("Gold", "Silver")
# More than are logged one by one, and more than are listed: such changes are logged by tag, and as bitmaps.
CROWDS: Final = (
    tuple(f"crowd{number}" for number in range(70)),
    tuple(f"crowd{number}" for number in range(40, 400)),
)
# None is everybody who follows, a number one of the tags that there are, and a tuple an operator with two operands.
Shape: TypeAlias = Union[int, tuple[str, "Shape", "Shape"], None]  # noqa: UP007 - it contains itself


@dataclass(frozen=True)
class Happen:
    events: tuple[tuple[str, EventKind, timedelta], ...]


@dataclass(frozen=True)
class AdFollowed:
    openid: str
    ad_id: str


@dataclass(frozen=True)
class Submit:
    mode: ReturnMode
    openids: tuple[str, ...]
    label: str
    seconds: int


@dataclass(frozen=True)
class Undo:
    number: int


@dataclass(frozen=True)
class MakeAd:
    ad_ids: tuple[str, ...]


@dataclass(frozen=True)
class ConfirmAds:
    pass


@dataclass(frozen=True)
class MakeCombo:
    shape: Shape


@dataclass(frozen=True)
class Edit:
    number: int
    shape: Shape


@dataclass(frozen=True)
class Delete:
    number: int


@dataclass(frozen=True)
class Merge:
    number: int


@dataclass(frozen=True)
class Clear:
    pass


@dataclass(frozen=True)
class Refresh:
    pass


@dataclass(frozen=True)
class TimePasses:
    hours: int


@dataclass(frozen=True)
class Forget:
    openid: str


@dataclass(frozen=True)
class Migrate:
    before: str
    after: str


@dataclass(frozen=True)
class ShutGate:
    pass


@dataclass(frozen=True)
class Prune:
    hours: int


@dataclass(frozen=True)
class SkipToNextBlock:
    pass


NUMBERS: Final = st.integers(0, 7)
SHAPES: Final = st.recursive(
    st.none() | st.integers(0, 20),
    lambda inner: st.tuples(st.sampled_from(("all", "any", "except")), inner, inner),
    max_leaves=4,
)
_openids = st.sampled_from(OPENIDS)
_events = st.lists(
    st.tuples(_openids, st.sampled_from(tuple(EventKind)), st.integers(0, 90).map(lambda n: timedelta(minutes=n))),
    min_size=1,
    max_size=4,
).map(lambda events: Happen(tuple(events)))
_lists = st.lists(_openids, max_size=4, unique=True).map(tuple) | st.sampled_from(CROWDS)
STEPS: Final = st.one_of(
    _events,
    _events,
    st.builds(Submit, st.just(ReturnMode.ADD), _lists, st.sampled_from(LABELS), st.sampled_from((0, 0, 3_600))),
    st.builds(Submit, st.sampled_from(tuple(ReturnMode)), _lists, st.sampled_from(LABELS), st.just(0)),
    st.builds(Undo, NUMBERS) | st.builds(AdFollowed, _openids, st.sampled_from("12")),
    st.builds(MakeAd, st.sampled_from((("1",), ("1", "2")))) | st.builds(ConfirmAds),
    st.builds(MakeCombo, SHAPES),
    st.builds(Edit, NUMBERS, SHAPES) | st.builds(Delete, NUMBERS),
    st.builds(Refresh) | st.builds(Merge, NUMBERS),
    st.builds(Clear) | st.builds(SkipToNextBlock) | st.builds(ShutGate),
    st.builds(TimePasses, st.sampled_from((1, 3, 49))),
    st.builds(Forget, _openids | st.just("crowd50")) | st.builds(Migrate, _openids, _openids),
    st.builds(Prune, st.sampled_from((0, 1, 30))),
)
# Each step with the seconds since the one before; several may share an instant.
STORIES: Final = st.lists(st.tuples(STEPS, st.sampled_from((0, 1, 600))), min_size=3, max_size=14)
