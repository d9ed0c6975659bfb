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
from service.api.errors import coded
from service.api.operations.tag_events import tag_event
from service.entities.feed import PanelUpdate
from service.entities.principal import Principal

MOST_REMEMBERED: Final = 1_000
# Only who is slower than so many events has them executed again.
MOST_EVENTS: Final = 100
CURSOR_COMES_HERE: Final = uuid.uuid4().hex


class PanelRendering:
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
        self._told: OrderedDict[int, tuple[PanelUpdate, asyncio.Task[list[bytes] | None]]] = OrderedDict()

    async def event(self, update: PanelUpdate, cursor: str) -> bytes | None:
        """The `data` of one event as JSON; None where there are errors, which belong to whoever asks."""
        known = self._told.get(id(update))
        if known is None:
            known = self._told[id(update)] = update, asyncio.create_task(self._write(update), name="panel event")
            if len(self._told) > MOST_EVENTS:
                self._told.popitem(last=False)
        # Whoever goes away meanwhile leaves it to the others.
        between = await asyncio.shield(known[1])
        return None if between is None else cursor.encode().join(between)

    async def executed(self, update: PanelUpdate, cursor: str, context: Context) -> ExecutionResult:
        """What `event` would say, for somebody in particular."""
        result = await await_maybe(
            execute(
                self._schema,
                self._document,
                root_value=tag_event(cursor, update),
                context_value=context,
                variable_values=self._variables,
                operation_name=self._operation_name,
            )
        )
        errors = [coded(error, context) for error in result.errors or ()]
        return ExecutionResult(data=result.data, errors=errors or None)

    async def _write(self, update: PanelUpdate) -> list[bytes] | None:
        # With nothing loaded: every event sees the present.
        result = await self.executed(update, CURSOR_COMES_HERE, replace(self._context))
        return None if result.errors else orjson.dumps(result.data).split(CURSOR_COMES_HERE.encode())


class PanelRenderings:
    """Those of a process, by document, operation, the variables within, and rights."""

    def __init__(self, schema: GraphQLSchema, parsed: Callable[[str], DocumentNode]) -> None:
        self._schema = schema
        self._parsed = parsed
        self._known: OrderedDict[tuple[object, ...], PanelRendering] = OrderedDict()

    def of(
        self, query: str, operation_name: str | None, variables: Mapping[str, Any], context: Context
    ) -> PanelRendering:
        """For a valid operation of somebody who may ask for it."""
        document = self._parsed(query)
        within = {name: variables[name] for name in _variables_within(document, operation_name) if name in variables}
        holder = context.principal
        rights = (holder.robot_id, holder.role, holder.channel_ids)
        key = (query, operation_name, orjson.dumps(within, option=orjson.OPT_SORT_KEYS), rights)
        rendering = self._known.pop(key, None)
        if rendering is None:
            for_nobody = Context(context.services, context.presenters, uuid.uuid4().hex, _nobody(holder))
            rendering = PanelRendering(self._schema, document, operation_name, variables, for_nobody)
            if len(self._known) >= MOST_REMEMBERED:
                self._known.popitem(last=False)
        self._known[key] = rendering
        return rendering


def _nobody(holder: Principal) -> Principal:
    return replace(holder, subject="")


def _variables_within(document: DocumentNode, operation_name: str | None) -> set[str]:
    """Those that are used below the root field; the others, such as the cursor, decide nothing of an event."""
    operation = get_operation_ast(document, operation_name)
    collected = _Variables()
    if isinstance(operation, OperationDefinitionNode):
        for root in operation.selection_set.selections:
            inner = getattr(root, "selection_set", None)
            if inner is not None:
                visit(inner, collected)
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            visit(definition, collected)
    return collected.names


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.names.add(node.name.value)
