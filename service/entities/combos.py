"""Describe combo tags, and answer which tags of a channel depend on which.

Source: docs/specification.md §4.4.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from service.entities.blocks import BLOCK_SIZE
from service.entities.expressions import Expression
from service.entities.tags import Catalogue, Tag, TagState


@dataclass(frozen=True, slots=True)
class Combo:
    """Hold what a combo is made of, and how far its members are computed.

    Blocks from `next_block` on are still to be computed; None means that all are done. Results of an older generation
    are void. `as_of` is None until the combo was first ACTIVE.
    """

    tag_id: int
    expression: Expression
    generation: int
    next_block: int | None
    started_at: datetime | None
    as_of: datetime | None

    def progress(self, user_count: int) -> float:
        """Return the share of a channel's people that has been computed, 0 to 1."""
        if self.next_block is None:
            return 1.0
        return min(1.0, self.next_block * BLOCK_SIZE / max(1, user_count))


@dataclass(frozen=True)
class ComboGraph:
    """Hold the tags of a channel and what its combos are made of, as of one tag-state version."""

    catalogue: Catalogue
    combos: Mapping[int, Combo]
    epoch: int = 0

    @property
    def tags(self) -> Mapping[int, Tag]:
        """Return all tags of the catalogue by id, deleted ones among them."""
        return self.catalogue.tags

    def living(self) -> Iterator[tuple[Tag, Combo]]:
        """Iterate over the combos that are not deleted, by ascending tag id."""
        for tag_id, combo in sorted(self.combos.items()):
            tag = self.tags.get(tag_id)
            if tag is not None and tag.deleted_at is None:
                yield tag, combo

    @cached_property
    def _operands(self) -> dict[int, tuple[int, ...]]:
        return {tag_id: combo.expression.tag_ids() for tag_id, combo in self.combos.items()}

    @cached_property
    def _dependents(self) -> dict[int, list[int]]:
        """Map each tag to the living combos that have it at one of their leaves."""
        dependents: dict[int, list[int]] = {}
        for tag, _ in self.living():
            for operand in self._operands[tag.tag_id]:
                dependents.setdefault(operand, []).append(tag.tag_id)
        return dependents

    def direct_dependents(self, tag_id: int) -> list[int]:
        """Return the ids of the living combos that have a tag at one of their leaves."""
        return self._dependents.get(tag_id, [])

    def dependents(self, tag_id: int) -> list[int]:
        """Return the ids of the living combos that reach a tag, directly or through others, the nearest first."""
        found: dict[int, None] = {}
        left = deque([tag_id])
        while left:
            for dependent in self.direct_dependents(left.popleft()):
                if dependent not in found:
                    found[dependent] = None
                    left.append(dependent)
        return list(found)

    def deleted_dependencies(self, tag_id: int) -> list[int]:
        """Return the ids of the deleted tags that a combo reaches, ascending; not those beneath a deleted combo."""
        dead: dict[int, None] = {}
        seen = {tag_id}
        left = [tag_id]
        while left:
            for operand in self._operands.get(left.pop(), ()):
                tag = self.tags.get(operand)
                if tag is not None and tag.deleted_at is not None:
                    dead[operand] = None
                elif operand not in seen:
                    seen.add(operand)
                    left.append(operand)
        return sorted(dead)

    def computable(self) -> list[Combo]:
        """Return the combos whose members can be computed from what is stored, each after its operands.

        These are the living ones, PENDING or ACTIVE, whose operands are all ACTIVE. A combo with a PENDING operand
        waits and keeps the members it had.
        """
        waiting = {
            tag.tag_id: {each for each in self._operands[tag.tag_id] if each in self.combos}
            for tag, _ in self.living()
            if tag.state is not TagState.LAPSED and all(map(self._is_active, self._operands[tag.tag_id]))
        }
        found: dict[int, Combo] = {}
        ready = deque(tag_id for tag_id, left in waiting.items() if not left)
        while ready:
            tag_id = ready.popleft()
            found[tag_id] = self.combos[tag_id]
            for dependent in self.direct_dependents(tag_id):
                if dependent in waiting and tag_id in waiting[dependent]:
                    waiting[dependent].remove(tag_id)
                    if not waiting[dependent]:
                        ready.append(dependent)
        return list(found.values())

    def _is_active(self, tag_id: int) -> bool:
        tag = self.tags.get(tag_id)
        return tag is not None and tag.shown

    def pending(self) -> list[Combo]:
        """Return the computable combos that are PENDING, each after its operands."""
        return [combo for combo in self.computable() if self.tags[combo.tag_id].state is TagState.PENDING]
