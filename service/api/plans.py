"""What graphql-core would work out anew each time a query is run, worked out once.

A plan belongs to one operation of one document. It is still graphql-core's executor that runs it, with all that hangs
on that: resolvers and their guards, errors and where nulls go, what is awaited together. A plan only keeps the fields
that are collected for each selection, and has writers for the objects of which nothing but attributes is selected.

Whether a query can have a plan is decided before it runs: one whose selections depend on variables has none.
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

from service.api.writers import Writer, writer_of

NO_VARIABLES: Final = VariableValues({}, {})


class Plan:
    """One query; `answer` runs it."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        assert schema.query_type is not None  # noqa: S101 - ours has one
        definitions = [each for each in document.definitions if isinstance(each, FragmentDefinitionNode)]
        self.schema = schema
        self.operation = operation
        self.definitions = {each.name.value: each for each in definitions}
        self.fragments = {each.name.value: FragmentDetails(each) for each in definitions}
        self.root_type = schema.query_type
        self.root = collect_fields(schema, self.fragments, NO_VARIABLES, self.root_type, operation)
        # graphql-core's own memory of one execution, kept for all.
        self.collected: dict[tuple[GraphQLObjectType, int], tuple[FieldDetailsList, CollectedFields]] = {}
        self._writers: dict[tuple[GraphQLOutputType, int], Writer | None] = {}

    def selected(self, object_type: GraphQLObjectType, details: FieldDetailsList) -> dict[str, FieldDetailsList]:
        """What is selected of an object, by response key."""
        key = (object_type, id(details))
        if key not in self.collected:
            found = collect_subfields(self.schema, self.fragments, NO_VARIABLES, self.operation, object_type, details)
            self.collected[key] = details, found
        return self.collected[key][1].grouped_field_set

    def writer(self, wanted: GraphQLOutputType, details: FieldDetailsList) -> Writer | None:
        """How values of a type are written; None where graphql-core must do it."""
        key = (wanted, id(details))
        if key not in self._writers:
            self._writers[key] = writer_of(self.schema, wanted, details, self.selected)
        return self._writers[key]

    async def answer(self, variables: Mapping[str, Any], context: object) -> ExecutionResult:
        declared = self.operation.variable_definitions or ()
        values = (
            get_variable_values(self.schema, declared, dict(variables), max_errors=50) if declared else NO_VARIABLES
        )
        if isinstance(values, list):
            return ExecutionResult(None, values)
        return await PlannedExecutor(self, values, context).answer()


class PlannedExecutor(StrawberryGraphQLCoreExecutionContext):
    """One execution of a plan."""

    def __init__(self, plan: Plan, variables: VariableValues, context: object) -> None:
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
        self._plan = plan
        self._relevant_sub_fields = plan.collected

    async def answer(self) -> ExecutionResult:
        plan = self._plan
        data: dict[str, Any] | None
        try:
            data = await await_maybe(self.execute_fields(plan.root_type, None, None, plan.root.grouped_field_set, None))
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
        write = None if result is None else self._plan.writer(return_type, field_details_list)
        if write is not None:
            try:
                return write(result)
            except Exception:  # noqa: BLE001, S110 - graphql-core says below what is wrong, and where
                pass
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)


def can_be_planned(document: DocumentNode) -> bool:
    """Whether the same fields are selected each time."""
    finder = _DirectivesWithVariables()
    visit(document, finder)
    return not finder.found


class _DirectivesWithVariables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if any(isinstance(argument.value, VariableNode) for argument in node.arguments or ()):
            self.found = True
