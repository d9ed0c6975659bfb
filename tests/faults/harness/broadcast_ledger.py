"""Read what the ledger of a broadcast says of each person, and hold it against what WeChat's books say.

It is read from the tables, by plain statements that share nothing with those of the service.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from service.storage.database.pool import Connection

OPENIDS: Final = "select ordinal, openid from channel_user where channel_id = $1 and openid is not null"
ROLES: Final = "select role, block, members from broadcast_people where channel_id = $1 and job_id = $2"
CHUNKS: Final = """
select c.state, b.block, b.members from broadcast_chunk c join broadcast_chunk_block b using (channel_id, job_id, chunk)
where c.channel_id = $1 and c.job_id = $2 and c.replanned_at is null
"""
SENDS: Final = """
select state, ordinal from broadcast_send where channel_id = $1 and job_id = $2 and replanned_at is null
"""
COUNTS: Final = "select matched, planned, sent, failed, uncertain from broadcast where channel_id = $1 and job_id = $2"
# Whoever is in these is in another one as well.
ROLES_BESIDE: Final = {"FROZEN", "TAKEN", "TAGGED"}
BLOCK: Final = 32_000


@dataclass(frozen=True, slots=True)
class Ledger:
    """Hold who is in which role, and whose message is in which state, all by openid; and the counts of the broadcast.

    Nobody has two messages that count.
    """

    roles: dict[str, frozenset[str]]
    states: dict[str, frozenset[str]]
    counts: Mapping[str, int]

    def role(self, name: str) -> frozenset[str]:
        """Return who is in a role."""
        return self.roles.get(name, frozenset())

    def state(self, name: str) -> frozenset[str]:
        """Return whose message is in a state."""
        return self.states.get(name, frozenset())

    @property
    def uncertain(self) -> frozenset[str]:
        """Return of whom nobody knows whether the message was sent."""
        return self.state("CLAIMED") | self.state("UNKNOWN")

    def check(self) -> None:
        """Check that everybody of the frozen audience is in one place only, and that the counts tell of these sets."""
        places = {role: people for role, people in self.roles.items() if role not in ROLES_BESIDE} | self.states
        for one, other in combinations(places, 2):
            both = places[one] & places[other]
            assert not both, f"{len(both)} are in {one} as well as in {other}"
        everybody = frozenset[str]().union(*places.values())
        assert everybody == self.role("FROZEN"), "somebody was lost, or came from nowhere"
        assert self.role("TAKEN") == self.state("SENT") | self.uncertain
        found = {
            "matched": len(self.role("FROZEN")),
            "planned": len(self.role("PLANNED")),
            "sent": len(self.state("SENT")),
            "failed": len(self.state("REFUSED")),
            "uncertain": len(self.uncertain),
        }
        assert found == self.counts

    def check_receipts(self, receipts: Counter[str], unreachable: Iterable[str]) -> None:
        """Check that nobody got the message twice, and whoever got it is known to, or named uncertain.

        Those who are unreachable for WeChat may have been left out by it.
        """
        twice = [openid for openid, number in receipts.items() if number > 1]
        assert not twice, f"{len(twice)} got it twice, as {twice[:3]}"
        got = set(receipts)
        assert got <= self.state("SENT") | self.uncertain, "somebody got it of whom the ledger says otherwise"
        missing = self.state("SENT") - got - set(unreachable)
        assert not missing, f"{len(missing)} never got it, as {sorted(missing)[:3]}"


async def read_ledger(conn: Connection, channel_id: int, job_id: int) -> Ledger:
    """Return the ledger of a broadcast as it is at one instant."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        openids = {row["ordinal"]: row["openid"] for row in await conn.fetch(OPENIDS, channel_id)}
        roles = _by_name(await conn.fetch(ROLES, channel_id, job_id), "role", openids)
        states = _by_name(await conn.fetch(CHUNKS, channel_id, job_id), "state", openids)
        for row in await conn.fetch(SENDS, channel_id, job_id):
            states.setdefault(row["state"], set()).add(openids[row["ordinal"]])
        counts = await conn.fetchrow(COUNTS, channel_id, job_id)
    assert counts is not None
    return Ledger(_frozen(roles), _frozen(states), dict(counts))


def _by_name(rows: Iterable[Any], column: str, openids: Mapping[int, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in rows:
        people = found.setdefault(row[column], set())
        members, first = row["members"].bytes, row["block"] * BLOCK
        people.update(openids[first + n] for n in range(BLOCK) if members[n >> 3] & 0x80 >> (n & 7))
    return found


def _frozen(sets: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(people) for name, people in sets.items() if people}
