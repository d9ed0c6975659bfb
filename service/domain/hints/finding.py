"""Find which tags of a channel are equal, contained in others, never met, empty or unused, by today's members.

Compared are ACTIVE tags, since nobody has another one; default tags only with others, as nobody can change them.
Source: docs/specification.md §6.10.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from service.domain.hints.comparing import MAX_BITMAPS, BitComparison, BudgetUsedUpError, Claim
from service.domain.hints.definitions import asked_for_together, contained_by_definition
from service.domain.hints.member_counts import MemberCounts
from service.entities.combos import ComboGraph
from service.entities.expressions import from_json
from service.entities.hints import TagHint, TagHintKind
from service.entities.tags import TagKind
from service.foundation.off_loop import run_off_loop
from service.storage import hints, remote_tags
from service.storage.broadcasts import broadcast_control
from service.storage.database.pool import Connection

MAX_HINTS: Final = 200
GRAVEST_FIRST: Final = (
    TagHintKind.DISJOINT,
    TagHintKind.EQUAL,
    TagHintKind.EMPTY,
    TagHintKind.SUBSET,
    TagHintKind.UNUSED,
)


@dataclass(frozen=True, slots=True)
class ComparedTags:
    """Hold what the members of the tags of a channel tell. Without `complete` more might be told of two tags."""

    hints: tuple[TagHint, ...]
    totals: dict[int, int]
    complete: bool


async def compare_tags(
    conn: Connection, graph: ComboGraph, *, max_hints: int = MAX_HINTS, max_bitmaps: int = MAX_BITMAPS
) -> ComparedTags:
    """Return what today's members say about the ACTIVE tags of a channel, at most `max_hints` of each kind.

    The transaction must be REPEATABLE READ. No more than `max_bitmaps` bitmaps are read.
    """
    channel_id = graph.catalogue.channel_id
    tag_ids = sorted(tag.tag_id for tag in graph.tags.values() if tag.shown)
    counts, _ = await run_off_loop(MemberCounts, await hints.counts_by_block(conn, channel_id, tag_ids))
    search = _Search(graph, counts, BitComparison(conn, channel_id, counts, max_bitmaps=max_bitmaps), max_hints)
    return await search.run(tag_ids)


async def unused_tags(conn: Connection, graph: ComboGraph, totals: dict[int, int]) -> list[TagHint]:
    """Return the ACTIVE tags that no living combo, no broadcast to come, no webhook and no tag of the account uses."""
    channel_id = graph.catalogue.channel_id
    audiences = await broadcast_control.audiences_not_frozen(conn, channel_id)
    used = {tag_id for audience in set(audiences.values()) for tag_id in from_json(audience).tag_ids()}
    linked = await remote_tags.linked_tags(conn, channel_id)
    used |= {each.tag_id for each in linked.values() if each.remote_tag_id is not None}
    used |= await hints.tags_of_webhooks(conn, channel_id)
    unused = [
        TagHint(TagHintKind.UNUSED, tag.tag_id, totals.get(tag.tag_id, 0))
        for tag in graph.tags.values()
        if tag.shown and tag.kind is not TagKind.DEFAULT
        if tag.tag_id not in used and not graph.direct_dependents(tag.tag_id)
    ]
    return sorted(unused, key=lambda hint: (-hint.members, hint.tag_id))


def gravest(found: Sequence[TagHint], max_hints: int = MAX_HINTS) -> tuple[TagHint, ...]:
    """Return the gravest of some hints, of each kind in the given order; what definitions tell comes last."""
    ranks = {kind: rank for rank, kind in enumerate(GRAVEST_FIRST)}
    return tuple(sorted(found, key=lambda hint: (hint.by_definition, ranks[hint.kind]))[:max_hints])


class _Search:
    """Look for everything that members tell of one channel; whatever the budget does not reach is left out."""

    def __init__(self, graph: ComboGraph, counts: MemberCounts, bits: BitComparison, max_hints: int) -> None:
        self._graph = graph
        self._counts = counts
        self._bits = bits
        self._max_hints = max_hints

    async def run(self, tag_ids: Sequence[int]) -> ComparedTags:
        totals = self._counts.totals
        with_members = [tag_id for tag_id in tag_ids if tag_id in totals]
        found = [
            TagHint(TagHintKind.EMPTY, tag_id, 0)
            for tag_id in sorted(tag_ids, key=lambda each: (each not in self._graph.combos, each))
            if tag_id not in totals and not self._is_default(tag_id)
        ]
        try:
            found += await self._disjoint()
            equal = await self._equal(with_members)
            found += equal
            doubles = {hint.tag_id for hint in equal}
            found += await self._contained([tag_id for tag_id in with_members if tag_id not in doubles])
        except BudgetUsedUpError:
            return ComparedTags(tuple(found), totals, complete=False)
        return ComparedTags(tuple(found), totals, complete=not self._bits.used_up)

    async def _disjoint(self) -> list[TagHint]:
        """Return the pairs that an `all` holds and nobody has, those with more members first."""
        together, _ = await run_off_loop(asked_for_together, self._graph)
        claims, _ = await run_off_loop(self._claims_of_disjoint, together)
        claims = await self._bits.sift(claims)
        proven = await self._bits.first_proven(claims, self._max_hints)
        return [self._pair(TagHintKind.DISJOINT, each, combos=together[each[:2]]) for each in proven]

    async def _equal(self, tag_ids: Sequence[int]) -> list[TagHint]:
        """Return of tags with the same members all but the oldest, each with that one; those with more first."""
        found: list[TagHint] = []
        with suppress(BudgetUsedUpError):
            for group in self._counts.same(tag_ids):
                for oldest, *others in await self._bits.equal(group):
                    found += [
                        self._pair(TagHintKind.EQUAL, Claim(each, oldest))
                        for each in others
                        if not self._is_default(each)
                    ]
        return sorted(found, key=lambda hint: (-hint.members, hint.tag_id))

    async def _contained(self, tag_ids: Sequence[int]) -> list[TagHint]:
        """Return tags with those that have all their members and more, the nearest to equal first."""
        claims, _ = await run_off_loop(self._claims_of_contained, tag_ids)
        ranked, _ = await run_off_loop(self._ranked, await self._bits.sift(claims))
        proven = await self._bits.first_proven(list(ranked), self._max_hints)
        return [self._pair(TagHintKind.SUBSET, each, by_definition=ranked[each]) for each in proven]

    def _ranked(self, claims: Sequence[Claim]) -> dict[Claim, bool]:
        """Return claims that one tag is contained in another, gravest first, with whether definitions make it so."""
        by_definition = {each: contained_by_definition(self._graph, each.tag_id, each.other_id) for each in claims}
        totals = self._counts.totals

        def rank(claim: Claim) -> tuple[bool, float, Claim]:
            return by_definition[claim], -totals[claim.tag_id] / totals[claim.other_id], claim

        return {claim: by_definition[claim] for claim in sorted(claims, key=rank)}

    def _claims_of_disjoint(self, pairs: Iterable[tuple[int, int]]) -> list[Claim]:
        """Return the claims that nobody has both of two tags, for those with members; of more members first."""
        totals = self._counts.totals
        claims = [Claim(*pair, disjoint=True) for pair in pairs if pair[0] in totals and pair[1] in totals]
        return sorted(claims, key=lambda each: (-min(totals[each.tag_id], totals[each.other_id]), each))

    def _claims_of_contained(self, tag_ids: Sequence[int]) -> list[Claim]:
        defaults = {tag_id for tag_id in tag_ids if self._is_default(tag_id)}
        return [
            Claim(tag_id, other_id)
            for tag_id, other_id in self._counts.contained(tag_ids)
            if tag_id not in defaults or other_id not in defaults
        ]

    def _pair(
        self, kind: TagHintKind, claim: Claim, *, by_definition: bool = False, combos: Sequence[int] = ()
    ) -> TagHint:
        return TagHint(
            kind,
            claim.tag_id,
            self._counts.totals[claim.tag_id],
            claim.other_id,
            self._counts.totals[claim.other_id],
            by_definition,
            tuple(combos),
        )

    def _is_default(self, tag_id: int) -> bool:
        return self._graph.tags[tag_id].kind is TagKind.DEFAULT
