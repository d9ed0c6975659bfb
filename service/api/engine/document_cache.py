"""Parse, validate and plan each document once; report what is wrong with one every time."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
    specified_rules,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document
from strawberry.types.execution import ParseOptions

from service.api.engine.query_plan import QueryPlan
from service.api.guards.complexity import OperationTooLargeError, check_size
from service.api.guards.cost import OperationCost
from service.api.guards.too_costly import too_costly_error
from service.foundation.byte_cache import ByteCache
from service.foundation.settings import QueryLimits

# What the syntax tree, the plans and the errors of a document take, roughly.
BYTES_PER_CHARACTER: Final = 200


class PlannedOperation(NamedTuple):
    """Hold the plan of an operation, and how many values it may return."""

    plan: QueryPlan
    values: int


class _CachedPlan(NamedTuple):
    plan: QueryPlan
    cost: OperationCost


@dataclass(slots=True)
class _CachedDocument:
    """Keep a document that parses, with what was found out about it so far."""

    text: str
    document: DocumentNode
    errors: tuple[GraphQLError, ...] | None = None
    # By the name of the operation, of which a document has only a few; None for an operation that gets no plan.
    plans: dict[str | None, _CachedPlan | None] = field(default_factory=dict)
    costs: dict[str | None, OperationCost] = field(default_factory=dict)


class DocumentCache:
    """Remember the documents that a process has seen of one schema, with their plans and errors.

    Those used last are kept, up to `max_bytes` as `estimated_bytes` counts them: a text with literals is a document of
    its own, and clients choose how long it is.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: QueryLimits,
        max_bytes: int,
        more_rules: Iterable[type[ASTValidationRule]] = (),
    ) -> None:
        self.limits = limits
        self._schema = schema
        self._rules = (*specified_rules, *more_rules)
        self._documents: ByteCache[str, _CachedDocument] = ByteCache(
            max_bytes, lambda cached: estimated_bytes(cached.text)
        )

    def parse(self, text: str) -> DocumentNode:
        """Return the syntax tree; raises GraphQLError, which is not remembered."""
        return self._cached_document(text).document

    def validation_errors(self, text: str) -> tuple[GraphQLError, ...]:
        """Return what is wrong with a document. One that is too large is not validated: that may take long.

        Raises GraphQLError as `parse` does.
        """
        cached = self._cached_document(text)
        if cached.errors is None:
            cached.errors = self._validate(cached.document)
        return cached.errors

    def plan_for(self, text: str, operation_name: str | None, variables: Mapping[str, Any]) -> PlannedOperation | None:
        """Return the plan of a query or subscription; None for a mutation, and for what must be refused.

        Refused is a document that is not valid, an unknown or ambiguous operation, and too high a cost.
        """
        cached = self._cached_plan(text, operation_name)
        if cached is None:
            return None
        values = cached.cost.values(variables)
        return None if values > self.limits.cost else PlannedOperation(cached.plan, values)

    def cost_of(self, text: str, operation_name: str | None, variables: Mapping[str, Any]) -> int:
        """Return how many values an operation of a valid document may return; 0 for one that does not exist.

        Raises OperationTooLargeError for more than are allowed, and GraphQLError as `parse` does.
        """
        cached = self._cached_document(text)
        operation = get_operation_ast(cached.document, operation_name)
        if operation is None:
            return 0
        cost = self._cost(cached, operation, operation_name)
        values = cost.values(variables)
        if values > self.limits.cost:
            raise too_costly_error(
                self._schema, cached.document, operation, variables, values=values, limit=self.limits.cost
            )
        return values

    def _cached_document(self, text: str) -> _CachedDocument:
        # Not with `get`, which looks twice: every operation passes here.
        try:
            return self._documents[text]
        except KeyError:
            cached = self._documents[text] = _CachedDocument(text, parse(text, max_tokens=self.limits.tokens))
            return cached

    def _validate(self, document: DocumentNode) -> tuple[GraphQLError, ...]:
        try:
            check_size(document, self.limits)
        except OperationTooLargeError as error:
            return (error,)
        return tuple(validate_document(self._schema, document, self._rules))

    def _cached_plan(self, text: str, operation_name: str | None) -> _CachedPlan | None:
        try:
            cached = self._cached_document(text)
        except GraphQLError:
            return None
        if operation_name in cached.plans:
            return cached.plans[operation_name]
        operation = get_operation_ast(cached.document, operation_name)
        if operation is None:
            return None
        plan = cached.plans[operation_name] = self._make_plan(cached, operation, operation_name)
        return plan

    def _make_plan(
        self, cached: _CachedDocument, operation: OperationDefinitionNode, operation_name: str | None
    ) -> _CachedPlan | None:
        if operation.operation is OperationType.MUTATION or self.validation_errors(cached.text):
            return None
        plan = QueryPlan(self._schema, cached.document, operation, size=estimated_bytes(cached.text))
        return _CachedPlan(plan, self._cost(cached, operation, operation_name))

    def _cost(
        self, cached: _CachedDocument, operation: OperationDefinitionNode, operation_name: str | None
    ) -> OperationCost:
        if operation_name not in cached.costs:
            cached.costs[operation_name] = OperationCost(self._schema, cached.document, operation)
        return cached.costs[operation_name]


def estimated_bytes(text: str) -> int:
    """Return how many bytes of memory the document of a text takes, with all that is kept of it."""
    return BYTES_PER_CHARACTER * len(text)


class DocumentCacheExtension(SchemaExtension):
    """Give Strawberry the remembered syntax trees and validation errors; Strawberry reports them.

    Strawberry's ParserCache loses errors: what such a hook raises is a bare `complete` on a WebSocket. So nothing is
    raised here; Strawberry parses a document with a syntax error again, and reports the error.
    """

    def __init__(self, documents: DocumentCache) -> None:
        super().__init__()
        self._documents = documents

    def on_operation(self) -> Iterator[None]:
        """Limit the tokens of a document."""
        self.execution_context.parse_options = ParseOptions(max_tokens=self._documents.limits.tokens)
        yield

    def on_parse(self) -> Iterator[None]:
        """Set the syntax tree of the document, if it has one."""
        context = self.execution_context
        if context.query:
            with suppress(GraphQLError):
                context.graphql_document = self._documents.parse(context.query)
        yield

    def on_validate(self) -> Iterator[None]:
        """Set the errors of the document or, if it is valid, those of the request."""
        context = self.execution_context
        if context.query and context.graphql_document is not None:
            validation_errors = self._documents.validation_errors(context.query)
            context.pre_execution_errors = list(validation_errors) or self._request_errors(context.graphql_document)
        yield

    def _request_errors(self, document: DocumentNode) -> list[GraphQLError]:
        """Return what is wrong with a request for a valid document: no `operationName`, or too high a cost."""
        context = self.execution_context
        operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        # Strawberry would run the first of several, and names it in `operation_name`.
        if len(operations) > 1 and context._provided_operation_name is None:
            return [GraphQLError("Several operations: name the one to run in `operationName`.", nodes=operations)]
        try:
            values = self._documents.cost_of(context.query or "", context.operation_name, context.variables or {})
        except OperationTooLargeError as error:
            return [error]
        context.context.charge(values)
        return []
