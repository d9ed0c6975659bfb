"""Documents are parsed and validated once, and then remembered; what is wrong with one is told every time."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

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


@dataclass(frozen=True, slots=True)
class CachedQuery:
    """A query in which nothing is wrong."""

    document: DocumentNode
    plan: QueryPlan
    # Whether its cost is another for other variables; otherwise it is known to be low enough.
    cost_depends_on_variables: bool


class DocumentCache:
    """The documents that a process has seen of one schema, with what is wrong with them."""

    def __init__(self, limits: QueryLimits, cache_size: int, *more_rules: type[ASTValidationRule]) -> None:
        self.limits = limits
        self._rules = (*specified_rules, *more_rules)
        # Literals in a query make each text a document of its own, so memory must have an end.
        self.parse = lru_cache(cache_size)(self._parse)
        self.validation_errors = lru_cache(cache_size)(self._validate)
        self.cached_query = lru_cache(cache_size)(self._load_query)

    def _parse(self, text: str) -> DocumentNode:
        """Raises GraphQLError, which is not remembered."""
        return parse(text, max_tokens=self.limits.tokens)

    def _validate(self, schema: GraphQLSchema, text: str) -> tuple[GraphQLError, ...]:
        """Too large a document is not validated: that may take long."""
        document = self.parse(text)
        try:
            check_size(document, self.limits)
        except OperationTooLargeError as error:
            return (error,)
        return tuple(validate_document(schema, document, self._rules))

    def _load_query(self, schema: GraphQLSchema, text: str, operation_name: str | None) -> CachedQuery | None:
        """None where there is anything to refuse, and for operations of other types."""
        try:
            if self.validation_errors(schema, text):
                return None
            document = self.parse(text)
            operation = get_operation_ast(document, operation_name)
            if operation is None or operation.operation is not OperationType.QUERY:
                return None
            varies = cost_depends_on_variables(document)
            if not varies:
                check_cost(document, operation_name, None, self.limits)
        except (GraphQLError, OperationTooLargeError):
            return None
        return CachedQuery(document, QueryPlan(schema, document, operation), varies)


class DocumentCacheExtension(SchemaExtension):
    """Gives Strawberry what is remembered, and leaves to it to say what is wrong.

    Strawberry's ParserCache loses errors: what such a hook raises is a bare `complete` on a WebSocket. So nothing is
    raised here; a document that does not parse is parsed again by Strawberry, which reports the error.
    """

    def __init__(self, documents: DocumentCache) -> None:
        super().__init__()
        self._documents = documents

    def on_operation(self) -> Iterator[None]:
        self.execution_context.parse_options = ParseOptions(max_tokens=self._documents.limits.tokens)
        yield

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        if context.query:
            with suppress(GraphQLError):
                context.graphql_document = self._documents.parse(context.query)
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        if context.query and context.graphql_document is not None:
            validation_errors = self._documents.validation_errors(context.schema._schema, context.query)  # noqa: SLF001 - as Strawberry does
            context.pre_execution_errors = list(validation_errors) or self._request_errors(context.graphql_document)
        yield

    def _request_errors(self, document: DocumentNode) -> list[GraphQLError]:
        """What depends on the request and not only on the document."""
        context = self.execution_context
        operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        # Strawberry would run the first of several.
        if len(operations) > 1 and context._provided_operation_name is None:  # noqa: SLF001 - there is no other way
            return [GraphQLError("Several operations: name the one to run in `operationName`.", nodes=operations)]
        try:
            check_cost(document, context.operation_name, context.variables, self._documents.limits)
        except OperationTooLargeError as error:
            return [error]
        return []
