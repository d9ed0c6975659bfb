"""Unite what broadcasts keep of two users who turn out to be one person, in the older ordinal.

Every count stays. Whoever got a message under either openid has got it; whoever was planned under both is planned once.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from service.entities.bitmaps import bitmaps_of
from service.entities.blocks import block_of
from service.entities.broadcasts import HeldReason, PeopleRole, held
from service.storage import broadcast_ledger as ledger
from service.storage import broadcast_uniting as uniting
from service.storage.broadcast_ledger import CountChanges
from service.storage.database.pool import Connection

RECEIVED: Final = held(HeldReason.ALREADY_RECEIVED)
GONE: Final = held(HeldReason.FORGOTTEN)


async def unite_in_broadcasts(conn: Connection, channel_id: int, older_of: Mapping[int, int]) -> None:
    """Unite users, `{ordinal that goes: ordinal that stays}`; the caller holds their blocks."""
    people = [*older_of, *older_of.values()]
    job_ids = await uniting.lock_broadcasts_of_people(conn, channel_id, older_of)
    roles = await uniting.roles_of_people(conn, channel_id, job_ids, people) if job_ids else {}
    for job_id in job_ids:
        chunks = await uniting.chunks_of_people(conn, channel_id, job_id, people)
        union = _Union(conn, channel_id, job_id, roles[job_id], chunks)
        for newer, older in older_of.items():
            if PeopleRole.FROZEN in roles[job_id].get(newer, ()):
                await union.unite(newer, older)
        await union.save()
    await uniting.unite_beside_ledgers(conn, channel_id, older_of)


@dataclass(slots=True)
class _Union:
    """Collect what changes in one broadcast: who joins and leaves roles, and how many are known by number only."""

    conn: Connection
    channel_id: int
    job_id: int
    roles: Mapping[int, list[str]]
    chunks: Mapping[int, set[int]]
    joining: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    leaving: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    forgotten: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    planned: int = 0

    async def unite(self, newer: int, older: int) -> None:
        """Unite a user who is in the audience with another one, who may be, too."""
        newer_role, older_role = self._role(newer), self._role(older)
        if PeopleRole.FROZEN not in self.roles.get(older, ()):
            for role in self.roles[newer]:
                self._move(role, newer, older)
            await self._move_messages(newer, older)
            return
        self._leave(PeopleRole.FROZEN, newer, PeopleRole.FROZEN)
        if newer_role == PeopleRole.TAKEN and older_role != PeopleRole.TAKEN:
            self._move(PeopleRole.TAKEN, newer, older)
            if older_role is not None:
                self._leave(older_role, older, RECEIVED if older_role == PeopleRole.PLANNED else older_role)
            await self._move_messages(newer, older)
            return
        if newer_role is not None:
            self._leave(newer_role, newer, GONE if newer_role == PeopleRole.PLANNED else newer_role)
        for chunk in self.chunks.get(newer, ()):
            await uniting.leave_chunk(self.conn, self.channel_id, self.job_id, chunk, newer, forgotten=True)
        await uniting.forget_sends(self.conn, self.channel_id, self.job_id, newer)

    async def save(self) -> None:
        """Write what was collected."""
        for role, ordinals in self.leaving.items():
            await ledger.take_out_people(self.conn, self.channel_id, self.job_id, role, bitmaps_of(ordinals))
        joining = {role: bitmaps_of(ordinals) for role, ordinals in self.joining.items()}
        await ledger.add_people(self.conn, self.channel_id, self.job_id, joining, self.forgotten)
        await ledger.change_counts(self.conn, self.channel_id, self.job_id, CountChanges(planned=self.planned))

    def _role(self, ordinal: int) -> str | None:
        """Return the role of a user beside the audience's; None for who was refused, or is not in it."""
        return next((role for role in self.roles.get(ordinal, ()) if role != PeopleRole.FROZEN), None)

    def _move(self, role: str, newer: int, older: int) -> None:
        self.leaving[role].add(newer)
        self.joining[role].add(older)

    def _leave(self, role: str, ordinal: int, counted_in: str) -> None:
        """Take a user out of a role, who still counts in one, by number only."""
        self.leaving[role].add(ordinal)
        self.forgotten[counted_in][block_of(ordinal)] += 1
        if role == PeopleRole.PLANNED:
            self.planned -= 1

    async def _move_messages(self, newer: int, older: int) -> None:
        for chunk in self.chunks.get(newer, ()):
            both = chunk in self.chunks.get(older, ())
            await uniting.leave_chunk(self.conn, self.channel_id, self.job_id, chunk, newer, forgotten=both)
            if not both:
                await uniting.join_chunk(self.conn, self.channel_id, self.job_id, chunk, older)
        await uniting.move_sends(self.conn, self.channel_id, self.job_id, newer, older)
