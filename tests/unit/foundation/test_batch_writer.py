"""Writes of concurrent requests are done together; everybody hears how their own batch went."""

import asyncio
from dataclasses import dataclass, field

import pytest

from service.foundation.batch_writer import BatchWriter
from tests.support.waiting import wait_until


@dataclass
class Ledger:
    """Writes words down, once it may; numbers them as they come."""

    batches: list[list[str]] = field(default_factory=list)
    may_write: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False
    stolen: bool = False
    illegible: frozenset[str] = frozenset()

    async def write(self, words: list[str]) -> list[int]:
        self.batches.append(words)
        await self.may_write.wait()
        if self.broken:
            raise OSError("the ledger burnt")
        for word in self.illegible.intersection(words):
            raise ValueError(word)
        return list(range(len(words)))[: 0 if self.stolen else None]

    def writer(self, *, max_size: int = 100, max_items: int | None = None) -> BatchWriter[str, int]:
        return BatchWriter(
            self.write,
            group_of=lambda word: word[0],
            size_of=len,
            max_size=max_size,
            max_items=max_items,
            shared_errors=(OSError,),
        )


async def put_all(writer: BatchWriter[str, int], *words: str) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(writer.put(word)) for word in words]
    await asyncio.sleep(0)
    return tasks


async def test_what_comes_while_a_batch_is_written_makes_up_the_next() -> None:
    ledger = Ledger()
    writer = ledger.writer()
    first = await put_all(writer, "a1")
    await wait_until(lambda: bool(ledger.batches))
    later = await put_all(writer, "a2", "a3", "a4")
    ledger.may_write.set()
    assert await asyncio.gather(*first, *later) == [0, 0, 1, 2]
    assert ledger.batches == [["a1"], ["a2", "a3", "a4"]]


async def test_what_is_put_together_is_written_together_by_group() -> None:
    ledger = Ledger()
    tasks = await put_all(ledger.writer(), "a1", "b1", "a2")
    await wait_until(lambda: len(ledger.batches) == 2)
    ledger.may_write.set()
    assert await asyncio.gather(*tasks) == [0, 0, 1]
    assert ledger.batches == [["a1", "a2"], ["b1"]]


@pytest.mark.parametrize(
    ("max_size", "max_items", "batches"),
    [
        (6, None, [["a1", "a2", "a3"], ["a-very-long-one"], ["a4"]]),
        (100, 2, [["a1", "a2"], ["a3", "a-very-long-one"], ["a4"]]),
        (1, None, [["a1"], ["a2"], ["a3"], ["a-very-long-one"], ["a4"]]),
    ],
)
async def test_a_batch_has_its_bounds(max_size: int, max_items: int | None, batches: list[list[str]]) -> None:
    ledger = Ledger()
    ledger.may_write.set()
    writer = ledger.writer(max_size=max_size, max_items=max_items)
    await asyncio.gather(*(writer.put(word) for word in ("a1", "a2", "a3", "a-very-long-one", "a4")))
    assert ledger.batches == batches


async def test_a_bad_item_fails_alone() -> None:
    ledger = Ledger(illegible=frozenset({"a2", "a4"}))
    ledger.may_write.set()
    outcomes = await asyncio.gather(*map(ledger.writer().put, ("a1", "a2", "a3", "a4")), return_exceptions=True)
    assert [repr(each) for each in outcomes] == ["0", "ValueError('a2')", "0", "ValueError('a4')"]
    assert ledger.batches == [["a1", "a2", "a3", "a4"], ["a1"], ["a2"], ["a3"], ["a4"]]


async def test_a_writer_that_is_cancelled_among_single_items_leaves_nobody_waiting() -> None:
    ledger = Ledger(illegible=frozenset({"a1"}))
    tasks = await put_all(ledger.writer(), "a1", "a2", "a3")
    await wait_until(lambda: bool(ledger.batches))
    ledger.may_write.set()
    ledger.may_write.clear()
    await wait_until(lambda: len(ledger.batches) == 2)
    (task,) = [each for each in asyncio.all_tasks() if each.get_name() == "batch writes of a"]
    task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in outcomes] == [asyncio.CancelledError] * 3


async def test_a_shared_failure_is_raised_to_all_callers_of_the_batch_and_to_no_others() -> None:
    ledger = Ledger(broken=True)
    ledger.may_write.set()
    writer = ledger.writer()
    failed = await asyncio.gather(writer.put("a1"), writer.put("a2"), return_exceptions=True)
    assert [type(each) for each in failed] == [OSError, OSError]
    ledger.broken = False
    assert await writer.put("a3") == 0
    assert ledger.batches == [["a1", "a2"], ["a3"]]


async def test_a_result_too_few_is_an_error_of_the_batch() -> None:
    ledger = Ledger(stolen=True)
    ledger.may_write.set()
    with pytest.raises(ValueError, match="zip"):
        await ledger.writer().put("a1")


async def test_who_goes_away_takes_nobody_along_and_is_written_all_the_same() -> None:
    ledger = Ledger()
    writer = ledger.writer()
    writing = await put_all(writer, "a1", "a2")
    await wait_until(lambda: bool(ledger.batches))
    waiting = await put_all(writer, "a3", "a4")
    for gone in (writing[0], waiting[0]):
        gone.cancel()
    ledger.may_write.set()
    outcomes = await asyncio.gather(*writing, *waiting, return_exceptions=True)
    assert [each if isinstance(each, int) else type(each) for each in outcomes] == [
        asyncio.CancelledError,
        1,
        asyncio.CancelledError,
        1,
    ]
    assert ledger.batches == [["a1", "a2"], ["a3", "a4"]]


async def test_a_writer_that_is_cancelled_leaves_nobody_waiting() -> None:
    ledger = Ledger()
    writer = ledger.writer()
    writing = await put_all(writer, "a1")
    await wait_until(lambda: bool(ledger.batches))
    waiting = await put_all(writer, "a2")
    (task,) = [each for each in asyncio.all_tasks() if each.get_name() == "batch writes of a"]
    task.cancel()
    outcomes = await asyncio.gather(*writing, *waiting, return_exceptions=True)
    assert [type(each) for each in outcomes] == [asyncio.CancelledError] * 2
    ledger.may_write.set()
    assert await writer.put("a3") == 0


async def test_nothing_is_kept_of_a_group_that_is_written() -> None:
    ledger = Ledger()
    ledger.may_write.set()
    writer = ledger.writer()
    await asyncio.gather(*(writer.put(f"{letter}1") for letter in "abcdef"))
    await wait_until(lambda: not writer._queues)
