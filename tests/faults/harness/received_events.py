"""Compare the events that a page received with the log: each change exactly once."""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.domain.feed.cursors import decode_cursor
from service.entities.ids import parse_gid
from tests.faults.harness.change_log import LoggedChange, tags_at_version


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """Hold one event as it came; `version` is its block's, None while the person is unknown."""

    visit: int
    version: int | None
    tag_version: int
    at: datetime
    cause: str | None
    reset: bool
    tags: frozenset[int]
    added: frozenset[int]
    removed: frozenset[int]
    updated: frozenset[int]


def parse_event(visit: int, event: dict[str, Any]) -> ReceivedEvent:
    """Read an event as it came; `visit` counts the connections."""
    cursor = decode_cursor(event["cursor"])
    assert cursor is not None
    return ReceivedEvent(
        visit,
        None if cursor.block_revision is None else cursor.block_revision.version,
        cursor.tag_revision.version,
        datetime.fromisoformat(event["at"]),
        event["cause"],
        event["reset"],
        *(_ids(event[name]) for name in ("tags", "added", "removed", "updated")),
    )


def _ids(tags: list[dict[str, str]]) -> frozenset[int]:
    found = (parse_gid(tag["id"], "Tag", 2) for tag in tags)
    return frozenset(each[1] for each in found if each is not None)


def check_deltas(events: Sequence[ReceivedEvent]) -> None:
    """Check that each event says exactly what is different from the one before."""
    assert events[0].reset, "without a cursor the feed begins with a reset"
    for before, after in itertools.pairwise(events):
        if after.reset:
            assert (after.added, after.removed, after.cause) == (after.tags, frozenset(), None), (before, after)
        else:
            assert after.added == after.tags - before.tags, (before, after)
            assert after.removed == before.tags - after.tags, (before, after)
            assert after.added or after.removed or after.updated, ("an event that says nothing", before, after)


def check_exactly_once(events: Sequence[ReceivedEvent], lines: list[LoggedChange], forgotten: int) -> None:
    """Check that every logged change arrived once and in order; a reset stands only where the log had been pruned.

    `forgotten` is the newest version that ever left the log.
    """
    check_deltas(events)
    at: int | None = None
    events = [event for event in events if event.reset or event.added or event.removed]
    for number, event in enumerate(events):
        if event.reset:
            assert number == 0 or (at or 0) < forgotten, ("a reset without need", events[number - 1 : number + 1])
            assert event.tags == tags_at_version(lines, event.version or 0), event
        elif at is None:
            # Unknown until now: what made the person known comes as one event.
            assert event.tags == event.added == tags_at_version(lines, event.version or 0), event
        else:
            line = next((line for line in lines if line.version > (at or 0)), None)
            assert line is not None, ("received something that never happened", event)
            seen = LoggedChange(event.version or 0, event.at, event.cause or "", event.added, event.removed)
            assert seen == line, f"{events[number - 1]}\nshould be followed by\n{line}\nand is by\n{event}"
        assert event.version is None or event.version >= (at or 0), (at, event)
        at = event.version
    left = [line for line in lines if line.version > (at or 0)]
    assert not left, ("never received", left)


def check_edits(events: Sequence[ReceivedEvent], edits: Collection[int]) -> None:
    """Check that each edit of a tag that was always shown, a version of the tag states, arrived once and in order."""
    (begin, *later) = events
    seen = [event.tag_version for event in later if event.updated]
    assert seen == sorted(version for version in edits if version > begin.tag_version), (seen, edits)
