"""Explain return tags in a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service.entities.return_data import ReceiptHead, ReturnSource
from service.foundation.clock import format_time


@dataclass(frozen=True, slots=True)
class ReturnTagExplanation:
    """Hold why a user has a return tag, in a sentence, and when the last batch expires, None if one never does."""

    why: str
    until: datetime | None


def explain_return_tag(receipts: Sequence[ReceiptHead], *, settled: bool) -> ReturnTagExplanation:
    """Explain a return tag by the receipts of the batches in force that hold the user, oldest first.

    `settled` tells whether a settled batch, which stays for good, holds the user as well.
    """
    if not receipts:
        return ReturnTagExplanation("Handed back by an integrator, in a batch that can no longer be undone.", None)
    newest = receipts[-1]
    others = len(receipts) - 1 + settled
    also = "" if not others else f", and in {others} earlier batch{'es' if others > 1 else ''}"
    ends = [each.expires_at for each in receipts]
    until = None if settled or None in ends else max(each for each in ends if each is not None)
    return ReturnTagExplanation(f"{_origin(newest)} {format_time(newest.at)}{also}.", until)


def _origin(receipt: ReceiptHead) -> str:
    match receipt.source:
        case ReturnSource.GRAPHQL:
            return f"Handed back by {receipt.subject}"
        case ReturnSource.HTTP:
            return "Handed back over HTTP"
        case ReturnSource.OFFICIAL_ACCOUNT:
            return f"Taken over from the Official Account by {receipt.subject}"


MISSING_RETURN_TAG: Final = "No list in force that was handed back under the tag holds the person."
