"""Check pairs of openids, before and after a migration, against each other (docs/specification.md §2)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from service.domain.input_rules import MALFORMED_OPENID_REASON, OPENID_PATTERN, Rejection, RejectionReason
from service.entities.errors import RejectionCode
from service.foundation.slices import in_slices


@dataclass(frozen=True, slots=True)
class OpenidPair:
    """Say that whoever was `former` at the account before is `present` at the one that it was migrated to."""

    former: str
    present: str


class IndexedPair(NamedTuple):
    """Hold a pair and its place in the list, from 0."""

    place: int
    pair: OpenidPair


class CheckedPairs(NamedTuple):
    """Hold the good pairs, in which each openid comes once; how many repeat one of them; and the rejected ones."""

    good: list[IndexedPair]
    repeated: int
    rejected: list[Rejection]


async def check_pairs(pairs: Sequence[OpenidPair]) -> CheckedPairs:
    """Sort a list of pairs out; what the list says must not depend on its order."""
    rejected: list[Rejection] = []
    formed: list[IndexedPair] = []
    async for part in in_slices([IndexedPair(*each) for each in enumerate(pairs)]):
        for each in part:
            if (reason := _own_rejection(each.pair)) is not None:
                rejected.append(Rejection(each.place, *reason))
            else:
                formed.append(each)
    presents = _grouped((pair.former, pair.present) for _, pair in formed)
    formers = _grouped((pair.present, pair.former) for _, pair in formed)
    good: dict[OpenidPair, int] = {}
    async for part in in_slices(formed):
        for index, pair in part:
            if (message := _contradiction(pair, presents, formers)) is not None:
                rejected.append(Rejection(index, RejectionCode.BAD_VALUE, message))
            else:
                good.setdefault(pair, index)
    indexed = [IndexedPair(index, pair) for pair, index in good.items()]
    return CheckedPairs(indexed, len(pairs) - len(rejected) - len(indexed), rejected)


def _own_rejection(pair: OpenidPair) -> RejectionReason | None:
    if OPENID_PATTERN.fullmatch(pair.former) is None or OPENID_PATTERN.fullmatch(pair.present) is None:
        return RejectionReason(RejectionCode.MALFORMED_OPENID, MALFORMED_OPENID_REASON)
    if pair.former == pair.present:
        return RejectionReason(RejectionCode.BAD_VALUE, "The two openids are the same.")
    return None


def _contradiction(pair: OpenidPair, presents: dict[str, set[str]], formers: dict[str, set[str]]) -> str | None:
    """Return what in the list contradicts one of its pairs; None if nothing does."""
    if len(presents[pair.former]) > 1:
        return "The list has several openids that this one became."
    if len(formers[pair.present]) > 1:
        return "The list has several openids that became this one."
    if pair.present in presents or pair.former in formers:
        return "An openid is both before and after the migration in this list."
    return None


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    grouped: defaultdict[str, set[str]] = defaultdict(set)
    for key, value in pairs:
        grouped[key].add(value)
    return dict(grouped)
