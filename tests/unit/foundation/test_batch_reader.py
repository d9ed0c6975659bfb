"""Share a statement among concurrent look-ups; no answer is older than its request."""

import asyncio
from dataclasses import dataclass, field

import pytest

from service.foundation.batch_reader import BatchReader
from tests.support.waiting import wait_until


@dataclass
class Shelf:
    """Answer each key with what stands there when it is read, once it may."""

    standing: int = 1
    asked: list[list[str]] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False

    async def read(self, keys: list[str]) -> dict[str, int]:
        self.asked.append(sorted(keys))
        read = self.standing
        await self.may_answer.wait()
        if self.broken:
            raise OSError("the shelf fell over")
        return {key: read for key in keys if key != "nobody"}


async def test_what_is_asked_together_is_read_together() -> None:
    shelf = Shelf()
    shelf.may_answer.set()
    look_ups = BatchReader(shelf.read)
    answers = await asyncio.gather(*(look_ups.get(key) for key in ("a", "b", "a", "nobody")))
    assert answers == [1, 1, 1, None]
    assert shelf.asked == [["a", "b", "nobody"]]
    assert await look_ups.get_many(["b", "nobody", "a"]) == [1, None, 1]


async def test_nobody_joins_a_statement_that_has_begun() -> None:
    shelf = Shelf()
    look_ups = BatchReader(shelf.read, max_concurrent=1)
    early = asyncio.create_task(look_ups.get("a"))
    await wait_until(lambda: bool(shelf.asked))
    shelf.standing = 2
    late = [asyncio.create_task(look_ups.get(key)) for key in ("a", "b")]
    await asyncio.sleep(0)
    shelf.may_answer.set()
    assert await early == 1
    assert await asyncio.gather(*late) == [2, 2]
    assert shelf.asked == [["a"], ["a", "b"]]


async def test_a_failure_is_told_to_all_who_asked_with_it_and_to_nobody_else() -> None:
    shelf = Shelf(broken=True)
    shelf.may_answer.set()
    look_ups = BatchReader(shelf.read)
    failed = await asyncio.gather(look_ups.get("a"), look_ups.get_many(["b", "c"]), return_exceptions=True)
    assert [type(each) for each in failed] == [OSError, OSError]
    shelf.broken = False
    assert await look_ups.get("a") == 1


async def test_who_goes_away_takes_nobody_along() -> None:
    shelf = Shelf()
    look_ups = BatchReader(shelf.read)
    gone, stays = asyncio.create_task(look_ups.get("a")), asyncio.create_task(look_ups.get("a"))
    await wait_until(lambda: bool(shelf.asked))
    gone.cancel()
    shelf.may_answer.set()
    assert await stays == 1
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_keys_of_different_groups_are_read_apart_and_side_by_side() -> None:
    shelf = Shelf()
    look_ups = BatchReader(shelf.read, group_of=lambda key: key[0], max_concurrent=1)
    asking = [asyncio.create_task(look_ups.get(key)) for key in ("a1", "b1", "a2", "b2")]
    await wait_until(lambda: len(shelf.asked) == 2)
    late = asyncio.create_task(look_ups.get("a3"))
    shelf.may_answer.set()
    assert await asyncio.gather(*asking, late) == [1, 1, 1, 1, 1]
    assert shelf.asked == [["a1", "a2"], ["b1", "b2"], ["a3"]]
    await wait_until(lambda: not look_ups._groups)


async def test_a_read_has_so_many_keys_and_a_group_so_many_reads() -> None:
    shelf = Shelf()
    look_ups = BatchReader(shelf.read, max_keys=2, max_concurrent=2)
    asking = asyncio.create_task(look_ups.get_many("abcde"))
    await wait_until(lambda: len(shelf.asked) == 2)
    await asyncio.sleep(0)
    assert shelf.asked == [["a", "b"], ["c", "d"]]
    shelf.may_answer.set()
    assert await asking == [1] * 5
    assert shelf.asked[2:] == [["e"]]


async def test_what_everybody_gave_up_is_not_read() -> None:
    shelf = Shelf()
    look_ups = BatchReader(shelf.read, max_concurrent=1)
    first = asyncio.create_task(look_ups.get("a"))
    await wait_until(lambda: bool(shelf.asked))
    gone, stays = (asyncio.create_task(look_ups.get(key)) for key in ("b", "c"))
    await asyncio.sleep(0)
    gone.cancel()
    shelf.may_answer.set()
    assert [await first, await stays] == [1, 1]
    assert shelf.asked == [["a"], ["c"]]


async def test_a_value_that_is_required_and_not_there_is_an_error() -> None:
    shelf = Shelf()
    shelf.may_answer.set()
    look_ups = BatchReader(shelf.read)
    assert await look_ups.require("a") == 1
    with pytest.raises(LookupError, match="nobody"):
        await look_ups.require("nobody")


async def test_closing_cancels_reads_and_those_who_wait() -> None:
    shelf = Shelf()
    look_ups = BatchReader(shelf.read, max_concurrent=1)
    early = asyncio.create_task(look_ups.get("a"))
    await wait_until(lambda: bool(shelf.asked))
    late = asyncio.create_task(look_ups.get("b"))
    await asyncio.sleep(0)
    await look_ups.close()
    outcomes = await asyncio.gather(early, late, return_exceptions=True)
    assert [type(each) for each in outcomes] == [asyncio.CancelledError] * 2
    assert shelf.asked == [["a"]]
    assert not look_ups._running


async def test_closing_cancels_those_whose_read_has_not_taken_its_first_step() -> None:
    shelf = Shelf()
    look_ups = BatchReader(shelf.read)
    waiting = asyncio.create_task(look_ups.get("a"))
    await asyncio.sleep(0)  # it asks
    await asyncio.sleep(0)  # its read is made
    assert look_ups._running
    await look_ups.close()
    await asyncio.wait({waiting}, timeout=5)
    assert waiting.cancelled()
    assert shelf.asked == []
