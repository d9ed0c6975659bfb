"""What graphql-core would work out anew each time a query is run, worked out once.

A plan belongs to one operation of one document. It is still graphql-core's executor that runs it, with all that hangs
on that: resolvers and their guards, errors and where nulls go, what is awaited together. A plan only keeps which fields
are collected for each selection, and has writers for the objects of which nothing but attributes is selected.
"""

from collections.abc import Mapping
from typing import Any, Final

from cachetools import LRUCache
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

from service.api.engine.serializers import Serializer, compile_serializer

MAX_SELECTION_PLANS: Final = 16
# As graphql-core's own `execute` has it.
MAX_COERCION_ERRORS: Final = 50


class QueryPlan:
    """One query; `execute` runs it."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        definitions = [each for each in document.definitions if isinstance(each, FragmentDefinitionNode)]
        self.schema = schema
        self.operation = operation
        self.definitions = {each.name.value: each for each in definitions}
        self.fragments = {each.name.value: FragmentDetails(each) for each in definitions}
        self._directive_variables = _variables_of_directives(document)
        self._selection_plans: LRUCache[tuple[object, ...], SelectionPlan] = LRUCache(MAX_SELECTION_PLANS)

    async def execute(self, variables: Mapping[str, Any], context: object) -> ExecutionResult:
        values = get_variable_values(
            self.schema, self.operation.variable_definitions or (), dict(variables), max_errors=MAX_COERCION_ERRORS
        )
        if isinstance(values, list):
            return ExecutionResult(None, values)
        return await PlannedExecutor(self, self._selection_plan(values), values, context).execute()

    def _selection_plan(self, values: VariableValues) -> "SelectionPlan":
        key = tuple([values.coerced.get(name) for name in self._directive_variables])
        try:
            return self._selection_plans[key]
        except KeyError:
            selection_plan = self._selection_plans[key] = SelectionPlan(self, values)
            return selection_plan


class SelectionPlan:
    """What a query selects, given the variables that its @skip and @include ask."""

    def __init__(self, plan: QueryPlan, variables: VariableValues) -> None:
        assert plan.schema.query_type is not None  # noqa: S101 - a valid query was found
        self.root_type = plan.schema.query_type
        self.root = collect_fields(plan.schema, plan.fragments, variables, self.root_type, plan.operation)
        # graphql-core's own memory of one execution, kept for all.
        self.collected: dict[tuple[GraphQLObjectType, int], tuple[FieldDetailsList, CollectedFields]] = {}
        self._plan = plan
        self._variables = variables
        self._serializers: dict[tuple[GraphQLOutputType, int], Serializer | None] = {}

    def serializer(self, output_type: GraphQLOutputType, details: FieldDetailsList) -> Serializer | None:
        """How values of a type are written; None where graphql-core must do it."""
        key = (output_type, id(details))
        if key not in self._serializers:
            self._serializers[key] = compile_serializer(self._plan.schema, output_type, details, self._collect_fields)
        return self._serializers[key]

    def _collect_fields(self, object_type: GraphQLObjectType, details: FieldDetailsList) -> dict[str, FieldDetailsList]:
        """What is selected of an object, by response key."""
        key = (object_type, id(details))
        if key not in self.collected:
            plan = self._plan
            found = collect_subfields(
                plan.schema, plan.fragments, self._variables, plan.operation, object_type, details
            )
            self.collected[key] = details, found
        return self.collected[key][1].grouped_field_set


class PlannedExecutor(StrawberryGraphQLCoreExecutionContext):
    """One execution of a plan."""

    def __init__(
        self, plan: QueryPlan, selection_plan: SelectionPlan, variables: VariableValues, context: object
    ) -> None:
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
        self._selection_plan = selection_plan
        self._relevant_sub_fields = selection_plan.collected

    async def execute(self) -> ExecutionResult:
        """As `execute_operation` does it for a query."""
        selection_plan = self._selection_plan
        data: dict[str, Any] | None
        try:
            data = await await_maybe(
                self.execute_fields(selection_plan.root_type, None, None, selection_plan.root.grouped_field_set, None)
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
        serialize = None if result is None else self._selection_plan.serializer(return_type, field_details_list)
        if serialize is not None:
            try:
                return serialize(result)
            except Exception:  # noqa: BLE001, S110 - graphql-core says below what is wrong, and where
                pass
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)


def _variables_of_directives(document: DocumentNode) -> list[str]:
    finder = _DirectiveVariableCollector()
    visit(document, finder)
    return sorted(finder.names)


class _DirectiveVariableCollector(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        self.names |= {
            argument.value.name.value for argument in node.arguments or () if isinstance(argument.value, VariableNode)
        }
