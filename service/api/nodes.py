"""The Node interface: everything with a life of its own has an id that is unique across all types."""

import strawberry


@strawberry.interface(description="Everything with a life of its own.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque, and unique across all types.")
