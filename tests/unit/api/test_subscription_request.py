"""Read usual subscriptions without Strawberry, and leave the others to it."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation

from service.api.context import Context
from service.api.live.request import parse_subscription
from service.api.schema import make_schema
from service.entities.principal import Principal, Role
from service.foundation.settings import QueryLimits, Settings
from tests.support.robot import USER_TAGS

SCHEMA: Final = make_schema(Settings(query_limits=QueryLimits(cost=50)))
GIVEN: Final[dict[str, Any]] = {"c": "Q2hhbm5lbDox", "o": "ada"}


def asked(query: str, /, role: Role = Role.AGENT, **variables: Any) -> tuple[str, str, str | None] | None:
    """Return the channel, openid and cursor that `parse_subscription` reads; None if it leaves it to Strawberry."""
    operation = SimpleNamespace(query=query, operation_name=None, variables=variables)
    principal = Principal("ann", "r1", role, datetime.now(UTC))
    found = parse_subscription(SCHEMA, cast("Operation[Context, None]", operation), principal)
    if found is None:
        return None
    assert found.field == "userTags"
    return found.arguments["channelId"], found.arguments["openid"], found.arguments.get("after")


def test_arguments_are_read_as_graphql_reads_them() -> None:
    literal = 'subscription { userTags(channelId: 7, openid: "ada", after: null) { cursor } }'
    default = 'subscription($o: String = "bob") { userTags(channelId: "7", openid: $o) { cursor } }'
    assert asked(USER_TAGS, **GIVEN) == (*GIVEN.values(), None)
    assert asked(USER_TAGS, **GIVEN, after="x") == (*GIVEN.values(), "x")
    assert asked(literal) == ("7", "ada", None)
    assert asked(default) == ("7", "bob", None)


@pytest.mark.parametrize(
    "query",
    [
        "subscription {",
        "subscription { userTags { cursor } }",
        "{ viewer { id } }",
        "subscription { __typename }",
        'subscription { ...F } fragment F on Subscription { userTags(channelId: "7", openid: "ada") { cursor } }',
        'subscription a { userTags(channelId: "7", openid: "ada") { cursor } } query b { viewer { id } }',
        'subscription { userTags(channelId: "7", openid: "ada") { tags { id name kind category state version } } }',
    ],
)
def test_unusual_and_invalid_operations_are_left_to_strawberry(query: str) -> None:
    assert asked(query) is None


@pytest.mark.parametrize(
    "variables", [{}, {"c": "7"}, {"c": "7", "o": None}, {"c": {}, "o": "ada"}, {"c": "7", "o": 5}]
)
def test_operations_with_invalid_variables_are_left_to_strawberry(variables: dict[str, Any]) -> None:
    assert asked(USER_TAGS, **variables) is None


def test_operations_without_permission_are_left_to_strawberry() -> None:
    assert asked(USER_TAGS, Role.INTEGRATOR, **GIVEN) is None
