"""Find the people who have no room for another remote tag, block by block, on bits.

Source: developers.weixin.qq.com `/doc/service/api/usermanage/tag/api_batchtagging`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

MAX_TAGS_PER_USER: Final = 20


def without_room(
    members: Mapping[int, int], added: Mapping[int, int], removed: Mapping[int, int], order: Sequence[int]
) -> dict[int, int]:
    """Return who of `added` has 20 remote tags when the turn of a tag comes, `{tag_id: bits}`; nobody is left out.

    All are bits of one block, `{tag_id: bits}`: who has each remote tag, who is to get it and who is to lose it. All
    removals are done first; tags are then given in `order`.
    """
    counter = _Counter()
    for tag_id, bits in members.items():
        counter.add(bits & ~removed.get(tag_id, 0))
    full = {}
    for tag_id in order:
        wanted = added.get(tag_id, 0)
        stuck = wanted & counter.at_least(MAX_TAGS_PER_USER, wanted)
        counter.add(wanted & ~stuck)
        if stuck:
            full[tag_id] = stuck
    return full


class _Counter:
    """Count bits by position: plane *i* holds the *i*-th binary digit of all counts."""

    def __init__(self) -> None:
        self._planes: list[int] = []

    def add(self, bits: int) -> None:
        """Count one more wherever a bit is set."""
        for number, plane in enumerate(self._planes):
            self._planes[number], bits = plane ^ bits, plane & bits
        if bits:
            self._planes.append(bits)

    def at_least(self, limit: int, among: int) -> int:
        """Return where the count is `limit` or more, of the positions in `among`."""
        greater, equal = 0, among
        for number in reversed(range(max(len(self._planes), limit.bit_length()))):
            plane = self._planes[number] if number < len(self._planes) else 0
            if limit >> number & 1:
                equal &= plane
            else:
                greater |= equal & plane
                equal &= ~plane
        return greater | equal
