"""Work out once what graphql-core would work out anew each time an operation is run.

A plan belongs to one operation of one document. graphql-core's executor still runs it, with its resolvers, guards,
errors, propagation of nulls and concurrency. A plan only keeps which fields are collected for each selection, and
compiles serializers for objects of which nothing but attributes is selected.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    default_field_resolver,
    default_type_resolver,
    execute_sync,
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
from strawberry.utils.await_maybe import await_maybe

from service.api.engine.pacing import ENTRIES_AT_ONCE, PacedExecutor
from service.api.engine.selection import directive_variables, variables_of_events
from service.api.engine.serializers import Serializer, SerializerCompiler
from service.api.engine.value_counts import Count, CountCompiler, count_in
from service.api.guards.syntax_tree import fragments_of

MAX_SELECTION_PLANS: Final = 16
# The default of graphql-core's `execute`.
MAX_COERCION_ERRORS: Final = 50


class QueryPlan:
    """Plan one query or mutation, or what one event of a subscription answers, of a valid document.

    `size` is roughly how many bytes of memory the document takes, for the caches that keep plans.
    """

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, *, size: int
    ) -> None:
        root_type = schema.get_root_type(operation.operation)
        assert root_type is not None  # noqa: S101 - the operation is valid
        self.size = size
        self.schema = schema
        self.document = document
        self.operation = operation
        self.root_type = root_type
        self.definitions = fragments_of(document)
        self.fragments = {name: FragmentDetails(each) for name, each in self.definitions.items()}
        self._directive_variables = sorted(directive_variables(operation, self.definitions))
        self._selection_plans: LRUCache[tuple[object, ...], SelectionPlan] = LRUCache(MAX_SELECTION_PLANS)

    @cached_property
    def is_introspection(self) -> bool:
        """Tell whether the operation asks for nothing but the schema itself."""
        selections = self.operation.selection_set.selections
        return all(isinstance(each, FieldNode) and each.name.value.startswith("__") for each in selections)

    def introspect(self, variables: Mapping[str, Any]) -> ExecutionResult:
        """Return what the schema says of itself; it may be called in any thread."""
        name = self.operation.name.value if self.operation.name is not None else None
        return execute_sync(self.schema, self.document, variable_values=dict(variables), operation_name=name)

    def coerce_variables(self, variables: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        """Return the variables as their types read them, or what is wrong with them."""
        return get_variable_values(
            self.schema, self.operation.variable_definitions or (), dict(variables), max_errors=MAX_COERCION_ERRORS
        )

    @cached_property
    def variables_of_events(self) -> frozenset[str]:
        """Return the names of the variables that decide what an event of the subscription shows."""
        return variables_of_events(self.operation, self.definitions)

    def can_run(self, values: VariableValues) -> bool:
        """Tell whether no @skip or @include reads null.

        graphql-core reports that where it comes to the selection, and not at all if it never does.
        """
        return None not in self.selection_key(values)

    async def execute(self, values: VariableValues, context: object, root: object = None) -> ExecutionResult:
        """Run the operation with variables with which it `can_run`. `root` is the event of a subscription."""
        return await PlannedExecutor(self, self.selection_plan(values), values, context, root).execute()

    def selection_key(self, values: VariableValues) -> tuple[object, ...]:
        """Return what @skip and @include read: with the same values, the same fields are selected."""
        return tuple([values.coerced.get(name) for name in self._directive_variables])

    def selection_plan(self, values: VariableValues) -> "SelectionPlan":
        """Return what the operation selects with these variables."""
        key = self.selection_key(values)
        try:
            return self._selection_plans[key]
        except KeyError:
            selection_plan = self._selection_plans[key] = SelectionPlan(self, values)
            return selection_plan


class SelectionPlan:
    """Keep what an operation selects, for one set of the values that its @skip and @include read."""

    def __init__(self, plan: QueryPlan, variables: VariableValues) -> None:
        self.root = collect_fields(
            plan.schema, plan.fragments, variables, plan.root_type, plan.operation
        ).grouped_field_set
        # The executor's own cache of collected fields, kept from one execution to the next.
        self.collected: dict[tuple[GraphQLObjectType, int], tuple[FieldDetailsList, CollectedFields]] = {}
        self._plan = plan
        self._variables = variables
        # How many values an object counts as, by the identity of what is selected of it.
        self.weights: dict[int, tuple[object, int]] = {}
        self._compiler = SerializerCompiler(plan.schema, self.subfields)
        self._counts = CountCompiler(plan.schema, self.subfields)
        self._serializers: dict[tuple[GraphQLOutputType, int], CountedSerializer | None] = {}

    def serializer(self, output_type: GraphQLOutputType, details: FieldDetailsList) -> "CountedSerializer | None":
        """Return the serializer of a selection of values of a type; None where graphql-core must complete them."""
        key = (output_type, id(details))
        if key not in self._serializers:
            self._serializers[key] = self._compile(output_type, details)
        return self._serializers[key]

    def _compile(self, output_type: GraphQLOutputType, details: FieldDetailsList) -> "CountedSerializer | None":
        try:
            serialize = self._compiler.compile(output_type, details)
            if serialize is None:
                return None
            return CountedSerializer(serialize, self._counts.compile(output_type, details))
        except Exception:  # noqa: BLE001 - graphql-core, which may never come to what failed here, completes the value
            return None

    def subfields(self, object_type: GraphQLObjectType, details: FieldDetailsList) -> dict[str, FieldDetailsList]:
        """Return what is selected of an object, by response key."""
        key = (object_type, id(details))
        if key not in self.collected:
            plan = self._plan
            found = collect_subfields(
                plan.schema, plan.fragments, self._variables, plan.operation, object_type, details
            )
            self.collected[key] = details, found
        return self.collected[key][1].grouped_field_set


class CountedSerializer(NamedTuple):
    """Hold a serializer, and how many values are inside what it writes."""

    serialize: Serializer
    inside: Count


class PlannedExecutor(PacedExecutor):
    """Execute a plan once, with graphql-core's executor."""

    def __init__(
        self, plan: QueryPlan, selection_plan: SelectionPlan, variables: VariableValues, context: object, root: object
    ) -> None:
        super().__init__(
            plan.schema,
            plan.definitions,
            plan.fragments,
            root,
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
        self._root_type = plan.root_type
        self._selection_plan = selection_plan
        self._relevant_sub_fields = selection_plan.collected
        self._weights = selection_plan.weights

    async def execute(self) -> ExecutionResult:
        """Return the data and errors, as graphql-core's `execute_operation` does: mutations run one after another."""
        return await self.within_limits(self._execute_root_fields())

    async def _execute_root_fields(self) -> ExecutionResult:
        serially = self.operation.operation is OperationType.MUTATION
        execute_fields = self.execute_fields_serially if serially else self.execute_fields
        data: dict[str, Any] | None
        try:
            data = await await_maybe(
                execute_fields(self._root_type, self.root_value, None, self._selection_plan.root, None)
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
        """Serialize a value directly where a serializer is compiled; graphql-core completes any other.

        The entries of a long list are serialized one by one, in turns.
        """
        counted = None
        if result is not None and not (type(result) is list and len(result) > ENTRIES_AT_ONCE):
            counted = self._selection_plan.serializer(return_type, field_details_list)
        if counted is not None:
            try:
                serialized = counted.serialize(result)
            except Exception:  # noqa: BLE001, S110 - graphql-core completes the value again and reports the error
                pass
            else:
                if counted.inside:
                    self.spend(count_in(counted.inside, serialized))
                elif type(serialized) is str:
                    self.spend_text(info, serialized)
                return serialized
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)
