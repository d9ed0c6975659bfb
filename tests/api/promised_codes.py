"""Compare the codes that operations answer in tests with those that their descriptions name."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

import pytest
from graphql import FieldNode, GraphQLError

from service.api import errors
from service.api.schema import make_schema

# As the descriptions of Query, Mutation and Subscription say of every field.
ALWAYS_POSSIBLE: Final = frozenset({"UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMITED", "INTERNAL"})


@contextmanager
def only_promised_codes() -> Iterator[None]:
    """Fail the test at the end if an operation answered a code that its description does not name."""
    broken: list[str] = []

    mask = errors.mask_error

    def masked(error: GraphQLError, context: object) -> GraphQLError:
        answered = mask(error, context)
        broken.extend(_broken_promise(answered))
        return answered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(errors, "mask_error", masked)
        yield
    if broken:
        pytest.fail("; ".join(broken))


def _broken_promise(answered: GraphQLError) -> Iterator[str]:
    """Yield the operation and the code if it is not named; what goes wrong further inside is named elsewhere."""
    code = (answered.extensions or {}).get("code")
    node = answered.nodes[0] if answered.nodes else None
    if answered.path is None or len(answered.path) != 1 or not isinstance(node, FieldNode) or code in ALWAYS_POSSIBLE:
        return
    description = _descriptions().get(node.name.value)
    if description is not None and str(code) not in description:
        yield f"{node.name.value} answered {code}"


@cache
def _descriptions() -> dict[str, str]:
    schema = make_schema().graphql_schema
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    return {name: field.description or "" for root in roots if root for name, field in root.fields.items()}
