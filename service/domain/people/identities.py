"""Link the openids of one person by unionid, WeChat's id of a person across the accounts of one owner.

The openid ↔ unionid pairs of a channel never change once they are known: a unionid belongs to one openid, and an
openid keeps its unionid. Another unionid for the same openid is rejected as a conflict, because data that was converted
through the first cannot be taken back. A person who really moved to another WeChat Open Platform account is forgotten
and linked anew.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from service.domain.input_rules import MALFORMED_OPENID_REASON, OPENID_PATTERN, Rejection, RejectionReason
from service.domain.people.ordinals import create_users
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import LimitExceededError, RejectionCode
from service.storage import channels, former_openids, users
from service.storage.database.pool import Connection

MAX_PAIRS_PER_REQUEST: Final = 10_000
# Those of WeChat look like openids; no document limits their length.
UNIONID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True, slots=True)
class IdentityPair:
    """Name the person behind an openid of a channel."""

    openid: str
    unionid: str


@dataclass(frozen=True, slots=True)
class LinkResult:
    """Count the pairs that were new and those that were known, and list those that were rejected."""

    linked: int
    unchanged: int
    rejected: tuple[Rejection, ...]


class _Linked(NamedTuple):
    linked: int
    conflicts: list[Rejection]


class Conversion(NamedTuple):
    """Hold the matches, `{openid on one channel: openid on the other}`, and the openids that have none."""

    matched: dict[str, str]
    unmatched: list[str]


async def link_identities(runtime: Runtime, channel: Channel, pairs: Sequence[IdentityPair]) -> LinkResult:
    """Store pairs, creating users for unknown openids. All is committed on return.

    Raises LimitExceededError over 10,000 pairs, and then nothing is linked.
    """
    if len(pairs) > MAX_PAIRS_PER_REQUEST:
        raise LimitExceededError(f"At most {MAX_PAIRS_PER_REQUEST:,} pairs a request.")
    rejected = []
    good = []
    for index, pair in enumerate(pairs):
        rejection = _pair_rejection(pair)
        if rejection is None:
            good.append((index, pair))
        else:
            rejected.append(Rejection(index, *rejection))
    if not good:
        return LinkResult(0, 0, tuple(rejected))
    linked, conflicts = await _link(runtime, channel, good)
    unchanged = len(good) - linked - len(conflicts)
    return LinkResult(linked, unchanged, tuple(sorted((*rejected, *conflicts), key=lambda each: each.index)))


async def _link(runtime: Runtime, channel: Channel, pairs: Sequence[tuple[int, IdentityPair]]) -> _Linked:
    """Store the new pairs, and return their number and the pairs that contradict a known or an earlier one."""
    channel_id = channel.channel_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        # All that link or create users hold this lock, so what is read next stays true.
        await channels.lock_channel_state(conn, channel_id)
        pairs = await _with_present_openids(conn, channel_id, pairs)
        people = await users.identities_of_openids(conn, channel_id, {pair.openid for _, pair in pairs})
        linked = await users.identities_of_unionids(conn, channel_id, {pair.unionid for _, pair in pairs})
        unionid_of = {openid: each.unionid for openid, each in people.items() if each.unionid is not None}
        openid_of = {unionid: each.openid for unionid, each in linked.items()}
        new: dict[str, str] = {}
        conflicts = []
        for index, pair in pairs:
            known = unionid_of.get(pair.openid), openid_of.get(pair.unionid)
            if known == (pair.unionid, pair.openid):
                continue
            if known != (None, None):
                conflicts.append(Rejection(index, RejectionCode.UNIONID_CONFLICT, _conflict_reason(known[0])))
                continue
            new[pair.openid] = unionid_of[pair.openid] = pair.unionid
            openid_of[pair.unionid] = pair.openid
        if not new:
            return _Linked(0, conflicts)
        new_openids = [openid for openid in new if openid not in people]
        ordinals = {openid: each.ordinal for openid, each in people.items()}
        ordinals |= await create_users(conn, channel_id, new_openids, runtime.clock())
        await users.set_unionids(conn, channel_id, {ordinals[openid]: new[openid] for openid in new})
    return _Linked(len(new), conflicts)


async def _with_present_openids(
    conn: Connection, channel_id: int, pairs: Sequence[tuple[int, IdentityPair]]
) -> Sequence[tuple[int, IdentityPair]]:
    """Return pairs with what people are called now who are named as before a migration."""
    present = await former_openids.present_openids(conn, channel_id, {pair.openid for _, pair in pairs})
    if not present:
        return pairs
    return [(index, replace(pair, openid=present.get(pair.openid, pair.openid))) for index, pair in pairs]


async def convert_openids(
    runtime: Runtime, from_channel: Channel, to_channel: Channel, openids: Iterable[str]
) -> Conversion:
    """Find the openids that the same people have on another channel of the robot.

    Both parts of the result are in the order of `openids`, each openid once. Raises ValueError for channels of two
    robots.
    """
    if from_channel.robot_id != to_channel.robot_id:
        raise ValueError("openids are converted between channels of one robot only")
    asked = list(dict.fromkeys(openids))
    async with runtime.pool.acquire() as conn:
        present = await former_openids.present_openids(conn, from_channel.channel_id, asked)
        named = {openid: present.get(openid, openid) for openid in asked}
        # Two statements, since the channels may live on two machines (docs/architecture/10-citus.md).
        here = await users.identities_of_openids(conn, from_channel.channel_id, named.values())
        unionids = {each.unionid for each in here.values() if each.unionid is not None}
        there = await users.identities_of_unionids(conn, to_channel.channel_id, unionids)
    found = {
        openid: match.openid
        for openid in asked
        if (known := here.get(named[openid])) is not None
        and known.unionid is not None
        and (match := there.get(known.unionid)) is not None
    }
    return Conversion(found, [openid for openid in asked if openid not in found])


def _pair_rejection(pair: IdentityPair) -> RejectionReason | None:
    if OPENID_PATTERN.fullmatch(pair.openid) is None:
        return RejectionReason(RejectionCode.MALFORMED_OPENID, MALFORMED_OPENID_REASON)
    if UNIONID_PATTERN.fullmatch(pair.unionid) is None:
        reason = "A unionid is 1 to 128 characters of A-Z a-z 0-9 _ -."
        return RejectionReason(RejectionCode.MALFORMED_UNIONID, reason)
    return None


def _conflict_reason(unionid: str | None) -> str:
    if unionid is None:
        return "Another openid of this channel has this unionid."
    return "The openid is linked to another unionid; forget the person to link them anew."
