"""Arguments that many fields take, with what clients are told about them."""

from typing import Annotated, TypeAlias, TypeVar

import strawberry

T = TypeVar("T")

Input: TypeAlias = Annotated[T, strawberry.argument(description="What is asked for.")]
First: TypeAlias = Annotated[int, strawberry.argument(description="How many at most, 1 to 200.")]
After: TypeAlias = Annotated[str | None, strawberry.argument(description="`endCursor` of the page before this one.")]
AfterEvent: TypeAlias = Annotated[
    str | None, strawberry.argument(description="`cursor` of the last event that was seen.")
]
NodeId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The id of any type of Node.")]
ChannelId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which channel.")]
TagId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which tag.")]
Openid: TypeAlias = Annotated[str, strawberry.argument(description="WeChat's id of the person on that channel.")]
