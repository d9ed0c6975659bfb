"""Read from the queue only what one of our processes can have written."""

import pickle
from typing import Any

import orjson
import pytest

from service.valkey.task_entries import MAX_ENTRY_SIZE, decode_entry, encode_entry

ENTRY: dict[str, Any] = {"t": None, "f": "refresh_combos", "a": (7,), "k": {}, "et": 1_767_225_600_000}
PARAMETERS = {"refresh_combos": 1}


def test_an_entry_reads_back() -> None:
    assert decode_entry(encode_entry(ENTRY), PARAMETERS) == ENTRY


def test_a_result_that_json_does_not_know_is_written_all_the_same() -> None:
    assert orjson.loads(encode_entry({"r": ValueError("why")})) == {"r": "ValueError('why')"}


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps(ENTRY),
        b"",
        b"\xff",
        b"[" * MAX_ENTRY_SIZE,
        b"null",
        b"{}",
        *(
            encode_entry(ENTRY | wrong)
            for wrong in (
                {"f": "import_a_module"},
                {"f": ["refresh_combos"]},
                {"a": ()},
                {"a": (7, 8)},
                {"a": ("7",)},
                {"a": (True,)},
                {"a": (-1,)},
                {"a": (2**63,)},
                {"a": {"7": 7}},
                {"k": {"name": 1}},
                {"k": None},
                {"t": "1"},
                {"et": None},
                {"et": 1.5},
                {"x": "x" * MAX_ENTRY_SIZE},
            )
        ),
    ],
)  # fmt: skip
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"entry|task|numbers|column"):
        decode_entry(data, PARAMETERS)
