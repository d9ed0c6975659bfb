"""Write RESULTS.md: the newest tables of each benchmark at each size. Those not measured again are kept."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.harness import Table

RESULTS: Final = Path(__file__).with_name("RESULTS.md")
HEAD: Final = (
    "# Benchmarks\n\n"
    "Written by `make bench`, which replaces only the tables it measured again; each says when and on which commit. "
    "Client, service and database share the machine. Compare ratios, not times."
)
SECTION: Final = re.compile(r"^<!-- (\d+) (\w+) -->\n(.*?)^<!-- end -->$", re.MULTILINE | re.DOTALL)


def write_results(users: int, name: str, tables: Iterable[Table], order: Sequence[str], path: Path = RESULTS) -> str:
    """Replace the tables of one benchmark; returns their text.

    `order` has the names of all benchmarks; the largest channels come first.
    """
    sections = _sections(path)
    text = "\n\n".join([f"*{_environment()}*", *(table.text() for table in tables)])
    sections[users, name] = text
    parts = [HEAD]
    for size in sorted({size for size, _ in sections}, reverse=True):
        parts.append(f"## {size:,} users in one channel")
        parts += [_section(size, each, sections[size, each]) for each in order if (size, each) in sections]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return text


def _sections(path: Path) -> dict[tuple[int, str], str]:
    if not path.exists():
        return {}
    found = SECTION.finditer(path.read_text(encoding="utf-8"))
    return {(int(each[1]), each[2]): each[3].partition("\n\n")[2].strip() for each in found}


def _section(users: int, name: str, text: str) -> str:
    return f"<!-- {users} {name} -->\n### {name.replace('_', ' ').capitalize()}\n\n{text}\n\n<!-- end -->"


def _environment() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {_commit()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def _commit() -> str:
    """Return the commit, marked if the measured code has uncommitted changes."""
    known = _git("rev-parse", "--short", "HEAD") or "unknown"
    return (
        f"{known} with changes" if _git("status", "--porcelain", "--", "service", "sql", "benchmarks/*.py") else known
    )


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False, cwd=RESULTS.parent.parent)
    return done.stdout.strip()
