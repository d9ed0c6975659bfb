"""Count who came to a tag and who left it since an instant, by cause (docs/specification.md §6.10)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from service.domain.audiences.looking_back import check_instant, reached_versions
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeCause
from service.entities.tags import Tag
from service.storage import tags
from service.storage.blocks.past_members import LoggedFlow, ShownStep, shown_steps, tag_flow

# Of a structural change that says none.
STRUCTURAL: Final = ChangeCause.TAG_EDITED


@dataclass(slots=True)
class CauseFlow:
    """Count who came and who left for one cause."""

    entered: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class TagFlow:
    """Count who came to a tag and who left it between two instants, in all and by cause.

    `entered` − `left` is the difference between how many people showed the tag at the two.
    """

    since: datetime
    until: datetime
    by_cause: dict[ChangeCause, CauseFlow] = field(default_factory=dict)

    @property
    def entered(self) -> int:
        """Return how many came."""
        return sum(each.entered for each in self.by_cause.values())

    @property
    def left(self) -> int:
        """Return how many left."""
        return sum(each.left for each in self.by_cause.values())


async def flows_of_tags(
    runtime: Runtime, channel_id: int, tag_ids: Iterable[int], since: datetime
) -> dict[int, TagFlow]:
    """Return the flow of tags of one channel, deleted ones too, since an instant, `{tag_id: flow}`.

    Raises BadInputError, naming the earliest instant, where the logs do not reach `since` or it is still to come.
    """
    wanted = list(tag_ids)
    async with runtime.long_reads, runtime.pool.acquire() as conn:
        await check_instant(conn, runtime, channel_id, since, "since")
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            catalogue = await tags.catalogue(conn, channel_id)
            steps = await shown_steps(conn, channel_id, wanted, since)
            versions = await reached_versions(conn, channel_id, since, argument="since")
            logged = await tag_flow(conn, channel_id, set(wanted) - steps.keys(), versions)
            for tag_id, each in steps.items():
                logged |= await tag_flow(conn, channel_id, [tag_id], versions, [step.at for step in each])
        until = runtime.clock()
    return {
        tag_id: TagFlow(
            since,
            until,
            _by_cause(catalogue.tags[tag_id], steps.get(tag_id, ()), logged.get(tag_id, LoggedFlow())),
        )
        for tag_id in wanted
    }


def _by_cause(tag: Tag, steps: Sequence[ShownStep], logged: LoggedFlow) -> dict[ChangeCause, CauseFlow]:
    """Return who came and left by cause.

    While people do not show the tag nobody comes or leaves. By a step that shows it all its members of that moment
    come, by one that hides it they all leave, for the cause of the step.
    """
    by_cause: dict[ChangeCause, CauseFlow] = {}
    shown = [*(not step.shown_after for step in steps), tag.shown]
    for moved in logged.moved:
        if shown[moved.passed] and (moved.entered or moved.left):
            flow = by_cause.setdefault(moved.cause, CauseFlow())
            flow.entered += moved.entered
            flow.left += moved.left
    for number, step in enumerate(steps, start=1):
        since = sum(each.entered - each.left for each in logged.moved if each.passed >= number)
        members = logged.members - since
        if members:
            flow = by_cause.setdefault(step.cause or STRUCTURAL, CauseFlow())
            flow.entered += members if step.shown_after else 0
            flow.left += 0 if step.shown_after else members
    return by_cause
