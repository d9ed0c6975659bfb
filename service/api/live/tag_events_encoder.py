"""Events of `tagEvents` executed once for all panels that ask the same with the same rights.

What an event shows of a tag may take the database, like its count. So it is executed for nobody in particular who has
those rights, and every panel gets a copy with its own cursor.
"""

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    execute,
    get_operation_ast,
    visit,
)
from strawberry.types import ExecutionResult
from strawberry.utils.await_maybe import await_maybe

from service.api.context import Context
from service.api.errors import mask_error
from service.api.operations.tag_events import tag_event_to_graphql
from service.entities.feed import PanelUpdate
from service.entities.principal import Principal

MAX_CACHED_ENCODERS: Final = 1_000
# Only who is slower than so many events has them executed again.
MAX_CACHED_EVENTS: Final = 100
CURSOR_PLACEHOLDER: Final = uuid.uuid4().hex


class TagEventsEncoder:
    """The events of equal operations of holders with equal rights."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation_name: str | None,
        variables: Mapping[str, Any],
        context: Context,
    ) -> None:
        self._schema = schema
        self._document = document
        self._operation_name = operation_name
        self._variables = dict(variables)
        self._context = context
        # By identity: what one watch tells all its panels is one object, and stays so while it is kept here.
        self._encoded_events: OrderedDict[int, tuple[PanelUpdate, asyncio.Task[list[bytes] | None]]] = OrderedDict()

    async def encode(self, update: PanelUpdate, cursor: str) -> bytes | None:
        """The `data` of one event as JSON; None where there are errors, which belong to whoever asks."""
        known = self._encoded_events.get(id(update))
        if known is None:
            known = self._encoded_events[id(update)] = (
                update,
                asyncio.create_task(self._encode_event(update), name="panel event"),
            )
            if len(self._encoded_events) > MAX_CACHED_EVENTS:
                self._encoded_events.popitem(last=False)
        # Whoever goes away meanwhile leaves it to the others.
        chunks = await asyncio.shield(known[1])
        return None if chunks is None else cursor.encode().join(chunks)

    async def execute_event(self, update: PanelUpdate, cursor: str, context: Context) -> ExecutionResult:
        """What `encode` would say, for somebody in particular."""
        result = await await_maybe(
            execute(
                self._schema,
                self._document,
                root_value=tag_event_to_graphql(cursor, update),
                context_value=context,
                variable_values=self._variables,
                operation_name=self._operation_name,
            )
        )
        errors = [mask_error(error, context) for error in result.errors or ()]
        return ExecutionResult(data=result.data, errors=errors or None)

    async def _encode_event(self, update: PanelUpdate) -> list[bytes] | None:
        # With nothing loaded: every event sees the present.
        result = await self.execute_event(update, CURSOR_PLACEHOLDER, replace(self._context))
        return None if result.errors else orjson.dumps(result.data).split(CURSOR_PLACEHOLDER.encode())


class TagEventsEncoderCache:
    """Those of a process, by document, operation, the variables within, and rights."""

    def __init__(self, schema: GraphQLSchema, parse: Callable[[str], DocumentNode]) -> None:
        self._schema = schema
        self._parse = parse
        self._encoders: OrderedDict[tuple[object, ...], TagEventsEncoder] = OrderedDict()

    def encoder_for(
        self, query: str, operation_name: str | None, variables: Mapping[str, Any], context: Context
    ) -> TagEventsEncoder:
        """For a valid operation of somebody who may ask for it."""
        document = self._parse(query)
        event_variables = {
            name: variables[name] for name in _variables_below_root(document, operation_name) if name in variables
        }
        principal = context.principal
        rights = (principal.robot_id, principal.role, principal.channel_ids)
        key = (query, operation_name, orjson.dumps(event_variables, option=orjson.OPT_SORT_KEYS), rights)
        encoder = self._encoders.pop(key, None)
        if encoder is None:
            shared_context = Context(
                context.resources, context.presenters, uuid.uuid4().hex, _without_subject(principal)
            )
            encoder = TagEventsEncoder(self._schema, document, operation_name, variables, shared_context)
            if len(self._encoders) >= MAX_CACHED_ENCODERS:
                self._encoders.popitem(last=False)
        self._encoders[key] = encoder
        return encoder


def _without_subject(principal: Principal) -> Principal:
    return replace(principal, subject="")


def _variables_below_root(document: DocumentNode, operation_name: str | None) -> set[str]:
    """Those that are used below the root field; the others, such as the cursor, decide nothing of an event."""
    operation = get_operation_ast(document, operation_name)
    collected = _VariableCollector()
    if isinstance(operation, OperationDefinitionNode):
        for root in operation.selection_set.selections:
            inner = getattr(root, "selection_set", None)
            if inner is not None:
                visit(inner, collected)
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            visit(definition, collected)
    return collected.names


class _VariableCollector(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.names.add(node.name.value)
