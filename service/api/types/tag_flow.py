"""Show who came to a tag and who left it, by cause."""

from datetime import datetime

import strawberry

from service.api.guards.list_sizes import at_most
from service.domain.audiences import tag_flow as use_cases
from service.entities.blocks import ChangeCause


@strawberry.type(description="How many people came to a tag, and how many left it, for one cause.")
class TagFlowCause:
    """Show who came to a tag and left it for one cause."""

    cause: ChangeCause = strawberry.field(
        description=(
            "Why they came or left. Where the tag itself came to be shown or no longer is, as when a combo lapses, "
            "everybody who has it comes or leaves for that cause."
        )
    )
    entered: int = strawberry.field(description="How many times somebody came for this cause.")
    left: int = strawberry.field(description="How many times somebody left for this cause.")


@strawberry.type(
    description=(
        "Who came to a tag and who left it between two instants. `entered` − `left` is the difference between how many "
        "people had it at the two, forgotten people left out of both."
    )
)
class TagFlow:
    """Show who came to a tag and left it between two instants."""

    since: datetime = strawberry.field(
        description="The instant that was asked from: what happened at it is not counted."
    )
    until: datetime = strawberry.field(description="The present instant, up to which is counted.")
    entered: int = strawberry.field(
        description="How many times somebody came; who came, left and came again counts twice."
    )
    left: int = strawberry.field(description="How many times somebody left.")
    by_cause: list[TagFlowCause] = strawberry.field(
        description="Who came and who left by cause, those by which most happened first.",
        metadata=at_most(len(ChangeCause), usual=5),
    )

    @classmethod
    def of(cls, flow: use_cases.TagFlow) -> "TagFlow":
        """Return the object of a flow."""
        by_size = sorted(flow.by_cause.items(), key=lambda each: (-each[1].entered - each[1].left, each[0]))
        return cls(
            since=flow.since,
            until=flow.until,
            entered=flow.entered,
            left=flow.left,
            by_cause=[TagFlowCause(cause=cause, entered=each.entered, left=each.left) for cause, each in by_size],
        )
