"""Make large answers in slices: an operation that makes many values lets others run between them.

graphql-core begins everything at once that is selected of the entries of a list, and completes in one turn of the event
loop all that one read of the database brings. Here the entries are begun as others end, each in its turn.
"""

import asyncio
from collections.abc import Iterable, Sized
from typing import Any, Final

from graphql import GraphQLOutputType, GraphQLResolveInfo
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path

from service.api.engine.budget import BudgetedExecutor

# An operation that has made so many values takes turns from then on; behind each may be much to read and to work out.
VALUES_AT_ONCE: Final = 100
# A list with more entries is made in turns, whatever was made before.
ENTRIES_AT_ONCE: Final = 200
# Entries are begun while those that are not finished have together so many values.
MAX_BEGUN: Final = 200


class PacedExecutor(BudgetedExecutor):
    """Execute an operation within its limits; a large one never holds the event loop for long."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._share = self.context_value.resources.loop_share
        self._paced_below = self._limits.values - VALUES_AT_ONCE
        # The values of the entries of lists that are begun and not finished.
        self._begun = 0

    def complete_awaitable_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Return a coroutine of a value that must be waited for, completed in a turn of its own in a large answer."""
        if self._left < self._paced_below:
            result = self._share.in_turn(result)
        return super().complete_awaitable_value(return_type, field_details_list, info, path, result, position_context)

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> Any:
        """Return the completed entries of a list, or a coroutine of them."""
        if self._left < self._paced_below or (isinstance(items, Sized) and len(items) > ENTRIES_AT_ONCE):
            return self._complete_in_turns(item_type, field_details_list, info, path, items, position_context)
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    async def _complete_in_turns(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> list[Any]:
        """Return the completed entries; those that must be waited for are few at a time."""
        completed: list[Any] = []
        begun = _Begun(completed)
        try:
            for index, item in enumerate(items):
                await self._share.turn()
                left = self._left
                item_path = path.add_key(index, None)
                if self.complete_list_item_value(
                    item, completed, item_type, field_details_list, info, item_path, position_context
                ):
                    values = left - self._left + 1
                    self._begun += values
                    begun.add(index, values)
                    if self._begun >= MAX_BEGUN:
                        await begun.finish()
                        self._begun -= begun.values
                        begun = _Begun(completed)
            await begun.finish()
        except BaseException:
            await begun.cancel()
            raise
        finally:
            self._begun -= begun.values
        return completed


class _Begun:
    """Hold the entries of one list that are begun, and how many values they have."""

    def __init__(self, completed: list[Any]) -> None:
        self.values = 0
        self._completed = completed
        self._tasks: dict[int, asyncio.Future[Any]] = {}

    def add(self, index: int, values: int) -> None:
        """Begin the entry at an index, whose completed value is a coroutine yet."""
        self._tasks[index] = asyncio.ensure_future(self._completed[index])
        self.values += values

    async def finish(self) -> None:
        """Put what the coroutines return in their places. Raises the first error of any of them."""
        for index, value in zip(self._tasks, await asyncio.gather(*self._tasks.values()), strict=True):
            self._completed[index] = value

    async def cancel(self) -> None:
        """End what is still running, as graphql-core does after an error."""
        running = [each for each in self._tasks.values() if not each.done()]
        for each in running:
            each.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
