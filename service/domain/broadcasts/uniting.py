"""Let what broadcasts keep of a user be another one's, who turns out to be the same person.

Who is in one broadcast under both names counts twice in it still, once as somebody who was forgotten; but nobody is
sent to under one name who was sent to under the other.
"""

from collections.abc import Collection, Mapping

from service.domain.broadcasts.policy.united_counts import unite_counts
from service.entities.bitmaps import bitmaps_of
from service.entities.broadcasts import HeldReason, PeopleRole
from service.storage.broadcasts import broadcast_ledger as ledger
from service.storage.broadcasts import broadcast_uniting, broadcasts
from service.storage.broadcasts.broadcast_forgetting import forget_beside_ledgers, forget_in_ledgers
from service.storage.database.pool import Connection


async def unite_in_broadcasts(conn: Connection, channel_id: int, older_of: Mapping[int, int]) -> None:
    """Give users who stay what broadcasts keep of those who go, `{ordinal that goes: ordinal that stays}`.

    Nobody is both. The caller holds the blocks of all, so that no audience is frozen with them.
    """
    roles = {
        ordinal: await broadcast_uniting.roles_of_person(conn, channel_id, ordinal)
        for pair in older_of.items()
        for ordinal in pair
    }
    job_ids = {job_id for newer in older_of for job_id in roles[newer]}
    if job_ids:
        await broadcasts.lock_broadcasts(conn, channel_id, job_ids)
    for newer, older in older_of.items():
        # Read again, as a claim may have come before the lock.
        had = await broadcast_uniting.roles_of_person(conn, channel_id, newer) if job_ids else {}
        others = await broadcast_uniting.roles_of_person(conn, channel_id, older) if job_ids else {}
        for job_id, roles_of_newer in had.items():
            person = _Person(conn, channel_id, job_id, newer, older)
            await person.unite(roles_of_newer, others.get(job_id, set()))
    await unite_counts(conn, channel_id, older_of)
    await broadcast_uniting.unite_beside_ledgers(conn, channel_id, older_of)
    for newer in older_of:
        ((block, people),) = bitmaps_of([newer]).items()
        await forget_beside_ledgers(conn, channel_id, block, people, [newer])


class _Person:
    """Unite the two names of a person in one locked broadcast."""

    def __init__(self, conn: Connection, channel_id: int, job_id: int, newer: int, older: int) -> None:
        self._conn, self._channel_id, self._job_id = conn, channel_id, job_id
        self._newer, self._older = newer, older

    async def unite(self, roles_of_newer: Collection[str], roles_of_older: Collection[str]) -> None:
        """Let the older one have the roles of the newer one, or those of both where both are in the audience."""
        if not roles_of_older:
            await self._move(roles_of_newer)
            return
        if PeopleRole.TAKEN in roles_of_newer and PeopleRole.TAKEN not in roles_of_older:
            # The older one may have been refused: a retry must not find them, since the newer one was sent to.
            await self._forget(self._older, HeldReason.ALREADY_RECEIVED)
            await self._move(roles_of_newer)
            return
        if PeopleRole.PLANNED in roles_of_newer and all(_may_be_sent_to(each) for each in roles_of_older):
            await self._forget(self._older, HeldReason.FORGOTTEN)
            await self._move(roles_of_newer)
            return
        await self._forget(self._newer, HeldReason.FORGOTTEN)

    async def _forget(self, ordinal: int, planned_as: HeldReason) -> None:
        """Let one of both be known by number only."""
        ((block, people),) = bitmaps_of([ordinal]).items()
        await forget_in_ledgers(
            self._conn, self._channel_id, block, people, [ordinal], [self._job_id], planned_as=planned_as
        )

    async def _move(self, roles: Collection[str]) -> None:
        """Let the older one have roles, chunks and messages of the newer one."""
        newer, older = bitmaps_of([self._newer]), bitmaps_of([self._older])
        for role in sorted(roles):
            await ledger.take_out_people(self._conn, self._channel_id, self._job_id, role, newer)
            await ledger.add_people(self._conn, self._channel_id, self._job_id, {role: older})
        for move in (broadcast_uniting.move_in_chunks, broadcast_uniting.move_sends):
            await move(self._conn, self._channel_id, self._job_id, self._newer, self._older)


def _may_be_sent_to(role: str) -> bool:
    """Tell whether a role is that of somebody who was refused, or could not be reached, under the name that is over."""
    return role == PeopleRole.FROZEN or role.startswith("UNSENDABLE:")
