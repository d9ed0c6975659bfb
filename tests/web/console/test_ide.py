"""Serve GraphiQL at /graphql to browsers, with a policy under which it runs and asks nobody else."""

from pathlib import Path
from typing import Final

from tests.support.pages import write_pages
from tests.support.web import web_process

BROWSER: Final = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


async def test_browsers_get_the_ide_with_a_policy_of_its_own(database_url: str, redis_url: str, tmp_path: Path) -> None:
    async with web_process(database_url, redis_url, pages=write_pages(tmp_path / "pages")) as web:
        page = await web.http.get("/graphql", headers=BROWSER)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "<title>GraphiQL</title>" in page.text
        assert page.headers.get_list("content-security-policy") == [POLICY]
        assert page.headers.get_list("x-frame-options") == ["DENY"]
        again = await web.http.get("/graphql", headers=BROWSER | {"If-None-Match": page.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        asked = await web.http.get("/graphql", headers=BROWSER, params={"query": "{ viewer { id } }"})
        assert asked.status_code == 401, "a request with an operation is no browser that looks for a page"
