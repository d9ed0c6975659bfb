"""Trust the console's own operations in every mode, so that production serves it in mode `only` without a change."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.pages import write_pages
from tests.support.web import TRANSPORTS, WebClient, error_codes, execute_over, web_process

PANEL: Final = "query Panel { viewer { robotId } }"
OTHER: Final = "{ viewer { role } }"
REFUSED_TEXT: Final = {"off": [], "allowed": [], "only": ["PERSISTED_QUERY_ONLY"]}
UNKNOWN_ID: Final = {
    "off": ["PERSISTED_QUERY_NOT_SUPPORTED"],
    "allowed": ["PERSISTED_QUERY_NOT_FOUND"],
    "only": ["PERSISTED_QUERY_NOT_FOUND"],
}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(params=["off", "allowed", "only"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def console(database_url: str, redis_url: str, mode: str, tmp_path: Path) -> AsyncIterator[WebClient]:
    pages = write_pages(tmp_path / "pages", {sha256(PANEL): PANEL})
    async with web_process(
        database_url, redis_url, pages=pages, trusted_documents_mode=mode, production=True
    ) as running:
        yield running


@pytest.mark.parametrize("way", TRANSPORTS)
async def test_the_console_is_served_in_every_mode(console: WebClient, mode: str, way: str) -> None:
    for named in (
        {"documentId": "sha256:" + sha256(PANEL)},
        {"query": "", "extensions": {"documentId": sha256(PANEL)}},
        {"query": PANEL},
    ):
        assert await execute_over(console, way, named) == {"data": {"viewer": {"robotId": "r1"}}}, named
    assert await error_codes(console, way, {"query": OTHER}) == REFUSED_TEXT[mode]
    assert await error_codes(console, way, {"documentId": sha256(OTHER)}) == UNKNOWN_ID[mode]
