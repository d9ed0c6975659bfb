"""Refuse a schema in which a field is open to a role that may not have it."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import pytest
import strawberry
from graphql import GraphQLSchema

from service.api.context import Info
from service.api.guards.permissions import guards_of, needs, null_unless
from service.api.guards.schema_audit import UnguardedFieldError, reject_unguarded_fields
from service.api.schema import make_schema
from service.entities.principal import Permission

VIEW_TAGS = needs(Permission.VIEW_TAGS)
VIEW_USERS = needs(Permission.VIEW_USERS)


@strawberry.type
class User:
    openid: str


@strawberry.type
class UserEdge:
    node: User


@strawberry.type
class UserConnection:
    edges: list[UserEdge]


@strawberry.type
class Count:
    users: int


Found = Annotated[User | Count, strawberry.union("Found")]


def schema_with(extensions: list[Any], target: Any, *, in_channel: list[Any] | None = None) -> GraphQLSchema:
    """Make a schema with a query field `one` of a type; with `in_channel`, a channel that leads to it."""

    async def resolve(info: Info) -> None:
        raise NotImplementedError

    @strawberry.type
    class Channel:
        one: target | None = strawberry.field(resolver=resolve, extensions=in_channel or [])

    @strawberry.type
    class Query:
        one: (target if in_channel is None else Channel) | None = strawberry.field(  # type: ignore[valid-type]
            resolver=resolve, extensions=extensions
        )

    return strawberry.Schema(Query)._schema


def test_the_schema_of_the_service_is_guarded() -> None:
    reject_unguarded_fields(make_schema().graphql_schema)


def test_every_root_field_has_a_guard() -> None:
    schema = make_schema().graphql_schema
    roots = [root for root in (schema.query_type, schema.mutation_type, schema.subscription_type) if root]

    assert len(roots) == 3
    assert [f"{root}.{name}" for root in roots for name, field in root.fields.items() if not guards_of(field)] == []


@pytest.mark.parametrize("root", ["Query", "Mutation", "Subscription"])
def test_a_root_field_that_loses_its_guard_is_refused(root: str) -> None:
    schema = make_schema().graphql_schema
    root_type: Any = schema.type_map[root]
    for name, field in root_type.fields.items():
        extensions = field.extensions.pop("strawberry-definition")

        with pytest.raises(UnguardedFieldError, match=rf"\b{root}\.{name}\b"):
            reject_unguarded_fields(schema)

        field.extensions["strawberry-definition"] = extensions
    reject_unguarded_fields(schema)


def test_a_root_field_without_a_guard_is_refused() -> None:
    with pytest.raises(UnguardedFieldError, match=r"Query\.one\.$"):
        reject_unguarded_fields(schema_with([], int))

    reject_unguarded_fields(schema_with([needs(None)], int))


def test_a_subscription_without_a_guard_is_refused() -> None:
    async def resolve() -> AsyncGenerator[int, None]:
        yield 1

    @strawberry.type
    class Query:
        one: int = strawberry.field(resolver=lambda: 1, extensions=[needs(None)])

    @strawberry.type
    class Subscription:
        ticks: AsyncGenerator[int, None] = strawberry.subscription(resolver=resolve)

    with pytest.raises(UnguardedFieldError, match=r"Subscription\.ticks\.$"):
        reject_unguarded_fields(strawberry.Schema(Query, subscription=Subscription)._schema)


@pytest.mark.parametrize("target", [User, UserConnection, Found], ids=["direct", "in a connection", "in a union"])
def test_a_root_field_needs_the_permission_of_what_it_leads_to(target: Any) -> None:
    with pytest.raises(UnguardedFieldError, match=r"Query\.one\.$"):
        reject_unguarded_fields(schema_with([VIEW_TAGS], target))

    reject_unguarded_fields(schema_with([VIEW_USERS], target))


@pytest.mark.parametrize("target", [User, UserConnection, Found], ids=["direct", "in a connection", "in a union"])
def test_a_path_from_a_channel_to_its_users_needs_a_guard(target: Any) -> None:
    with pytest.raises(UnguardedFieldError, match=r"Channel\.one\.$"):
        reject_unguarded_fields(schema_with([VIEW_TAGS], target, in_channel=[VIEW_TAGS]))

    reject_unguarded_fields(schema_with([VIEW_TAGS], target, in_channel=[VIEW_USERS]))
    reject_unguarded_fields(schema_with([VIEW_TAGS], target, in_channel=[null_unless(Permission.VIEW_USERS)]))


def test_a_guard_inside_a_connection_is_enough() -> None:
    async def resolve() -> None:
        raise NotImplementedError

    @strawberry.type
    class Crowd:
        users: UserConnection | None = strawberry.field(resolver=resolve, extensions=[VIEW_USERS])

    reject_unguarded_fields(schema_with([VIEW_TAGS], Crowd))


def test_permission_to_view_users_implies_permission_to_view_tags() -> None:
    @strawberry.type
    class Tag:
        name: str

    reject_unguarded_fields(schema_with([VIEW_USERS], Tag))
    with pytest.raises(UnguardedFieldError, match=r"Query\.one\.$"):
        reject_unguarded_fields(schema_with([needs(Permission.SUBMIT_DATA)], Tag))


def test_a_new_kind_of_tag_is_guarded_like_a_tag() -> None:
    @strawberry.interface
    class Tag:
        name: str

    async def resolve() -> None:
        raise NotImplementedError

    @strawberry.type
    class NewTag(Tag):
        users: UserConnection | None = strawberry.field(resolver=resolve)

    @strawberry.type
    class Query:
        tag: Tag | None = strawberry.field(resolver=resolve, extensions=[VIEW_TAGS])

    with pytest.raises(UnguardedFieldError, match=r"NewTag\.users\.$"):
        reject_unguarded_fields(strawberry.Schema(Query, types=[NewTag])._schema)
