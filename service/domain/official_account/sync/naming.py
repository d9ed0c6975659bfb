"""Decide which remote tag each of ours becomes, and under which name, by what WeChat lists.

Source: docs/specification.md, §6.2; developers.weixin.qq.com `/doc/service/api/usermanage/tag/api_createtag`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from service.entities.remote_tags import LinkedTag
from service.entities.syncs import SyncConflict, TagSync, TagSyncAction
from service.entities.tags import Tag
from service.storage.syncs import UnansweredMaking
from service.wechat.api.tag_calls import RemoteTag

MAX_REMOTE_TAGS: Final = 100
MAX_REMOTE_NAME_BYTES: Final = 30
TAKEN: Final = "The Official Account has another tag named {}, which is not linked to this one."
TOO_MANY: Final = f"An Official Account has at most {MAX_REMOTE_TAGS} tags."
TOO_LONG: Final = (
    f"A name has at most {MAX_REMOTE_NAME_BYTES} bytes at WeChat, ten Chinese characters; give a remote name."
)


@dataclass(frozen=True, slots=True)
class TagToName:
    """Hold a tag of a sync, its link if it has one, and what it was called when the remote tag was named after it.

    `makings` are the remote tags that earlier syncs may have made for it without having been told.
    """

    sync: TagSync
    tag: Tag
    link: LinkedTag | None
    named_after: str | None
    makings: Sequence[UnansweredMaking] = ()

    def may_have_made(self, remote: RemoteTag) -> bool:
        """Tell whether a remote tag is one that an earlier sync set out to make: it is new, and nobody has it."""
        return not remote.member_count and any(
            each.remote_name == remote.name and remote.remote_tag_id not in each.ids_before for each in self.makings
        )


class Naming(NamedTuple):
    """Hold what is to be done about each tag, and what people should know about it."""

    tags: list[TagSync]
    warnings: list[str]


def fits_remotely(name: str) -> bool:
    """Tell whether WeChat takes a name: it has 1 to 30 bytes, and more than spaces."""
    # In this order: a text that is too long may be none that can be encoded.
    return bool(name.strip()) and len(name) <= MAX_REMOTE_NAME_BYTES and len(name.encode()) <= MAX_REMOTE_NAME_BYTES


def name_tags(
    tags: Sequence[TagToName],
    remote: Sequence[RemoteTag],
    linked_ids: Collection[int],
    conflict: SyncConflict,
) -> Naming:
    """Return what is to be done about tags, in their order; `linked_ids` are the remote tags of all tags of ours."""
    namer = _Namer(remote, linked_ids, conflict)
    return Naming([namer.name(each) for each in tags], namer.warnings)


class _Namer:
    """Name one tag after the other; names that are given to one are taken for the next."""

    def __init__(self, remote: Sequence[RemoteTag], linked_ids: Collection[int], conflict: SyncConflict) -> None:
        self.warnings: list[str] = []
        self._by_id = {tag.remote_tag_id: tag for tag in remote if not tag.of_system}
        self._by_name = {tag.name: tag for tag in remote}
        self._taken = set(self._by_name)
        self._unavailable = set(linked_ids)
        self._left = MAX_REMOTE_TAGS - len(self._by_id)
        self._conflict = conflict

    def name(self, each: TagToName) -> TagSync:
        current = None if each.link is None else self._by_id.get(each.link.remote_tag_id or 0)
        return self._new(each) if current is None else self._linked(each, current)

    def _linked(self, each: TagToName, current: RemoteTag) -> TagSync:
        """Return what becomes of a tag that is linked: it keeps its remote name unless another is asked for."""
        wanted = each.sync.asked_name or self._name_by_ours(each, current.name)
        if wanted == current.name:
            return self._planned(each, TagSyncAction.UPDATE, current.name, current)
        if wanted in self._taken:
            if each.sync.asked_name is None:
                self.warnings.append(f"{each.tag.name} stays {current.name} at WeChat, where its own name is taken.")
                return self._planned(each, TagSyncAction.UPDATE, current.name, current)
            if self._conflict is not SyncConflict.RENAME:
                return self._refused(each, wanted, TAKEN.format(wanted))
            wanted = self._free_name(wanted)
        self._taken.discard(current.name)
        self._taken.add(wanted)
        return self._planned(each, TagSyncAction.RENAME, wanted, current)

    def _name_by_ours(self, each: TagToName, current: str) -> str:
        """Return the name that a remote tag should have: ours if that was changed, else the one it has."""
        if each.named_after is None or each.named_after == each.tag.name:
            return current
        if not fits_remotely(each.tag.name):
            self.warnings.append(f"{each.tag.name} stays {current} at WeChat, since its own name is too long there.")
            return current
        return each.tag.name

    def _new(self, each: TagToName) -> TagSync:
        """Return what becomes of a tag that has no remote one, or none any more."""
        wanted = each.sync.asked_name or self._first_name(each)
        if not fits_remotely(wanted):
            return self._refused(each, wanted, TOO_LONG)
        if wanted not in self._taken:
            return self._created(each, wanted)
        found = self._by_name.get(wanted)
        adoptable = found is not None and not found.of_system and found.remote_tag_id not in self._unavailable
        is_ours = found is not None and adoptable and each.may_have_made(found)
        if self._conflict is SyncConflict.RENAME and not is_ours:
            return self._created(each, self._free_name(wanted))
        if found is None or not adoptable or (self._conflict is SyncConflict.FAIL and not is_ours):
            return self._refused(each, wanted, TAKEN.format(wanted))
        self._unavailable.add(found.remote_tag_id)
        return self._planned(each, TagSyncAction.ADOPT, wanted, found)

    def _first_name(self, each: TagToName) -> str:
        """Return our name, or that of a remote tag that is gone, where that was not named after ours."""
        if each.link is not None and (each.named_after == each.tag.name or not fits_remotely(each.tag.name)):
            return each.link.remote_name
        return each.tag.name

    def _created(self, each: TagToName, name: str) -> TagSync:
        if self._left <= 0:
            return self._refused(each, name, TOO_MANY)
        self._left -= 1
        self._taken.add(name)
        return self._planned(each, TagSyncAction.CREATE, name, None)

    def _free_name(self, name: str) -> str:
        """Return a name with a number behind it that nobody has."""
        number = 2
        while (free := _numbered(name, number)) in self._taken:
            number += 1
        return free

    def _planned(self, each: TagToName, action: TagSyncAction, name: str, found: RemoteTag | None) -> TagSync:
        return replace(
            each.sync,
            action=action,
            remote_name=name,
            remote_tag_id=None if found is None else found.remote_tag_id,
            listed_count=None if found is None else found.member_count,
        )

    def _refused(self, each: TagToName, name: str, error: str) -> TagSync:
        return replace(each.sync, action=TagSyncAction.REFUSED, remote_name=name, remote_tag_id=None, error=error)


def _numbered(name: str, number: int) -> str:
    """Return a name with a number behind it, shortened by whole characters to what WeChat takes."""
    suffix = f" {number}"
    while len((name + suffix).encode()) > MAX_REMOTE_NAME_BYTES:
        name = name[:-1]
    return name.rstrip() + suffix


def same_list(listed: Iterable[tuple[int, str]], remote: Iterable[RemoteTag]) -> bool:
    """Tell whether WeChat lists the same ids and names as before, whatever their order."""
    return sorted(listed) == sorted((tag.remote_tag_id, tag.name) for tag in remote)
