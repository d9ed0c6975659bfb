"""Read what the ledger of a broadcast says, to be compared with what is counted of it, and correct that."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.entities.bitmaps import bitmaps_of, count_people, united, without
from service.entities.broadcast_ledger import PeopleBlock
from service.entities.broadcasts import SendState
from service.storage.broadcasts.broadcast_ledger import to_number
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

UNKNOWN_REASON: Final = "The reason was lost."


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """Hold what the rows of a broadcast say: who is in which role, and what became of its messages that count.

    `people` and `refused_by_code` count them by state and by code. `reached` is whom those are to that were not
    refused, `refused` the others; both are by block and may overlap only where the ledger is wrong. `surplus` is by how
    many people more they count than there are, `delivered` to how many messages were delivered, None where nobody told.
    """

    roles: Mapping[str, Mapping[int, PeopleBlock]]
    people: Mapping[SendState, int]
    refused_by_code: Mapping[int, int]
    failures: Mapping[int, int]
    reached: Mapping[int, int]
    refused: Mapping[int, int]
    surplus: int
    miscounted_chunks: int
    delivered: int | None

    def count(self, role: str) -> int:
        """Return how many people a role has, those who were forgotten too."""
        return sum(each.members.bit_count() + each.forgotten for each in self.roles.get(role, {}).values())

    def members(self, role: str) -> dict[int, int]:
        """Return who of a role can be named."""
        return {block: each.members for block, each in self.roles.get(role, {}).items() if each.members}


async def frozen_broadcasts(conn: Connection, channel_id: int) -> list[int]:
    """Return the numbers of the broadcasts of a channel whose audience is frozen."""
    return [row["job_id"] for row in await conn.fetch(STATEMENTS["frozen_broadcasts"], channel_id)]


async def ledger_facts(conn: Connection, channel_id: int, job_id: int) -> LedgerFacts:
    """Return what the rows of a locked broadcast say."""
    roles: dict[str, dict[int, PeopleBlock]] = defaultdict(dict)
    for row in await conn.fetch(STATEMENTS["people_of_all_roles"], channel_id, job_id):
        roles[row["role"]][row["block"]] = PeopleBlock(to_number(row["members"]), row["forgotten"])
    people: Counter[SendState] = Counter()
    refused_by_code: Counter[int] = Counter()
    for statement in (STATEMENTS["chunk_sums"], STATEMENTS["send_sums"]):
        for row in await conn.fetch(statement, channel_id, job_id):
            people[SendState(row["state"])] += row["people"]
            if row["state"] == SendState.REFUSED:
                refused_by_code[row["errcode"] or 0] += row["people"]
    failures = await conn.fetch(STATEMENTS["failures_of_broadcast"], channel_id, job_id)
    reached, refused, surplus = await _people(conn, channel_id, job_id)
    return LedgerFacts(
        roles,
        people,
        refused_by_code,
        {row["errcode"]: row["people"] for row in failures},
        reached,
        refused,
        surplus,
        len(await conn.fetch(STATEMENTS["miscounted_chunks"], channel_id, job_id)),
        await conn.fetchval(STATEMENTS["delivered_of_broadcast"], channel_id, job_id),
    )


async def correct_counts(
    conn: Connection,
    channel_id: int,
    job_id: int,
    *,
    planned: int,
    sent: int,
    failed: int,
    uncertain: int,
    delivered: int | None,
) -> None:
    """Correct what is counted of a locked broadcast."""
    counts = (planned, sent, failed, uncertain, delivered)
    await conn.execute(STATEMENTS["correct_broadcast_counts"], channel_id, job_id, *counts)


async def correct_failures(conn: Connection, channel_id: int, job_id: int, failures: Mapping[int, int]) -> None:
    """Correct how many were refused with each code, `{errcode: people}`."""
    await conn.execute(
        STATEMENTS["correct_failures"], channel_id, job_id, list(failures), list(failures.values()), UNKNOWN_REASON
    )


async def _people(conn: Connection, channel_id: int, job_id: int) -> tuple[dict[int, int], dict[int, int], int]:
    """Return to whom the messages are that were not refused and that were, and how many people are in several."""
    reached: dict[int, int] = {}
    refused: dict[int, int] = {}
    named = 0
    for row in await conn.fetch(STATEMENTS["people_of_chunks"], channel_id, job_id):
        (refused if row["refused"] else reached)[row["block"]] = to_number(row["members"])
        named += row["named"]
    sends = await conn.fetch(STATEMENTS["people_of_sends"], channel_id, job_id)
    known = [row for row in sends if row["ordinal"] >= 0]
    named += len(known)
    reached = united(reached, bitmaps_of(row["ordinal"] for row in known if not row["refused"]))
    refused = united(refused, bitmaps_of(row["ordinal"] for row in known if row["refused"]))
    surplus = named - count_people(united(reached, refused))
    return without(reached, {}), without(refused, {}), surplus
