"""Say why nothing is synced of a linked tag (docs/specification.md §6.4)."""

from dataclasses import replace

import pytest

from service.domain.official_account.linked_tags import halted_because
from service.entities.remote_tags import LinkedTag, RemoteAdditions
from service.entities.tags import Tag, TagKind, TagState
from tests.support.clock import START

TAG = Tag(1, 9, TagKind.COMBO, "Combo", "VIP", None, TagState.ACTIVE, 1, START, START, None)
PENDING, LAPSED = [replace(TAG, state=state) for state in (TagState.PENDING, TagState.LAPSED)]
DELETED = replace(TAG, deleted_at=START)
KEPT = LinkedTag(
    channel_id=1,
    tag_id=9,
    remote_tag_id=100,
    remote_name="VIP",
    keep_in_sync=True,
    remote_additions=RemoteAdditions.KEEP,
    in_sync=True,
    last_job_id=1,
    last_success_at=START,
    failing_since=None,
    error=None,
    errcode=None,
    tried_at=None,
)
NOT_KEPT, UNLINKED = replace(KEPT, keep_in_sync=False), replace(KEPT, remote_tag_id=None, keep_in_sync=False)


@pytest.mark.parametrize(
    ("link", "tag", "is_open", "acting", "word"),
    [
        (KEPT, TAG, True, True, None),
        (KEPT, DELETED, True, True, "deleted"),
        (KEPT, LAPSED, False, False, "lapsed"),
        (KEPT, PENDING, True, True, "not in effect yet"),
        (KEPT, TAG, False, True, "not bound"),
        (KEPT, TAG, True, False, "no calls to WeChat"),
        (NOT_KEPT, TAG, False, False, None),
        (NOT_KEPT, PENDING, True, True, None),
        (NOT_KEPT, LAPSED, True, True, "lapsed"),
        (NOT_KEPT, DELETED, True, True, "deleted"),
        (UNLINKED, DELETED, False, False, None),
    ],
)
def test_the_first_reason_is_said(link: LinkedTag, tag: Tag, is_open: bool, acting: bool, word: str | None) -> None:
    said = halted_because(link, tag, is_open=is_open, acting=acting)

    assert said is None if word is None else word in (said or "")
