"""Reading people and tags as somebody may see them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.domain.events import OPENID
from service.domain.runtime import Runtime
from service.entities.blocks import block_of, offset_of
from service.entities.enums import TagKind, TagState
from service.entities.errors import BadInputError, FieldFailure
from service.entities.tags import Tag, UserTagChange
from service.entities.users import ChannelUser
from service.storage import changes

NEWEST = 2**62


@dataclass(frozen=True, slots=True)
class TagFilter:
    """All that is given must hold; `search` looks for a part of category or name, whatever the case."""

    kind: TagKind | None = None
    state: TagState | None = None
    category: str | None = None
    search: str | None = None

    def matches(self, tag: Tag) -> bool:
        return (
            (self.kind is None or tag.kind is self.kind)
            and (self.state is None or tag.state is self.state)
            and (self.category is None or tag.category == self.category)
            and (self.search is None or self.search.casefold() in f"{tag.category}\n{tag.name}".casefold())
        )


def check_openids(openids: Sequence[str], path: str) -> None:
    """Raises BadInputError naming every malformed openid."""
    failures = [
        FieldFailure(
            path if len(openids) == 1 and path == "openid" else f"{path}.{index}",
            "MALFORMED_OPENID",
            "An openid is 1 to 128 characters of A-Z a-z 0-9 _ -.",
        )
        for index, openid in enumerate(openids)
        if OPENID.fullmatch(openid) is None
    ]
    if failures:
        raise BadInputError(*failures)


async def history_page(
    runtime: Runtime, user: ChannelUser, *, first: int, before: int | None
) -> tuple[list[UserTagChange], bool]:
    """Changes of somebody's tags, newest first, older than version `before`; and whether there are more."""
    async with runtime.pool.acquire() as conn:
        found = await changes.history_of_user(
            conn,
            user.channel_id,
            block_of(user.ordinal),
            offset_of(user.ordinal),
            before=NEWEST if before is None else before,
            limit=first + 1,
        )
    return found[:first], len(found) > first


def matching(tags: Iterable[Tag], wanted: TagFilter) -> list[Tag]:
    return [tag for tag in tags if wanted.matches(tag)]
