"""Encode the tasks that lie in Valkey as JSON.

arq's default is pickle, and to read a pickle is to run it: whoever can write to Valkey could run code in the worker.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

# Bytes. An entry holds a name and a few numbers.
MAX_ENTRY_SIZE: Final = 4096
MAX_NUMBER: Final = 2**63 - 1


def encode_entry(entry: dict[str, Any]) -> bytes:
    """Return arq's description of a task, or of its result, as JSON; a value that JSON does not know is its `repr`."""
    return orjson.dumps(entry, default=repr)


def decode_entry(data: bytes, parameters: Mapping[str, int]) -> dict[str, Any]:
    """Return what `encode_entry` made of a task. `parameters` is how many numbers each task takes, by its name.

    Raises ValueError for everything else: pickles of earlier releases, other names, other arguments.
    """
    if len(data) > MAX_ENTRY_SIZE:
        raise ValueError(f"an entry is at most {MAX_ENTRY_SIZE} bytes long")
    match orjson.loads(data):
        case {"f": str(name), "a": [*numbers], "k": dict(others), "t": tries, "et": enqueued_at}:
            pass
        case _:
            raise ValueError("this describes no task")
    if parameters.get(name) != len(numbers) or others:
        raise ValueError("there is no such task, or it takes other arguments")
    if not all(_is_number(each) for each in (*numbers, enqueued_at)) or not (tries is None or _is_number(tries)):
        raise ValueError("all that a task takes is whole numbers")
    return {"f": name, "a": tuple(numbers), "k": {}, "t": tries, "et": enqueued_at}


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_NUMBER
