"""Keep the tags of an account and who has them."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class RemoteTag:
    """Hold a tag and its members, whom pages show in the order of their openids."""

    id: int
    name: str
    created_at: datetime
    members: set[str] = field(default_factory=set)
    _sorted: list[str] | None = None

    def members_after(self, openid: str, size: int) -> list[str]:
        """Return at most so many members who come after this openid, which need not be a member's."""
        if self._sorted is None:
            self._sorted = sorted(self.members)
        start = bisect_right(self._sorted, openid)
        return self._sorted[start : start + size]

    def add(self, openid: str) -> None:
        """Make somebody a member, who may be one already."""
        self.members.add(openid)
        self._sorted = None

    def remove(self, openid: str) -> None:
        """Make somebody no member, who may be none already."""
        self.members.discard(openid)
        self._sorted = None


class TagBook:
    """Hold the account's own tags by id; ids are never used again, `next_id` is the next.

    `changed` counts the memberships that calls and others began or ended, `unchanged` those that were so already.
    """

    def __init__(self, first_id: int) -> None:
        self.tags: dict[int, RemoteTag] = {}
        self.changed = 0
        self.unchanged = 0
        self.next_id = first_id
        self._of_user: dict[str, tuple[int, ...]] = {}

    def create(self, name: str, at: datetime) -> RemoteTag:
        """Make a tag without members."""
        self.next_id += 1
        return self.restore(self.next_id - 1, name, at)

    def restore(self, tag_id: int, name: str, at: datetime) -> RemoteTag:
        """Put a tag that was there before into the book again, without members."""
        tag = RemoteTag(tag_id, name, at)
        self.tags[tag.id] = tag
        return tag

    def delete(self, tag_id: int) -> None:
        """Delete a tag, which its members lose."""
        self.untag(tag_id, list(self.tags[tag_id].members))
        del self.tags[tag_id]

    def tag(self, tag_id: int, openids: Iterable[str]) -> None:
        """Give a tag to users; who has it keeps it."""
        for openid in openids:
            self._count(change=openid not in self.tags[tag_id].members)
            self.tags[tag_id].add(openid)
            self._of_user[openid] = (*(each for each in self.tags_of(openid) if each != tag_id), tag_id)

    def untag(self, tag_id: int, openids: Iterable[str]) -> None:
        """Take a tag from users; nothing happens to who does not have it."""
        for openid in openids:
            self._count(change=openid in self.tags[tag_id].members)
            self.tags[tag_id].remove(openid)
            left = tuple(each for each in self.tags_of(openid) if each != tag_id)
            if left:
                self._of_user[openid] = left
            else:
                self._of_user.pop(openid, None)

    def tags_of(self, openid: str) -> tuple[int, ...]:
        """Return the ids of a user's tags, the newest last."""
        return self._of_user.get(openid, ())

    def drop_user(self, openid: str) -> None:
        """Take all tags from a user."""
        for tag_id in self._of_user.pop(openid, ()):
            self.tags[tag_id].remove(openid)

    def _count(self, *, change: bool) -> None:
        self.changed += change
        self.unchanged += not change
