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

from service.api.engine.query_plan import Plan
from service.api.guards.complexity import OperationTooLargeError, check_cost, check_size, cost_varies
from service.foundation.settings import QueryLimits


@dataclass(frozen=True, slots=True)
class KnownQuery:
    """A query in which nothing is wrong."""

    document: DocumentNode
    plan: Plan
    # Whether its cost is another for other variables; otherwise it is known to be low enough.
    cost_varies: bool


class Documents:
    """The documents that a process has seen of one schema, with what is wrong with them."""

    def __init__(self, limits: QueryLimits, remembered: int, *more_rules: type[ASTValidationRule]) -> None:
        self.limits = limits
        self._rules = (*specified_rules, *more_rules)
        # Literals in a query make each text a document of its own, so memory must have an end.
        self.parsed = lru_cache(remembered)(self._parse)
        self.faults = lru_cache(remembered)(self._validate)
        self.query = lru_cache(remembered)(self._query)

    def _parse(self, text: str) -> DocumentNode:
        """Raises GraphQLError, which is not remembered."""
        return parse(text, max_tokens=self.limits.tokens)

    def _validate(self, schema: GraphQLSchema, text: str) -> tuple[GraphQLError, ...]:
        """Too large a document is not validated: that may take long."""
        document = self.parsed(text)
        try:
            check_size(document, self.limits)
        except OperationTooLargeError as error:
            return (error,)
        return tuple(validate_document(schema, document, self._rules))

    def _query(self, schema: GraphQLSchema, text: str, operation_name: str | None) -> KnownQuery | None:
        """None where there is anything to refuse, and for operations of other types."""
        try:
            if self.faults(schema, text):
                return None
            document = self.parsed(text)
            operation = get_operation_ast(document, operation_name)
            if operation is None or operation.operation is not OperationType.QUERY:
                return None
            varies = cost_varies(document)
            if not varies:
                check_cost(document, operation_name, None, self.limits)
        except (GraphQLError, OperationTooLargeError):
            return None
        return KnownQuery(document, Plan(schema, document, operation), varies)


class RememberedDocuments(SchemaExtension):
    """Gives Strawberry what is remembered, and leaves to it to say what is wrong.

    Strawberry's ParserCache loses errors: what such a hook raises is a bare `complete` on a WebSocket. So nothing is
    raised here; a document that does not parse is parsed again by Strawberry, which reports the error.
    """

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._documents = documents

    def on_operation(self) -> Iterator[None]:
        self.execution_context.parse_options = ParseOptions(max_tokens=self._documents.limits.tokens)
        yield

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        if context.query:
            with suppress(GraphQLError):
                context.graphql_document = self._documents.parsed(context.query)
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        if context.query and context.graphql_document is not None:
            faults = self._documents.faults(context.schema._schema, context.query)  # noqa: SLF001 - as Strawberry does
            context.pre_execution_errors = list(faults) or self._refusals(context.graphql_document)
        yield

    def _refusals(self, document: DocumentNode) -> list[GraphQLError]:
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
