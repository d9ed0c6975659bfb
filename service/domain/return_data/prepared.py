"""Hold a batch that is ready to be written, and the users on its list, and make its receipt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from service.entities.blocks import block_of
from service.entities.return_data import Receipt, RejectedOpenid, ReturnMode, ReturnSource
from service.storage.return_data.batches import KeyedTag


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """Hold a batch that is ready to be written: the tag exists, each well-formed openid of the channel comes once."""

    tag: KeyedTag
    mode: ReturnMode
    source: ReturnSource
    subject: str | None
    expires_at: datetime | None
    openids: tuple[str, ...]
    duplicates: int
    rejected: tuple[RejectedOpenid, ...]
    unmatched: tuple[str, ...]
    openids_of: int | None = None


@dataclass(frozen=True, slots=True)
class ResolvedPeople:
    """Hold the users of a transaction: `{openid: ordinal}`, and the openids that were created for it.

    `forgotten` counts the users of the channel that had been forgotten before these were looked up.
    """

    ordinals: Mapping[str, int]
    new: frozenset[str]
    forgotten: int

    def of(self, batch: PreparedBatch) -> list[int]:
        """Return the ordinals of the users of a batch, ascending, each once."""
        return sorted({self.ordinals[openid] for openid in batch.openids if openid in self.ordinals})

    def repeated(self, batch: PreparedBatch) -> int:
        """Return how many openids of a batch are of people whom another one names: they had it before a migration."""
        return sum(openid in self.ordinals for openid in batch.openids) - len(self.of(batch))


def unnumbered_receipt(
    channel_id: int,
    batch: PreparedBatch,
    people: ResolvedPeople,
    at: datetime,
    *,
    added: int = 0,
    removed: int = 0,
    new_users: int = 0,
) -> Receipt:
    """Return a receipt without its number; listed users who were not added had the tag before."""
    ordinals = [] if batch.mode is ReturnMode.REMOVE else people.of(batch)
    repeated = people.repeated(batch)
    return Receipt(
        channel_id=channel_id,
        batch_id=0,
        tag_id=batch.tag.tag_id,
        key_id=batch.tag.key_id,
        at=at,
        mode=batch.mode,
        source=batch.source,
        subject=batch.subject,
        expires_at=batch.expires_at,
        added=added,
        removed=removed,
        unchanged=len(batch.openids) - repeated - added,
        duplicates=batch.duplicates + repeated,
        new_users=new_users,
        rejected=batch.rejected,
        unmatched=batch.unmatched,
        blocks=sorted({block_of(each) for each in ordinals}),
        openids_of=batch.openids_of,
    )
