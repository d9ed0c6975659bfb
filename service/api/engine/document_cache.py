"""Parse, validate and plan each document once; report what is wrong with one every time."""

import asyncio
import time
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
    get_operation_ast,
    parse,
    specified_rules,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document
from strawberry.types.execution import ParseOptions

from service.api.context import Context
from service.api.engine.query_plan import QueryPlan
from service.api.engine.source import IndexedSource
from service.api.errors import mask_error
from service.api.guards.complexity import OperationTooLargeError, check_size
from service.api.guards.cost import OperationCost
from service.api.guards.too_costly import too_costly_error
from service.entities.errors import LimitExceededError
from service.foundation.byte_cache import ByteCache
from service.foundation.off_loop import run_off_loop
from service.foundation.settings import QueryLimits

# What the syntax tree, the plans and the errors of a document take, roughly.
BYTES_PER_CHARACTER: Final = 200
# A shorter document is read sooner than another thread has begun with it.
MAX_CHARACTERS_ON_LOOP: Final = 500


class PlannedOperation(NamedTuple):
    """Hold the plan of an operation, and how many values it may return."""

    plan: QueryPlan
    values: int


class _CachedPlan(NamedTuple):
    plan: QueryPlan
    cost: OperationCost


@dataclass(slots=True)
class _CachedDocument:
    """Keep a text with its syntax tree, None if it does not parse, and what is wrong with it as clients see it."""

    text: str
    document: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    # Of each operation, by its name; empty for a document that is not valid.
    costs: dict[str | None, OperationCost] = field(default_factory=dict)
    # By the name that a request gives.
    plans: dict[str | None, _CachedPlan] = field(default_factory=dict)


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
        self._arriving: dict[str, asyncio.Future[tuple[_CachedDocument, float]]] = {}

    def __contains__(self, text: str) -> bool:
        """Return whether a document is remembered."""
        return text in self._documents

    async def prepare(self, text: str) -> tuple[None, float]:
        """Parse and validate a document, and return nothing and the seconds of processor time that took.

        A long one is read off the event loop, where its worst can take a second. Whoever waits for the same text while
        it is read is told 0, as for a document that is remembered. Raises LimitExceededError for one that is too long
        to be read at all.
        """
        self.check_length(text)
        if len(text) <= MAX_CHARACTERS_ON_LOOP:
            begun = time.thread_time()
            self._cached_document(text)
            return None, time.thread_time() - begun
        if text in self._documents:
            return None, 0.0
        if text in self._arriving:
            await asyncio.shield(self._arriving[text])
            return None, 0.0
        reading = self._arriving[text] = asyncio.ensure_future(run_off_loop(self._read, text))
        try:
            self._documents[text], seconds = await asyncio.shield(reading)
        finally:
            del self._arriving[text]
        return None, seconds

    def check_length(self, text: str) -> None:
        """Raise LimitExceededError if a text has too many characters or lines to be read at all."""
        if len(text) > self.limits.characters:
            raise LimitExceededError(f"A document has at most {self.limits.characters:,} characters.")
        if text.count("\n") + text.count("\r") > self.limits.tokens:
            raise LimitExceededError(f"A document has at most {self.limits.tokens:,} lines.")

    def parse(self, text: str) -> DocumentNode:
        """Return the syntax tree; raises GraphQLError."""
        cached = self._cached_document(text)
        if cached.document is None:
            raise cached.errors[0].with_traceback(None)
        return cached.document

    def syntax_error(self, text: str | None) -> GraphQLError | None:
        """Return why a text does not parse, if it does not."""
        cached = self._cached_document(text) if text else None
        return None if cached is None or cached.document is not None else cached.errors[0]

    def validation_errors(self, text: str) -> tuple[GraphQLError, ...]:
        """Return what is wrong with a document, its syntax included.

        One that is too large is not validated: that may take long.
        """
        return self._cached_document(text).errors

    def plan_for(self, text: str, operation_name: str | None, variables: Mapping[str, Any]) -> PlannedOperation | None:
        """Return the plan of an operation; None for what must be refused.

        Refused is a document that is not valid, an unknown or ambiguous operation, and too high a cost.
        """
        cached = self._cached_plan(text, operation_name)
        if cached is None:
            return None
        values = cached.cost.values(variables)
        return None if values > self.limits.cost else PlannedOperation(cached.plan, values)

    def check_cost(self, text: str, operation_name: str | None, variables: Mapping[str, Any]) -> int:
        """Return how many values an operation may return; 0 for one that does not exist.

        Raises OperationTooLargeError for more than are allowed.
        """
        cached = self._cached_plan(text, operation_name)
        if cached is None:
            return 0
        values = cached.cost.values(variables)
        if values > self.limits.cost:
            plan = cached.plan
            raise too_costly_error(
                self._schema, plan.document, plan.operation, variables, values=values, limit=self.limits.cost
            )
        return values

    def _cached_document(self, text: str) -> _CachedDocument:
        # Not with `get`, which looks twice: every operation passes here.
        try:
            return self._documents[text]
        except KeyError:
            cached = self._documents[text] = self._read(text)
            return cached

    def _read(self, text: str) -> _CachedDocument:
        """Parse and validate a text; it may be called in any thread."""
        try:
            document = parse(IndexedSource(text), max_tokens=self.limits.tokens)
        except GraphQLError as error:
            return _CachedDocument(text, None, (mask_error(error, None),))
        errors = tuple(mask_error(each, None) for each in self._validate(document))
        return _CachedDocument(text, document, errors, {} if errors else self._costs(document))

    def _costs(self, document: DocumentNode) -> dict[str | None, OperationCost]:
        """Return the cost of each operation of a valid document, by its name."""
        operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        return {_name_of(each): OperationCost(self._schema, document, each) for each in operations}

    def _validate(self, document: DocumentNode) -> list[GraphQLError]:
        try:
            check_size(document, self.limits)
        except OperationTooLargeError as error:
            return [error]
        return validate_document(self._schema, document, self._rules)

    def _cached_plan(self, text: str, operation_name: str | None) -> _CachedPlan | None:
        cached = self._cached_document(text)
        known = cached.plans.get(operation_name)
        if known is not None:
            return known
        if cached.document is None or cached.errors:
            return None
        operation = get_operation_ast(cached.document, operation_name)
        if operation is None:
            return None
        plan = QueryPlan(self._schema, cached.document, operation, size=estimated_bytes(text))
        made = cached.plans[operation_name] = _CachedPlan(plan, cached.costs[_name_of(operation)])
        return made


def _name_of(operation: OperationDefinitionNode) -> str | None:
    return None if operation.name is None else operation.name.value


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
            values = self._documents.check_cost(context.query or "", context.operation_name, context.variables or {})
        except OperationTooLargeError as error:
            return [error]
        if isinstance(context.context, Context):
            context.context.charge(values)
        return []
