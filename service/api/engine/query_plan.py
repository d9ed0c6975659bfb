"""What graphql-core would work out anew each time a query is run, worked out once.

A plan belongs to one operation of one document. It is still graphql-core's executor that runs it, with all that hangs
on that: resolvers and their guards, errors and where nulls go, what is awaited together. A plan only keeps which fields
are collected for each selection, and has writers for the objects of which nothing but attributes is selected.
"""

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    default_field_resolver,
    default_type_resolver,
    visit,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetailsList,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues, get_variable_values
from graphql.pyutils import Path
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.utils.await_maybe import await_maybe

from service.api.engine.serializers import Writer, writer_of

MOST_LAYOUTS: Final = 16
# As graphql-core's own `execute` has it.
MOST_COERCION_ERRORS: Final = 50


class Plan:
    """One query; `answer` runs it."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        definitions = [each for each in document.definitions if isinstance(each, FragmentDefinitionNode)]
        self.schema = schema
        self.operation = operation
        self.definitions = {each.name.value: each for each in definitions}
        self.fragments = {each.name.value: FragmentDetails(each) for each in definitions}
        self._deciding = _variables_of_directives(document)
        self._layouts: dict[tuple[object, ...], Layout] = {}

    async def answer(self, variables: Mapping[str, Any], context: object) -> ExecutionResult:
        values = get_variable_values(
            self.schema, self.operation.variable_definitions or (), dict(variables), max_errors=MOST_COERCION_ERRORS
        )
        if isinstance(values, list):
            return ExecutionResult(None, values)
        return await PlannedExecutor(self, self._layout(values), values, context).answer()

    def _layout(self, values: VariableValues) -> "Layout":
        key = tuple([values.coerced.get(name) for name in self._deciding])
        layout = self._layouts.get(key)
        if layout is None:
            if len(self._layouts) >= MOST_LAYOUTS:
                self._layouts.clear()
            layout = self._layouts[key] = Layout(self, values)
        return layout


class Layout:
    """What a query selects, given the variables that its @skip and @include ask."""

    def __init__(self, plan: Plan, deciding: VariableValues) -> None:
        assert plan.schema.query_type is not None  # noqa: S101 - a valid query was found
        self.root_type = plan.schema.query_type
        self.root = collect_fields(plan.schema, plan.fragments, deciding, self.root_type, plan.operation)
        # graphql-core's own memory of one execution, kept for all.
        self.collected: dict[tuple[GraphQLObjectType, int], tuple[FieldDetailsList, CollectedFields]] = {}
        self._plan = plan
        self._deciding = deciding
        self._writers: dict[tuple[GraphQLOutputType, int], Writer | None] = {}

    def writer(self, wanted: GraphQLOutputType, details: FieldDetailsList) -> Writer | None:
        """How values of a type are written; None where graphql-core must do it."""
        key = (wanted, id(details))
        if key not in self._writers:
            self._writers[key] = writer_of(self._plan.schema, wanted, details, self._selected)
        return self._writers[key]

    def _selected(self, object_type: GraphQLObjectType, details: FieldDetailsList) -> dict[str, FieldDetailsList]:
        """What is selected of an object, by response key."""
        key = (object_type, id(details))
        if key not in self.collected:
            plan = self._plan
            found = collect_subfields(plan.schema, plan.fragments, self._deciding, plan.operation, object_type, details)
            self.collected[key] = details, found
        return self.collected[key][1].grouped_field_set


class PlannedExecutor(StrawberryGraphQLCoreExecutionContext):
    """One execution of a plan."""

    def __init__(self, plan: Plan, layout: Layout, variables: VariableValues, context: object) -> None:
        super().__init__(
            plan.schema,
            plan.definitions,
            plan.fragments,
            None,
            context,
            plan.operation,
            variables,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            False,
            None,
            optimized_is_awaitable,
        )
        self._layout = layout
        self._relevant_sub_fields = layout.collected

    async def answer(self) -> ExecutionResult:
        """As `execute_operation` does it for a query."""
        layout = self._layout
        data: dict[str, Any] | None
        try:
            data = await await_maybe(
                self.execute_fields(layout.root_type, None, None, layout.root.grouped_field_set, None)
            )
        except GraphQLError as error:
            self.collected_errors.add(error, None)
            data = None
        return ExecutionResult(data, self.collected_errors.errors or None)

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        write = None if result is None else self._layout.writer(return_type, field_details_list)
        if write is not None:
            try:
                return write(result)
            except Exception:  # noqa: BLE001, S110 - graphql-core says below what is wrong, and where
                pass
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)


def _variables_of_directives(document: DocumentNode) -> list[str]:
    finder = _Deciding()
    visit(document, finder)
    return sorted(finder.names)


class _Deciding(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        self.names |= {
            argument.value.name.value for argument in node.arguments or () if isinstance(argument.value, VariableNode)
        }
