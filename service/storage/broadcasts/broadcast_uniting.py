"""Give what broadcasts keep of users to others who are united with them, `{ordinal that goes: ordinal that stays}`.

Whoever does that holds the blocks of both, and has locked the broadcasts.
"""

from collections.abc import Mapping

from service.entities.blocks import block_of, offset_of
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def roles_of_person(conn: Connection, channel_id: int, ordinal: int) -> dict[int, set[str]]:
    """Return the roles of somebody in broadcasts, `{number of the broadcast: roles}`."""
    roles: dict[int, set[str]] = {}
    for row in await conn.fetch(STATEMENTS["roles_of_person"], channel_id, block_of(ordinal), offset_of(ordinal)):
        roles.setdefault(row["job_id"], set()).add(row["role"])
    return roles


async def move_in_chunks(conn: Connection, channel_id: int, job_id: int, newer: int, older: int) -> None:
    """Let the chunks of a broadcast that somebody is in have another one instead, but for those that have both."""
    place = block_of(older), offset_of(older)
    rows = await conn.fetch(
        STATEMENTS["move_person_out_of_chunks"], channel_id, job_id, block_of(newer), offset_of(newer), *place
    )
    if rows:
        chunks = [row["chunk"] for row in rows]
        await conn.execute(STATEMENTS["move_person_into_chunks"], channel_id, job_id, chunks, *place)


async def move_sends(conn: Connection, channel_id: int, job_id: int, newer: int, older: int) -> None:
    """Let the messages of a broadcast to somebody be to another one, unless there are some to that one."""
    await conn.execute(STATEMENTS["move_sends"], channel_id, job_id, newer, older)


async def unite_beside_ledgers(conn: Connection, channel_id: int, older_of: Mapping[int, int]) -> None:
    """Give users what others allowed, the results about them, and their place on the blacklist."""
    newer, older = list(older_of), list(older_of.values())
    await conn.execute(STATEMENTS["unite_consents"], channel_id, newer, older)
    await conn.execute(STATEMENTS["reassign_push_results"], channel_id, newer, older)
    await conn.execute(STATEMENTS["unite_blacklisted"], channel_id, newer, older)
