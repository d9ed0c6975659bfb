"""Lists handed back as tests write them, and the members that the database says a tag has."""

from collections.abc import Iterable
from datetime import datetime

from service.domain.return_data.submission import ReturnRecorder, Submission
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.enums import ReturnMode
from service.entities.return_data import Receipt
from tests.support.database_state import tags_by_ordinal

MEMBERS = "select ordinal, openid from channel_user where channel_id = $1"
MEMBERS_OF_BATCHES = """
select distinct u.openid from return_support s
join channel_user u on u.channel_id = s.channel_id and (
    s.ordinals @> array[u.ordinal] or (s.place = u.ordinal / 32000 and get_bit(s.members, u.ordinal % 32000) = 1)
)
where s.channel_id = $1 and s.tag_id = $2
"""


def submission_of(
    openids: Iterable[str],
    mode: ReturnMode = ReturnMode.ADD,
    *,
    label: str = "Gold",
    category: str = "Level",
    description: str | None = None,
    expires_at: datetime | None = None,
    key: str | None = None,
    openids_of: Channel | None = None,
) -> Submission:
    return Submission(
        category,
        label,
        description,
        list(openids),
        mode,
        subject="shop",
        expires_at=expires_at,
        idempotency_key=key,
        openids_of=openids_of,
    )


async def submit(runtime: Runtime, channel: Channel, submission: Submission) -> Receipt:
    """A receipt of a request that was not sent before."""
    receipt, replayed = await ReturnRecorder(runtime).submit(channel, submission)
    assert not replayed
    return receipt


async def members_of(runtime: Runtime, channel: Channel, tag_id: int) -> set[str]:
    """Whose bit is set."""
    openids = {row["ordinal"]: row["openid"] for row in await runtime.pool.fetch(MEMBERS, channel.channel_id)}
    bits = await tags_by_ordinal(runtime, channel)
    return {openids[ordinal] for ordinal, tag_ids in bits.items() if tag_id in tag_ids}


async def members_of_batches(runtime: Runtime, channel: Channel, tag_id: int) -> set[str]:
    """Whom the batches in force hold, all together."""
    return {row["openid"] for row in await runtime.pool.fetch(MEMBERS_OF_BATCHES, channel.channel_id, tag_id)}
