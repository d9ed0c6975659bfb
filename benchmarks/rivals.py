"""Do set algebra over the same bitmaps with ClickHouse in this process (chdb), and with CRoaring in memory."""

import importlib
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

from service.entities.expressions import Expression, Operator

MISSING: Final = "not installed; `make bench` installs requirements/bench.txt"


def import_optional(name: str) -> Any | None:
    """Return the module, or None if it is not installed."""
    with suppress(ImportError):
        return importlib.import_module(name)
    return None


def ordinals_of(bitmap: bytes) -> Any:
    """Return the ordinals set in a bitmap of the whole channel, as a numpy array of 32-bit numbers."""
    numpy = importlib.import_module("numpy")
    return numpy.flatnonzero(numpy.unpackbits(numpy.frombuffer(bitmap, dtype=numpy.uint8))).astype(numpy.uint32)


class Roaring:
    """Hold bitmaps in memory with CRoaring (pyroaring), without storage or transactions; the limit."""

    def __init__(self, bitmaps: Mapping[int, bytes]) -> None:
        make = importlib.import_module("pyroaring").BitMap
        self._sets = {tag_id: make(ordinals_of(bitmap)) for tag_id, bitmap in bitmaps.items()}
        for each in self._sets.values():
            each.run_optimize()

    def members(self, expression: Expression) -> Any:
        """Return the bitmap of an expression."""
        if expression.operator is Operator.TAG:
            return self._sets[expression.tag_id]
        first, *others = (self.members(each) for each in expression.operands)
        for other in others:
            match expression.operator:
                case Operator.ALL:
                    first = first & other
                case Operator.ANY:
                    first = first | other
                case _:
                    first = first - other
        return first

    def count(self, expression: Expression) -> int:
        """Return how many users an expression has."""
        return len(self.members(expression))

    def shared(self, a: int, b: int) -> int:
        """Return how many users have both tags."""
        return int(self._sets[a].intersection_cardinality(self._sets[b]))

    def stored_bytes(self, tag_id: int) -> int:
        """Return the size of a serialised bitmap."""
        return len(self._sets[tag_id].serialize())


class ClickHouse:
    """Hold one groupBitmap state for each tag in a MergeTree table, in a temporary directory."""

    def __init__(self, bitmaps: Mapping[int, bytes]) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="user-tags-chdb-")
        directory = Path(self._directory.name)
        self._session: Any = importlib.import_module("chdb.session").Session(str(directory / "data"))
        self._query("create database b")
        for table in ("tags", "made"):
            self._query(
                f"create table b.{table} (tag UInt32, users AggregateFunction(groupBitmap, UInt32)) "
                "engine = MergeTree order by tag"
            )
        for tag_id, bitmap in bitmaps.items():
            file = directory / "ordinals"
            ordinals_of(bitmap).tofile(file)
            self._query(
                f"insert into b.tags select {tag_id}, groupBitmapState(x) from file('{file}', 'RowBinary', 'x UInt32')"
            )
            file.unlink()
        self._query("optimize table b.tags final")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()
        self._directory.cleanup()

    def count(self, expression: Expression) -> int:
        """Return how many users an expression has. All bitmaps are read together, which is faster than one by one."""
        tag_ids = sorted(expression.tag_ids())
        return int(
            self._query(
                f"{self._with_bitmaps(tag_ids)} select bitmapCardinality({self._bitmap_sql(expression, tag_ids)})"
            )
        )

    def materialise(self, expression: Expression) -> None:
        """Write the bitmap of an expression to a table."""
        tag_ids = sorted(expression.tag_ids())
        self._query(
            f"insert into b.made {self._with_bitmaps(tag_ids)} select 0, {self._bitmap_sql(expression, tag_ids)}"
        )

    def overlaps(self, tag_ids: list[int]) -> int:
        """Return the sum of the users of all pairs, so that each is computed and none is printed."""
        pairs = [(i, j) for j in range(len(tag_ids)) for i in range(j)]
        counts = " + ".join(f"bitmapAndCardinality(u[{i + 1}], u[{j + 1}])" for i, j in pairs)
        return int(self._query(f"{self._with_bitmaps(sorted(tag_ids))} select {counts}"))

    def stored_bytes(self) -> int:
        """Return the size of all bitmaps on disk."""
        where = "database = 'b' and table = 'tags' and active"
        return int(self._query(f"select sum(bytes_on_disk) from system.parts where {where}"))

    def _with_bitmaps(self, tag_ids: list[int]) -> str:
        wanted = ", ".join(map(str, tag_ids))
        return (
            f"with (select groupArray(users) from (select users from b.tags where tag in ({wanted}) order by tag)) as u"
        )

    def _bitmap_sql(self, expression: Expression, tag_ids: list[int]) -> str:
        if expression.operator is Operator.TAG:
            return f"u[{tag_ids.index(expression.tag_id) + 1}]"
        function = {Operator.ALL: "bitmapAnd", Operator.ANY: "bitmapOr", Operator.EXCEPT: "bitmapAndnot"}
        first, *others = (self._bitmap_sql(each, tag_ids) for each in expression.operands)
        for other in others:
            first = f"{function[expression.operator]}({first}, {other})"
        return first

    def _query(self, statement: str) -> str:
        answer: str = self._session.query(statement, "CSV").bytes().decode().strip()
        return answer
