"""Check that no committed file names the machine it was written on, or the address of an index."""

import re
from typing import Final

from tests.packaging.dockerfile import REPOSITORY
from tests.packaging.documents import committed

# Written so that this file does not hold what it looks for.
FOREIGN: Final = re.compile(
    r"""
      /wor[k]\b (?!\w)
    | \.\./share[d]\b
    | /opt/pyp[i]
    | pyp[i]\.(?:org|io|python)
    | pythonhoste[d]\.org
    | npmj[s]\.(?:org|com)
    | registr[y]\.(?!py\b)
    | de[b]\.debian
    | index-ur[l]\s*=
    | extra-index-ur[l]
    """,
    re.IGNORECASE | re.VERBOSE,
)


def test_no_file_mentions_this_machine_or_an_index() -> None:
    found = []
    for path in committed():
        file = REPOSITORY / path
        if not file.is_file():
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            if FOREIGN.search(line):
                found.append(f"{path}:{number}: {line.strip()[:100]}")
    assert found == []


def test_the_patterns_find_what_they_are_for() -> None:
    for text in ("see /wor" + "k/main", "https://pyp" + "i.org/simple", "https://registr" + "y.npmj" + "s.org"):
        assert FOREIGN.search(text), text
    for text in ("make it work/day", "framework", "the registry of people", "benchmarks/registry.py", "a network/host"):
        assert FOREIGN.search(text) is None, text
