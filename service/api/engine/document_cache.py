"""Parse, validate and plan each document once; report what is wrong with one every time."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

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
from service.api.guards.complexity import OperationTooLargeError, check_cost, check_size, cost_depends_on_variables
from service.foundation.settings import QueryLimits


class _CachedPlan(NamedTuple):
    plan: QueryPlan
    # Otherwise the cost is known to be within the limit.
    cost_depends_on_variables: bool


class DocumentCache:
    """Remember the documents that a process has seen of one schema, with their plans and errors."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: QueryLimits,
        cache_size: int,
        more_rules: Iterable[type[ASTValidationRule]] = (),
    ) -> None:
        self.limits = limits
        self._schema = schema
        self._rules = (*specified_rules, *more_rules)
        # A text with literals is a document of its own, so the caches are bounded.
        self.parse = lru_cache(cache_size)(self._parse)
        self.validation_errors = lru_cache(cache_size)(self._validate)
        self._cached_plan = lru_cache(cache_size)(self._load_plan)

    def plan_for(self, text: str, operation_name: str | None, variables: Mapping[str, Any]) -> QueryPlan | None:
        """Return the plan of a query or subscription; None for a mutation, and for what must be refused.

        Refused is a document that is not valid, an unknown or ambiguous operation, and too high a cost.
        """
        cached = self._cached_plan(text, operation_name)
        if cached is None:
            return None
        if cached.cost_depends_on_variables:
            try:
                check_cost(cached.plan.document, operation_name, variables, self.limits)
            except OperationTooLargeError:
                return None
        return cached.plan

    def _parse(self, text: str) -> DocumentNode:
        """Return the syntax tree; raises GraphQLError, which is not remembered."""
        return parse(text, max_tokens=self.limits.tokens)

    def _validate(self, text: str) -> tuple[GraphQLError, ...]:
        """Return what is wrong with a document. One that is too large is not validated: that may take long."""
        document = self.parse(text)
        try:
            check_size(document, self.limits)
        except OperationTooLargeError as error:
            return (error,)
        return tuple(validate_document(self._schema, document, self._rules))

    def _load_plan(self, text: str, operation_name: str | None) -> _CachedPlan | None:
        try:
            if self.validation_errors(text):
                return None
            document = self.parse(text)
            operation = get_operation_ast(document, operation_name)
            if operation is None or operation.operation is OperationType.MUTATION:
                return None
            varies = cost_depends_on_variables(document)
            if not varies:
                check_cost(document, operation_name, None, self.limits)
        except (GraphQLError, OperationTooLargeError):
            return None
        return _CachedPlan(QueryPlan(self._schema, document, operation), varies)


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
            check_cost(document, context.operation_name, context.variables, self._documents.limits)
        except OperationTooLargeError as error:
            return [error]
        return []
