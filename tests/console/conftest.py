"""Drive Chromium through the console of a running service; README.md here says how to write such a test."""

import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import psutil
import pytest

from service.dev.stack.servers import EmbeddedServers
from service.domain.feed import panel_watch
from service.foundation.settings import WebhookCalls
from service.web.console.pages import PAGES
from tests.console.built_pages import IS_NOT_BUILT, build_pages
from tests.console.chromium import FLAGS, IS_MISSING, find_chromium
from tests.faults.harness.proxy import Proxy
from tests.support.processes import environment, worker
from tests.support.robot import Robot
from tests.support.servers import enterable_directory, free_port, shared_processes
from tests.support.web import JWT_SECRET, SECRETS_KEY, WebClient, robot_numbers, shared_web

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.console.console import Console
    from tests.console.helpdesk import Helpdesk
    from tests.console.imitated_account import ImitatedAccount, ImitatedWechat

HERE: Final = Path(__file__).parent
OUTCOME: Final = pytest.StashKey[pytest.TestReport]()
# What only `make browser` installs.
if importlib.util.find_spec("playwright") is None:
    collect_ignore_glob = ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is here, so that `make test` leaves it out."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Remember how the test went, for what is put away after it."""
    report = yield
    if report.when == "call":
        item.stash[OUTCOME] = report
    return report


@pytest.fixture(scope="session")
def pages() -> None:
    """Build the console if what is there is not current."""
    if not build_pages():
        pytest.skip(IS_NOT_BUILT)


@pytest.fixture(scope="session")
async def browser(pages: None) -> AsyncIterator["Browser"]:
    """Run one Chromium for all tests; they are skipped where there is none."""
    from playwright.async_api import async_playwright, expect

    from tests.console.console import PATIENCE

    program = find_chromium()
    if program is None:
        pytest.skip(IS_MISSING)
    expect.set_options(timeout=PATIENCE)
    before = set(psutil.Process().children())
    async with async_playwright() as playwright:
        shared_processes.update(child.pid for child in set(psutil.Process().children()) - before)
        running = await playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield running
        await running.close()


@pytest.fixture(scope="session")
async def wechat() -> AsyncIterator["ImitatedWechat"]:
    """Serve the imitated WeChat."""
    from tests.console.imitated_account import imitated_wechat

    async with imitated_wechat() as running:
        yield running


@pytest.fixture(scope="session")
async def helpdesk() -> AsyncIterator["Helpdesk"]:
    """Serve another program's page, which may embed the card of a person."""
    from tests.console.helpdesk import serve_helpdesk

    async with serve_helpdesk() as running:
        yield running


@pytest.fixture(scope="package")
async def web(
    pages: None, servers: EmbeddedServers, migrated_template: str, wechat: "ImitatedWechat", helpdesk: "Helpdesk"
) -> AsyncIterator[WebClient]:
    """Run a web process and a worker for all tests, which call the imitated WeChat."""
    around = {"wechat_api_url": wechat.url, "demo_url": wechat.url, "embed_origins": (helpdesk.origin,)}
    around["webhooks"] = WebhookCalls(allow_private=True)
    async with shared_web(servers, migrated_template, pages=PAGES, **around) as running:
        settings = environment(
            running.settings.database_url or "",
            servers.redis_url,
            WECHAT_API_URL=wechat.url,
            PUBLIC_URL=running.url,
            DEFAULT_TAGS_EVERY="2s",
            COMBOS_EVERY="2s",
            RETURN_SWEEP_EVERY="2s",
            DATABASE_POOL_SIZE="4",
            WEBHOOKS_ALLOW_PRIVATE="on",
        ) | {"USER_TAGS_JWT_SECRET": JWT_SECRET, "USER_TAGS_SECRETS_KEY": SECRETS_KEY}
        with enterable_directory() as directory:
            async with worker(settings, directory / "worker.log") as process:
                shared_processes.add(process.process.pid)
                yield running


@pytest.fixture
def robot(web: WebClient) -> Robot:
    """Give the test a robot of its own."""
    return Robot(web, f"r{next(robot_numbers)}")


@pytest.fixture
async def account(robot: Robot, wechat: "ImitatedWechat") -> "ImitatedAccount":
    """Bind a service account "Tea house" of the robot that the imitated WeChat serves."""
    from tests.console.imitated_account import bind_imitated

    return await bind_imitated(robot, wechat.platform)


@pytest.fixture
async def console(
    browser: "Browser", robot: Robot, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator["Console"]:
    """Open pages in roles, and fail the test in which one of them has a problem; a failed test leaves pictures."""
    from tests.console.console import Console

    opened = Console(browser, robot)
    yield opened
    problems = opened.problems()
    report = request.node.stash.get(OUTCOME, None)
    if problems or (report is not None and report.failed):
        for picture in await opened.take_pictures(tmp_path):
            print(f"a page as it was at the end: {picture}")
    await opened.close()
    if problems:
        pytest.fail("The pages had problems:\n" + "\n".join(problems))


@pytest.fixture
async def outage(web: WebClient) -> AsyncIterator[Proxy]:
    """Put a network between pages and the service that can be cut: `break_off` breaks connections until `mend`."""
    port = urlsplit(web.url).port
    assert port is not None
    proxy = Proxy(free_port(), port)
    await proxy.start()
    yield proxy
    await proxy.close()


@pytest.fixture
def axe() -> Callable[["Page"], Awaitable[None]]:
    """Assert that a page, as it is now, breaks no rule of WCAG 2.2 AA, in both themes."""
    from tests.console.accessibility import violations_in_both_themes

    async def check(page: "Page") -> None:
        found = await violations_in_both_themes(page)
        assert not found, "\n".join(found)

    return check


@pytest.fixture
def quick_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell tag panels of new counts at once, and not a second after the last."""
    monkeypatch.setattr(panel_watch, "COUNT_INTERVAL", 0.01)
