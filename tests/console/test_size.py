"""Weigh the scripts that the pages of the panel load."""

import gzip
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from service.web.console.pages import PAGES

# Bytes, compressed as the service sends them.
MAX_SIZE: Final = 120_000
STATIC: Final = re.compile(r'(?:from|import)\s*["`]\./([\w.-]+\.js)["`]')
DYNAMIC: Final = re.compile(r"import\([\"`]\./([\w.-]+\.js)[\"`]\)")
LANGUAGE: Final = re.compile(r"^(en|zh)-")
TEXTS_OF_ALL: Final = re.compile(r'from "\./(\w+)"')
ENGLISH: Final = Path(__file__).parents[2] / "console" / "src" / "i18n" / "en"


@pytest.mark.usefixtures("pages")
def test_every_page_of_the_panel_is_light_with_all_that_it_may_load_later() -> None:
    frame = reachable([entry_of(PAGES / "index.html")], STATIC)
    parts = {name for script in frame for name in found_in(script, DYNAMIC)}
    languages = {name for name in parts if LANGUAGE.match(name)}
    assert len(languages) == 2
    frame.add(max(languages, key=size))
    pages = {part: frame | whole(part, languages) for part in parts - languages}
    others = texts_of_the_other_language(set().union(*pages.values()))
    weights = {part: sum(map(size, scripts - others)) for part, scripts in pages.items()}
    assert len(weights) > 15
    assert {part: weight for part, weight in weights.items() if weight > MAX_SIZE} == {}


def texts_of_the_other_language(scripts: set[str]) -> set[str]:
    """Return the texts that come with some pages only, those of the language in which they are smaller."""
    of_all = {"index", *TEXTS_OF_ALL.findall((ENGLISH / "index.ts").read_text(encoding="utf-8"))}
    own = {part.stem for part in ENGLISH.glob("*.ts")} - of_all
    found = {name: {script for script in scripts if re.match(rf"{name}-.{{8}}\.js$", script)} for name in own}
    pairs = [pair for pair in found.values() if pair]
    assert pairs
    assert {len(pair) for pair in pairs} == {2}
    return {min(pair, key=size) for pair in pairs}


def whole(page: str, languages: set[str]) -> set[str]:
    """Return the scripts of a page, at once and later, but the texts of the languages."""
    return reachable([page], STATIC, DYNAMIC, without=languages)


def entry_of(page: Path) -> str:
    """Return the script with which a page begins."""
    found = re.search(r'<script[^>]+src="/assets/([^"]+)"', page.read_text(encoding="utf-8"))
    assert found
    return found[1]


def reachable(begin: Iterable[str], *imports: re.Pattern[str], without: Iterable[str] = ()) -> set[str]:
    """Return these scripts with all that they import in these ways, and so on."""
    left_out = set(without)
    found: set[str] = set()
    todo = list(begin)
    while todo:
        name = todo.pop()
        if name not in found | left_out:
            found.add(name)
            todo += [each for pattern in imports for each in found_in(name, pattern)]
    return found


def found_in(script: str, pattern: re.Pattern[str]) -> list[str]:
    """Return the scripts that a script imports in one way."""
    return pattern.findall((PAGES / "assets" / script).read_text(encoding="utf-8"))


def size(script: str) -> int:
    """Return the compressed size of a script, in bytes."""
    return len(gzip.compress((PAGES / "assets" / script).read_bytes(), 9))
