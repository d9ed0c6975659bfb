"""Compare tags by their bits, block by block, with an end to how much is read and how long it takes.

A claim about two tags fails in the first block that speaks against it. So those that their counts leave are first held
against a few blocks, where nearly all fail that are not true; what is left is proven in all blocks, the gravest first.
What could not be compared within the budget is not claimed.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, TypeAlias

from service.domain.hints.member_counts import MemberCounts
from service.foundation.off_loop import run_off_loop
from service.storage import hints
from service.storage.database.pool import Connection

# The members of tags in blocks, `{block: {tag_id: bits}}`.
Bits: TypeAlias = Mapping[int, Mapping[int, int]]

# 8 MB at a time.
BITMAPS_PER_STATEMENT: Final = 2_000
BLOCKS_TO_SIFT_BY: Final = 16
# So few are proven at once.
FEW_CLAIMS: Final = 100
# 1.6 GB, which takes a few seconds.
MAX_BITMAPS: Final = 400_000
MAX_SECONDS: Final = 8.0


class BudgetUsedUpError(Exception):
    """Report that no more bits are read for this channel."""


class Claim(NamedTuple):
    """Say of two tags that nobody has both or, without `disjoint`, that whoever has the first has the second."""

    tag_id: int
    other_id: int
    disjoint: bool = False


class BitComparison:
    """Compare the tags of one channel; the transaction must be REPEATABLE READ, as `counts` are of its instant."""

    def __init__(self, conn: Connection, channel_id: int, counts: MemberCounts, *, max_bitmaps: int) -> None:
        self._conn = conn
        self._channel_id = channel_id
        self._counts = counts
        self._bitmaps_left = max_bitmaps
        self._until = time.monotonic() + MAX_SECONDS
        self.used_up = False
        """Whether something was left out for want of time or budget."""

    async def equal(self, group: Sequence[int]) -> list[list[int]]:
        """Return those of tags with equal counts that have the same members, in groups. Raises BudgetUsedUpError."""
        classes = [list(group)]
        for blocks in _batches(sorted(self._counts.by_block[group[0]]), len(group)):
            tag_ids = [tag_id for each in classes for tag_id in each]
            bits = await self._read(dict.fromkeys(blocks, tag_ids))
            classes = [part for each in classes for part in _parts(each, bits)]
            if not classes:
                break
        return classes

    async def sift(self, claims: Sequence[Claim]) -> list[Claim]:
        """Return those of some claims that a few blocks do not speak against. Raises BudgetUsedUpError.

        Each block is the one in which most of those claims can be looked at that were not yet.
        """
        left, unseen = list(claims), list(claims)
        for _ in range(BLOCKS_TO_SIFT_BY):
            if len(unseen) <= FEW_CLAIMS:
                break
            (block, tag_ids), _ = await run_off_loop(_most_telling, unseen, self._counts)
            bits = await self._read({block: tag_ids})
            left, _ = await run_off_loop(_not_refuted, left, bits)
            unseen, _ = await run_off_loop(_not_seen, unseen, bits[block])
        return left

    async def first_proven(self, claims: Sequence[Claim], wanted: int) -> list[Claim]:
        """Return the first `wanted` of some claims that are true, or as many as there are and the budget reaches."""
        proven: list[Claim] = []
        rest = list(claims)
        with suppress(BudgetUsedUpError):
            while rest and len(proven) < wanted:
                some = wanted - len(proven)
                proven += await self._prove(rest[:some])
                rest = rest[some:]
        return proven

    async def _prove(self, claims: list[Claim]) -> list[Claim]:
        left = claims
        concerned = {block for claim in claims for block in self._counts.by_block[claim.tag_id]}
        for blocks in _batches(sorted(concerned), 2 * len(claims)):
            left = await self._hold_against(left, blocks)
        return left

    async def _hold_against(self, claims: list[Claim], blocks: Sequence[int]) -> list[Claim]:
        wanted, _ = await run_off_loop(_concerned, claims, blocks, self._counts)
        bits = await self._read(wanted)
        left, _ = await run_off_loop(_not_refuted, claims, bits)
        return left

    async def _read(self, wanted: Mapping[int, Collection[int]]) -> Bits:
        self._bitmaps_left -= sum(map(len, wanted.values()))
        if self._bitmaps_left < 0 or time.monotonic() > self._until:
            self.used_up = True
            raise BudgetUsedUpError
        found = await hints.bitmaps_at(self._conn, self._channel_id, wanted)
        bits, _ = await run_off_loop(_to_numbers, found)
        return bits


def _batches(blocks: Sequence[int], tags: int) -> Iterator[Sequence[int]]:
    size = max(BITMAPS_PER_STATEMENT // tags, 1)
    for start in range(0, len(blocks), size):
        yield blocks[start : start + size]


def _most_telling(claims: Sequence[Claim], counts: MemberCounts) -> tuple[int, set[int]]:
    """Return the block in which both tags of most claims have members, and the tags with members in it."""
    looked_at = Counter(claim.tag_id for claim in claims)
    seen: Counter[int] = Counter()
    for tag_id, number in looked_at.items():
        seen.update(dict.fromkeys(counts.by_block[tag_id], number))
    block = max(seen, key=lambda each: (seen[each], -each))
    concerned = looked_at.keys() | {claim.other_id for claim in claims}
    return block, {tag_id for tag_id in concerned if block in counts.by_block[tag_id]}


def _not_seen(claims: Sequence[Claim], bits: Mapping[int, int]) -> list[Claim]:
    return [claim for claim in claims if claim.tag_id not in bits or claim.other_id not in bits]


def _to_numbers(bitmaps: Mapping[int, Mapping[int, bytes]]) -> Bits:
    return {block: {tag_id: int.from_bytes(bits) for tag_id, bits in each.items()} for block, each in bitmaps.items()}


def _parts(tag_ids: Sequence[int], bits: Bits) -> list[list[int]]:
    """Return those of some tags that have the same members as another one in these blocks, in groups."""
    parts: dict[tuple[int, ...], list[int]] = {}
    for tag_id in tag_ids:
        parts.setdefault(tuple(each.get(tag_id, 0) for each in bits.values()), []).append(tag_id)
    return [part for part in parts.values() if len(part) > 1]


def _concerned(claims: Sequence[Claim], blocks: Sequence[int], counts: MemberCounts) -> dict[int, set[int]]:
    """Return which tags to look at in which blocks: where one of the two has nobody, the counts have told all."""
    wanted: dict[int, set[int]] = {}
    for block in blocks:
        with_members = {tag_id for tag_id, each in counts.by_block.items() if block in each}
        pairs = [each[:2] for each in claims if each.tag_id in with_members and each.other_id in with_members]
        wanted[block] = {tag_id for pair in pairs for tag_id in pair}
    return wanted


def _not_refuted(claims: Sequence[Claim], bits: Bits) -> list[Claim]:
    left = claims
    for each in bits.values():
        left = [claim for claim in left if not _refuted(claim, each)]
    return list(left)


def _refuted(claim: Claim, bits: Mapping[int, int]) -> bool:
    tag_id, other_id, disjoint = claim
    tag = bits.get(tag_id)
    if not tag:
        return False
    shared = tag & bits.get(other_id, 0)
    return bool(shared) if disjoint else shared != tag
