"""Alter a sealed log behind the back of the service, in every way in which a row can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.storage.database.pool import Connection

# What each column of the table is changed to.
EDITS: Final = {
    "channel_id": "(select sum(channel_id) from channel c where c.robot_id = e.robot_id) - channel_id",
    "entry_id": "entry_id + 1",
    "robot_id": "'robot-1'",
    "at": "at + interval '1 microsecond'",
    "subject": "subject || ' '",
    "role": "'creator'",
    "action": "upper(action)",
    "target_id": "null",
    "detail": "'another'",
    "outcome": "'FAILED'",
    "error_code": "'INTERNAL'",
    "request_id": "''",
    "client_address": "'203.0.113.8'",
    "before": """'{"name": "gold"}'""",
    "after": """after || '{"more": null}'""",
    "count": "count + 1",
    "minute": "at",
    "number": "number + 1000",
    "hash": "set_byte(hash, 31, (get_byte(hash, 31) + 1) % 256)",
}


@dataclass(frozen=True)
class SealedLog:
    """Hold a robot whose log has `length` sealed entries, in both of its channels in turn."""

    runtime: Runtime
    channels: Sequence[Channel]
    length: int

    async def edit(self, number: int, column: str) -> set[int]:
        """Change one column of an entry; return the numbers of which one must be named."""
        await self._execute(
            f"update audit_entry e set {column} = {EDITS[column]} where robot_id = $1 and number = $2",  # noqa: S608
            number,
        )
        return {number}

    async def unseal(self, number: int) -> set[int]:
        """Take an entry out of the chain, so that it looks as if it were new."""
        await self._execute(
            "update audit_entry set number = null, hash = null where robot_id = $1 and number = $2", number
        )
        return {number}

    async def delete(self, number: int) -> set[int]:
        """Delete an entry."""
        await self._execute("delete from audit_entry where robot_id = $1 and number = $2", number)
        return {number}

    async def truncate(self, number: int) -> set[int]:
        """Delete an entry and all after it."""
        await self._execute("delete from audit_entry where robot_id = $1 and number >= $2", number)
        return set(range(number, self.length + 1))

    async def behead(self, number: int) -> set[int]:
        """Delete an entry and all before it, as if they had been old."""
        await self._execute("delete from audit_entry where robot_id = $1 and number <= $2", number)
        return set(range(1, number + 1))

    async def swap(self, number: int) -> set[int]:
        """Let an entry and the next, or the last and the first, change places; of one entry, leave a gap before it."""
        other = number % self.length + 1
        if other == number:
            return await self.edit(number, "number")
        async with self.runtime.pool.acquire() as conn, conn.transaction():
            move = "update audit_entry set number = $3 where robot_id = $1 and number = $2"
            robot = self.channels[0].robot_id
            for before, after in ((number, -1), (other, number), (-1, other)):
                await conn.execute(move, robot, before, after)
        return {number, other}

    async def repeat(self, number: int) -> set[int]:
        """Put in a copy of an entry with the same number, in the other channel."""
        await self._copy(number, number)
        return {number}

    async def append(self, number: int) -> set[int]:
        """Put in a copy of an entry after the last one."""
        await self._copy(number, self.length + 1)
        return {self.length + 1}

    async def insert(self, number: int) -> set[int]:
        """Put in a copy of an entry right after it, and count all that follow one further."""
        async with self.runtime.pool.acquire() as conn, conn.transaction():
            for each in range(self.length, number, -1):
                await conn.execute(
                    "update audit_entry set number = number + 1 where robot_id = $1 and number = $2",
                    self.channels[0].robot_id,
                    each,
                )
            await self._insert(conn, number, number + 1)
        return {number + 1}

    async def _copy(self, number: int, as_number: int) -> None:
        async with self.runtime.pool.acquire() as conn:
            await self._insert(conn, number, as_number)

    async def _insert(self, conn: Connection, number: int, as_number: int) -> None:
        names = [name for name in EDITS if name not in {"channel_id", "entry_id", "number"}]
        copied = ", ".join(names)
        await conn.execute(
            f"""insert into audit_entry (channel_id, entry_id, number, {copied})
            select {EDITS["channel_id"]}, entry_id + 1, $3, {copied}
            from audit_entry e where robot_id = $1 and number = $2""",  # noqa: S608
            self.channels[0].robot_id,
            number,
            as_number,
        )

    async def _execute(self, statement: str, *values: int | str) -> None:
        async with self.runtime.pool.acquire() as conn:
            done = await conn.execute(statement, self.channels[0].robot_id, *values)
        assert not done.endswith(" 0"), "nothing was altered"


# What is done to an entry as a whole; each returns the numbers of which one must be named.
WAYS: Final = (
    SealedLog.unseal,
    SealedLog.delete,
    SealedLog.truncate,
    SealedLog.behead,
    SealedLog.swap,
    SealedLog.repeat,
    SealedLog.append,
    SealedLog.insert,
)
