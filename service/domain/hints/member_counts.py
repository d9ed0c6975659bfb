"""Compare how many members tags have in each block: most pairs of tags are told apart by that, without any bits.

The counts of a tag are one large number, a lane of 32 bits for each block. Subtracting one such number from another
compares them in all blocks at once.
"""

import sys
from array import array
from collections.abc import Mapping, Sequence
from typing import Final

LANE: Final = "I"


class MemberCounts:
    """Hold how many members tags have in each block."""

    def __init__(self, counts: Mapping[int, Mapping[int, int]]) -> None:
        self.by_block: Final = counts
        self.totals: Final = {tag_id: sum(each.values()) for tag_id, each in counts.items()}
        lanes = {block: lane for lane, block in enumerate({block for each in counts.values() for block in each})}
        self._guards: Final = _number(array(LANE, [1 << 31]) * len(lanes))
        self._numbers: Final = {tag_id: _number(_lanes(each, lanes)) for tag_id, each in counts.items()}

    def of(self, tag_id: int, block: int) -> int:
        """Return how many members a tag has in a block."""
        return self.by_block[tag_id].get(block, 0)

    def same(self, tag_ids: Sequence[int]) -> list[list[int]]:
        """Return the tags that have as many members as another one in every block, in groups."""
        groups: dict[int, list[int]] = {}
        for tag_id in tag_ids:
            groups.setdefault(self._numbers[tag_id], []).append(tag_id)
        return [group for group in groups.values() if len(group) > 1]

    def contained(self, tag_ids: Sequence[int]) -> list[tuple[int, int]]:
        """Return the pairs of which the first has fewer members, and in no block more than the second."""
        ascending = sorted(tag_ids, key=self.totals.__getitem__)
        guards, found = self._guards, []
        for place, tag_id in enumerate(ascending):
            number, total = self._numbers[tag_id], self.totals[tag_id]
            found += [
                (tag_id, other)
                for other in ascending[place + 1 :]
                if (self._numbers[other] + guards - number) & guards == guards and self.totals[other] > total
            ]
        return found


def _lanes(counts: Mapping[int, int], lanes: Mapping[int, int]) -> "array[int]":
    filled = array(LANE, bytes(array(LANE).itemsize * len(lanes)))
    for block, members in counts.items():
        filled[lanes[block]] = members
    return filled


def _number(lanes: "array[int]") -> int:
    return int.from_bytes(lanes.tobytes(), sys.byteorder)
