"""Parse and validate each document once; what is wrong with one is told every time."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

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
from service.foundation.byte_cache import ByteCache
from service.foundation.settings import QueryLimits

# A document takes about so much memory for each character of its text, parsed and planned.
BYTES_PER_CHARACTER: Final = 200
# And variables, for each character of what they look like.
BYTES_PER_CHARACTER_OF_VARIABLES: Final = 20


@dataclass(frozen=True, slots=True)
class CachedQuery:
    """Hold a query in which nothing is wrong, ready to run."""

    document: DocumentNode
    plan: QueryPlan
    # Whether its cost is another for other variables; otherwise it is known to be low enough.
    cost_depends_on_variables: bool


@dataclass(slots=True)
class _CachedDocument:
    """Hold a document that parses, and what has been asked of it so far."""

    text: str
    document: DocumentNode
    errors: tuple[GraphQLError, ...] | None = None
    # By the name of the operation that is run, of which a document has a few; None where it is not for the fast path.
    queries: dict[str | None, CachedQuery | None] = field(default_factory=dict)


class DocumentCache:
    """Keep the documents that a process has seen of one schema, with what is wrong with them.

    Those that were used last stay, of `max_bytes` together: literals in a query make each text a document of its own,
    and the length of a text is the client's choice.
    """

    def __init__(self, limits: QueryLimits, max_bytes: int, *more_rules: type[ASTValidationRule]) -> None:
        self.limits = limits
        self._rules = (*specified_rules, *more_rules)
        self._documents: ByteCache[str, _CachedDocument] = ByteCache(
            max_bytes, lambda cached: estimated_bytes(cached.text)
        )

    def __len__(self) -> int:
        return len(self._documents)

    def parse(self, text: str) -> DocumentNode:
        """Return the document of a text. Raises GraphQLError, which is not remembered."""
        return self._cached(text).document

    def validation_errors(self, schema: GraphQLSchema, text: str) -> tuple[GraphQLError, ...]:
        """Return what is wrong with a document, in the schema of this cache; raises GraphQLError as `parse` does."""
        cached = self._cached(text)
        if cached.errors is None:
            cached.errors = self._validate(schema, cached.document)
        return cached.errors

    def cached_query(self, schema: GraphQLSchema, text: str, operation_name: str | None) -> CachedQuery | None:
        """Return a query ready to run; None where there is anything to refuse, and for operations of other types."""
        try:
            cached = self._cached(text)
        except GraphQLError:
            return None
        if operation_name in cached.queries:
            return cached.queries[operation_name]
        operation = get_operation_ast(cached.document, operation_name)
        if operation is None:
            return None
        query = cached.queries[operation_name] = self._plan_query(schema, cached, operation, operation_name)
        return query

    def _cached(self, text: str) -> _CachedDocument:
        # Not `get`, which looks twice: every operation comes by here.
        try:
            return self._documents[text]
        except KeyError:
            cached = self._documents[text] = _CachedDocument(text, parse(text, max_tokens=self.limits.tokens))
            return cached

    def _validate(self, schema: GraphQLSchema, document: DocumentNode) -> tuple[GraphQLError, ...]:
        """Too large a document is not validated: that may take long."""
        try:
            check_size(document, self.limits)
        except OperationTooLargeError as error:
            return (error,)
        return tuple(validate_document(schema, document, self._rules))

    def _plan_query(
        self,
        schema: GraphQLSchema,
        cached: _CachedDocument,
        operation: OperationDefinitionNode,
        operation_name: str | None,
    ) -> CachedQuery | None:
        document = cached.document
        if operation.operation is not OperationType.QUERY or self.validation_errors(schema, cached.text):
            return None
        varies = cost_depends_on_variables(document)
        if not varies:
            try:
                check_cost(document, operation_name, None, self.limits)
            except OperationTooLargeError:
                return None
        return CachedQuery(document, QueryPlan(schema, document, operation), varies)


def estimated_bytes(text: str) -> int:
    """Return how much memory the document of a text takes, roughly, with all that is kept beside it."""
    return BYTES_PER_CHARACTER * len(text)


def operation_bytes(text: str, variables: Mapping[str, Any]) -> int:
    """Return how much memory an operation takes, roughly, of which the document and the variables are kept."""
    return estimated_bytes(text) + BYTES_PER_CHARACTER_OF_VARIABLES * len(repr(variables))


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
