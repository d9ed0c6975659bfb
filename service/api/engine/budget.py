"""Limit what an operation really makes and how long it takes: the last line, behind the cost counted beforehand."""

from collections.abc import Awaitable, Sized
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    OperationType,
    get_nullable_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from service.api.context import Context
from service.api.guards.complexity import OperationTooLargeError
from service.api.guards.list_sizes import CHARACTERS_PER_VALUE, is_long_text, key_weight, text_weight


class BudgetedExecutor(StrawberryGraphQLCoreExecutionContext):
    """Execute an operation; one whose answer has too many values, or a query that takes too long, is LIMIT_EXCEEDED.

    So is a query whose client has left, as nobody reads the answer.

    Each event of a subscription has limits of its own. A mutation has the time it needs: what it did would not be told.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        context: Context = self.context_value
        self._limits = context.runtime.settings.query_limits
        self._deadlines = context.resources.deadlines
        self._departure = context.departure
        self._changes = self.operation.operation is OperationType.MUTATION
        self._left = self._limits.values
        self._exceeded: OperationTooLargeError | None = None
        # By the identity of the selected fields, which are kept with their weight.
        self._weights: dict[int, tuple[object, int]] = {}

    def build_per_event_executor(self, payload: Any) -> "BudgetedExecutor":
        """Return the executor of one event of a subscription, with a budget of its own."""
        executor = super().build_per_event_executor(payload)
        assert isinstance(executor, BudgetedExecutor)  # noqa: S101 - it is a copy of this one
        executor._left = self._limits.values
        executor._exceeded = None
        return executor

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Return the answer, or a coroutine of it, within the limits."""
        result = super().execute_operation(serially)
        return self.within_limits(result) if self.is_awaitable(result) else self._refusal or result

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: dict[str, FieldDetailsList],
        position_context: Any,
    ) -> Any:
        """Execute the fields of an object; raises OperationTooLargeError if they are too many values by now."""
        known = self._weights.get(id(grouped_field_set))
        if known is None:
            known = self._weights[id(grouped_field_set)] = grouped_field_set, sum(map(key_weight, grouped_field_set))
        self.spend(known[1])
        return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)

    def complete_list_value(
        self,
        return_type: GraphQLList[Any],
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Complete a list; each plain entry counts as a value."""
        if isinstance(result, Sized) and is_leaf_type(get_nullable_type(return_type.of_type)):
            self.spend(len(result))
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Complete a value; a long text counts as several."""
        if type(result) is str and is_leaf_type(return_type):
            self.spend_text(info, result)
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)

    def handle_field_error(
        self,
        raw_error: Exception,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        path: Path,
    ) -> None:
        """Collect the error of a field; one by which the operation is over ends it, whatever may be null on the way."""
        if self._exceeded is not None:
            raise self._exceeded
        super().handle_field_error(raw_error, return_type, field_details_list, path)

    def spend(self, values: int) -> None:
        """Count values of the answer. Raises OperationTooLargeError when there are too many."""
        self._left -= values
        if self._left < 0:
            if self._exceeded is None:
                done = "The change was made, but its" if self._changes else "The"
                self._exceeded = OperationTooLargeError(
                    f"{done} answer has more than {self._limits.values:,} values: ask for smaller pages, or less."
                )
            raise self._exceeded

    def spend_text(self, info: GraphQLResolveInfo[Any], text: str) -> None:
        """Count a text, if it is one of those that may be long. Raises OperationTooLargeError as `spend` does."""
        if len(text) >= CHARACTERS_PER_VALUE and is_long_text(info.parent_type.fields[info.field_name]):
            self.spend(text_weight(text))

    @property
    def _refusal(self) -> ExecutionResult | None:
        """Return the answer to an operation that exceeded a limit."""
        return None if self._exceeded is None else ExecutionResult(None, [self._exceeded])

    async def within_limits(self, result: Awaitable[ExecutionResult]) -> ExecutionResult:
        """Return what a result becomes, or the refusal of what exceeded a limit."""
        if self._changes:
            answer = await result
            return self._refusal or answer
        try:
            with self._deadlines.start(self._departure):
                answer = await result
        except TimeoutError:
            seconds = self._limits.within.total_seconds()
            self._exceeded = OperationTooLargeError(
                f"The operation took longer than {seconds:g} s: ask for less at once."
            )
            return ExecutionResult(None, [self._exceeded])
        return self._refusal or answer
