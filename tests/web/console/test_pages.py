"""Serve the built console: each page under its addresses, with a strict policy of its own, and as light as possible."""

import json
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from service.web.console.pages import SETTINGS_PLACE
from tests.packaging.dockerfile import REPOSITORY
from tests.support.pages import SCRIPT, SCRIPT_NAME, write_pages
from tests.support.web import WebClient, web_process

BROWSER: Final = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PANEL: Final = (
    "/",
    "/return-data",
    "/webhooks",
    "/webhooks/V2ViaG9vazox/edit",
    "/channels/Q2hhbm5lbDox/tags",
    "/channels/Q2hhbm5lbDox/tags/VGFnOjE=/edit?sort=name",
)
CONVERSATION: Final = ("/conversation", "/conversation/card?channel=Q2hhbm5lbDox&openid=o1")
DESK: Final = "https://desk.example.com"
STRICT: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors "
)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    return write_pages(tmp_path / "pages")


@pytest.fixture
async def console(database_url: str, redis_url: str, pages: Path) -> AsyncIterator[WebClient]:
    async with web_process(database_url, redis_url, pages=pages) as running:
        yield running


@pytest.fixture
async def embeddable(database_url: str, redis_url: str, pages: Path) -> AsyncIterator[WebClient]:
    origins = (DESK, "https://b.example.com")
    async with web_process(database_url, redis_url, pages=pages, embed_origins=origins) as running:
        yield running


async def page(web: WebClient, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    return await web.http.request(method, path, headers=BROWSER | headers)


def page_settings(answer: httpx.Response) -> Any:
    found = re.search(r'<meta name="user-tags" content="([^"]*)"', answer.text)
    assert found is not None, answer.text
    return json.loads(unescape(found[1]))


@pytest.mark.parametrize(
    ("path", "title"), [(p, "User Tags") for p in PANEL] + [(p, "Conversation") for p in CONVERSATION]
)
async def test_each_address_shows_its_page(console: WebClient, path: str, title: str) -> None:
    answer = await page(console, path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<title>{title}</title>" in answer.text
    assert answer.headers["content-security-policy"] == STRICT + "'none'"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers.get_list("cache-control") == ["no-cache"]


async def test_programs_are_told_where_things_are(console: WebClient) -> None:
    for headers in ({}, {"Accept": "application/json"}, {"Accept": "*/*"}, {"Accept": "text/html;q=0, */*"}):
        answer = await console.http.get("/", headers=headers)
        assert answer.json()["graphql"] == "/graphql"
        assert answer.headers["vary"] == "Accept"
    assert (await page(console, "/")).headers["vary"] == "Accept"


async def test_a_page_that_a_browser_has_is_not_sent_again(console: WebClient, pages: Path) -> None:
    first = await page(console, "/conversation")
    again = await page(console, "/conversation", **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "content-security-policy"):
        assert again.headers[name] == first.headers[name]

    built = pages / "conversation.html"
    built.write_text(built.read_text(encoding="utf-8").replace("Conversation", "Chat"), encoding="utf-8")
    newer = await page(console, "/conversation", **{"If-None-Match": first.headers["etag"]})
    assert "<title>Chat</title>" in newer.text


async def test_only_the_card_may_be_framed_and_only_by_those_that_are_named(embeddable: WebClient) -> None:
    for path in (*PANEL, "/conversation", "/conversation/card"):
        answer = await page(embeddable, path)
        is_card = path == "/conversation/card"
        allowed = f"{DESK} https://b.example.com" if is_card else "'none'"
        assert answer.headers["content-security-policy"] == STRICT + allowed
        assert answer.headers.get("x-frame-options") == (None if is_card else "DENY")
        assert page_settings(answer)["embedOrigins"] == [DESK, "https://b.example.com"]


async def test_a_new_policy_makes_a_new_page(console: WebClient, embeddable: WebClient) -> None:
    tags = {(await page(web, path)).headers["etag"] for web in (console, embeddable) for path in CONVERSATION}
    assert len(tags) == 3, "the page and the card are the same where nobody may frame it"


async def test_files_are_kept_for_good_and_sent_compressed(console: WebClient) -> None:
    for accepted, encoding in (("gzip, br", "gzip"), ("br", None), ("gzip;q=0", None)):
        answer = await console.http.get(f"/assets/{SCRIPT_NAME}", headers={"Accept-Encoding": accepted})
        assert (answer.status_code, answer.text) == (200, SCRIPT)
        assert answer.headers.get("content-encoding") == encoding
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers.get_list("cache-control") == ["public, max-age=31536000, immutable"]
        assert answer.headers["vary"] == "Accept-Encoding"
    style = await console.http.get("/assets/index-Dx1.css")
    assert (style.text, style.headers["content-type"]) == ("body { color: red }", "text/css; charset=utf-8")


async def test_nothing_else_of_the_machine_is_served(console: WebClient, pages: Path) -> None:
    (pages / "assets" / ".hidden").write_text("secret", encoding="utf-8")
    for path in (
        "/assets/../index.html", "/assets/..%2Findex.html", "/assets/%2e%2e", "/assets/.hidden", "/assets/", "/assets",
        "/assets/none-1.js", "/index.html", "/persisted-documents.json", "/conversation/other", "/tags",
        "/assets/a%00b",
    ):  # fmt: skip
        answer = await page(console, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND"), path


async def test_head_is_answered_like_get_without_the_body(console: WebClient) -> None:
    for path in ("/", "/conversation", f"/assets/{SCRIPT_NAME}"):
        head, got = await page(console, path, "HEAD"), await page(console, path)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-type", "content-length", "cache-control", "etag"):
            assert head.headers[name] == got.headers[name], (path, name)


async def test_other_methods_are_refused(console: WebClient) -> None:
    for path in ("/", "/conversation", "/channels/x", f"/assets/{SCRIPT_NAME}"):
        for method in ("POST", "PUT", "DELETE"):
            answer = await page(console, path, method)
            assert (answer.status_code, answer.json()["code"]) == (405, "BAD_USER_INPUT")
            assert {"GET", "HEAD"} <= set(answer.headers["allow"].split(", "))


async def test_without_a_build_there_are_no_pages(web: WebClient) -> None:
    assert (await page(web, "/")).json()["service"] == "User Tags"
    for path in ("/conversation", "/channels/x", f"/assets/{SCRIPT_NAME}"):
        assert (await page(web, path)).status_code == 404


async def test_a_page_that_was_not_built_is_not_there(console: WebClient, pages: Path) -> None:
    (pages / "conversation.html").unlink()
    assert (await page(console, "/conversation")).status_code == 404


def test_the_pages_of_the_console_have_a_place_for_their_settings() -> None:
    for name in ("index", "conversation", "ide"):
        assert SETTINGS_PLACE in (REPOSITORY / "console" / f"{name}.html").read_bytes()
