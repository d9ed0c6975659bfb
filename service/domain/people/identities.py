"""One person, several openids: linked by unionid (WeChat's id of a person across the accounts of one owner).

The openid ↔ unionid pairs of a channel never change once they are known: a unionid belongs to one openid, and an
openid keeps its unionid. Another one for the same openid is refused as a conflict, because what was converted through
the first cannot be taken back; who really moved to another WeChat Open Platform account is forgotten and linked anew.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from service.domain.input_rules import MALFORMED_OPENID_REASON, OPENID_PATTERN, Rejection
from service.domain.people.ordinals import create_users
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import LimitExceededError, RejectionCode
from service.storage import channels, users

MAX_PAIRS_PER_REQUEST: Final = 10_000
# WeChat's are like openids; nothing says how long they may become.
UNIONID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True, slots=True)
class IdentityPair:
    """The openid of somebody on one channel, and who that is across channels."""

    openid: str
    unionid: str


@dataclass(frozen=True, slots=True)
class LinkResult:
    """How many pairs were new and how many known; the others were refused one by one."""

    linked: int
    unchanged: int
    rejected: tuple[Rejection, ...]


async def link_identities(runtime: Runtime, channel: Channel, pairs: Sequence[IdentityPair]) -> LinkResult:
    """Makes pairs known, and people of openids that nobody has heard of. Durable when it returns.

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


async def _link(
    runtime: Runtime, channel: Channel, pairs: Sequence[tuple[int, IdentityPair]]
) -> tuple[int, list[Rejection]]:
    """How many pairs were new, and those that contradict what is known or an earlier pair."""
    channel_id = channel.channel_id
    async with runtime.pool.acquire() as conn, conn.transaction():
        # Whoever links or makes people holds this, so what is read next stays true.
        await channels.lock_channel_state(conn, channel_id)
        people = await users.identities_of_openids(conn, channel_id, {pair.openid for _, pair in pairs})
        holders = await users.identities_of_unionids(conn, channel_id, {pair.unionid for _, pair in pairs})
        unionid_of = {openid: each.unionid for openid, each in people.items() if each.unionid is not None}
        openid_of = {unionid: each.openid for unionid, each in holders.items()}
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
            return 0, conflicts
        new_openids = [openid for openid in new if openid not in people]
        ordinals = {openid: each.ordinal for openid, each in people.items()}
        ordinals |= await create_users(conn, channel_id, new_openids, runtime.clock())
        await users.set_unionids(conn, channel_id, {ordinals[openid]: new[openid] for openid in new})
    return len(new), conflicts


async def convert_openids(
    runtime: Runtime, from_channel: Channel, to_channel: Channel, openids: Iterable[str]
) -> tuple[dict[str, str], list[str]]:
    """The openids that the same people have on another channel of the robot, and whoever is not known there.

    Answers ({openid on `from_channel`: openid on `to_channel`}, unmatched), both in the order asked, each once. Two
    statements, as the channels may live on two machines. Raises ValueError for channels of two robots.
    """
    if from_channel.robot_id != to_channel.robot_id:
        raise ValueError("openids are converted between channels of one robot only")
    asked = list(dict.fromkeys(openids))
    async with runtime.pool.acquire() as conn:
        here = await users.identities_of_openids(conn, from_channel.channel_id, asked)
        unionids = {each.unionid for each in here.values() if each.unionid is not None}
        there = await users.identities_of_unionids(conn, to_channel.channel_id, unionids)
    found = {
        openid: match.openid
        for openid in asked
        if (known := here.get(openid)) is not None
        and known.unionid is not None
        and (match := there.get(known.unionid)) is not None
    }
    return found, [openid for openid in asked if openid not in found]


def _pair_rejection(pair: IdentityPair) -> tuple[RejectionCode, str] | None:
    if OPENID_PATTERN.fullmatch(pair.openid) is None:
        return RejectionCode.MALFORMED_OPENID, MALFORMED_OPENID_REASON
    if UNIONID_PATTERN.fullmatch(pair.unionid) is None:
        return RejectionCode.MALFORMED_UNIONID, "A unionid is 1 to 128 characters of A-Z a-z 0-9 _ -."
    return None


def _conflict_reason(unionid: str | None) -> str:
    if unionid is None:
        return "Another openid of this channel has this unionid."
    return "The openid is linked to another unionid; forget the person to link them anew."
