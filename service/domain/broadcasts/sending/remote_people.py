"""Read everybody who has a remote tag, at once (docs/specification.md §6.6)."""

from typing import NamedTuple

from service.domain.official_account.member_reading import fetch_member_page
from service.domain.runtime import Runtime
from service.entities.bitmaps import Bitmaps, bitmaps_of, united
from service.entities.channels import Channel


class RemotePeople(NamedTuple):
    """Hold who has a remote tag: those who are known, and the openids of others."""

    people: Bitmaps
    unknown: tuple[str, ...]

    def are(self, people: Bitmaps) -> bool:
        """Tell whether exactly these people have it."""
        return not self.unknown and _filled(self.people) == _filled(people)


async def read_remote_people(runtime: Runtime, channel: Channel, remote_tag_id: int) -> RemotePeople:
    """Return who has a remote tag, as WeChat answers now. Raises what `call_wechat` raises."""
    people: Bitmaps = {}
    unknown: list[str] = []
    cursor = ""
    while True:
        page = await fetch_member_page(runtime, channel, remote_tag_id, cursor)
        people = united(people, bitmaps_of(page.ordinals.values()))
        unknown += (each for each in page.openids if each not in page.ordinals)
        cursor = page.next_cursor
        if not cursor:
            return RemotePeople(people, tuple(unknown))


def _filled(people: Bitmaps) -> dict[int, int]:
    return {block: bits for block, bits in people.items() if bits}
