"""Show the card in the frame of another program, which hands it a token; and refuse that to everybody else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from service.dev.stack.servers import EmbeddedServers
from service.web.console.pages import PAGES
from tests.console.console import DESKTOP, new_context
from tests.packaging.documents import FRONTEND
from tests.support.robot import Event, Robot
from tests.support.waiting import wait_until
from tests.support.web import WebClient, robot_numbers, shared_web

DESK: Final = "https://desk.example.com"
STRANGER: Final = "https://evil.example.com"
OPENID: Final = "oAnn"
BLOCKED: Final = "chrome-error://chromewebdata/"
BY_ITS_POLICY: Final = "net::ERR_BLOCKED_BY_RESPONSE"


@pytest.fixture(scope="module")
async def embeddable(pages: None, servers: EmbeddedServers, migrated_template: str) -> AsyncIterator[WebClient]:
    async with shared_web(servers, migrated_template, pages=PAGES, embed_origins=(DESK,)) as running:
        yield running


@pytest.fixture
def robot(embeddable: WebClient) -> Robot:
    return Robot(embeddable, f"r{next(robot_numbers)}")


@pytest.fixture
async def channel(robot: Robot) -> str:
    """Bind a channel in which somebody has written."""
    bound = str((await robot.bind())["id"])
    await robot.record(bound, happened("MESSAGE"))
    return bound


def happened(kind: str) -> Event:
    return {"openid": OPENID, "kind": kind, "at": datetime.now(UTC).isoformat()}


@pytest.fixture
async def context(browser: Browser, robot: Robot) -> AsyncIterator[BrowserContext]:
    """Open a browser in which the desk's login hands out tokens of an agent."""
    opened = await new_context(browser, "en-GB", "light", DESKTOP)
    # In production the service has a public address.
    await opened.grant_permissions(["local-network-access"])
    await opened.route(f"{DESK}/my-own-login/user-tags-token", lambda route: route.fulfill(body=robot.token("agent")))
    yield opened
    await opened.close()


async def page_of(context: BrowserContext, origin: str, html: str) -> Page:
    """Open a page of another program; nothing of it comes from a network."""

    async def answer(route: Route) -> None:
        await route.fulfill(body=f"<!doctype html><title>Desk</title>{html}", content_type="text/html")

    await context.route(f"{origin}/", answer)
    page = await context.new_page()
    await page.goto(f"{origin}/")
    return page


def card(robot: Robot, channel: str, path: str = "/conversation/card") -> str:
    return f"{robot.web.url}{path}?channel={channel}&openid={OPENID}"


def shown_in_the_documents(robot: Robot, channel: str) -> str:
    """Return what the page for frontends shows to paste, for this service and this person."""
    shown = FRONTEND.block("text", "user-tags-ready").replace("https://tags.example.com", robot.web.url)
    return shown.replace("channel=…&openid=…", f"channel={channel}&openid={OPENID}")


async def test_the_card_is_live_in_the_frame_of_the_documents(
    context: BrowserContext, robot: Robot, channel: str
) -> None:
    problems: list[str] = []
    context.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    desk = await page_of(context, DESK, shown_in_the_documents(robot, channel))
    frame = desk.frame_locator("#card")
    await expect(frame.get_by_text("Opened", exact=True).first).to_be_visible()
    await expect(frame.get_by_text("New user", exact=True)).to_have_count(0)
    await robot.record(channel, happened("FOLLOW"))
    await expect(frame.get_by_text("New user", exact=True).first).to_be_visible()
    assert problems == []


@pytest.mark.parametrize(
    ("origin", "path"), [(STRANGER, "/conversation/card"), (DESK, "/conversation"), (DESK, "/return-data"), (DESK, "/")]
)
async def test_nothing_else_can_be_framed(
    context: BrowserContext, robot: Robot, channel: str, origin: str, path: str
) -> None:
    failures: list[str | None] = []
    context.on("requestfailed", lambda request: failures.append(request.failure))
    page = await page_of(context, origin, f'<iframe src="{card(robot, channel, path)}"></iframe>')
    await wait_until(lambda: [frame.url for frame in page.frames[1:]] == [BLOCKED])
    assert failures == [BY_ITS_POLICY]


@pytest.mark.parametrize(("origin", "is_taken"), [(DESK, True), (STRANGER, False)])
async def test_a_token_is_taken_from_the_allowed_origins_alone(
    context: BrowserContext, robot: Robot, channel: str, origin: str, is_taken: bool
) -> None:
    opener = await page_of(context, origin, "<p>the page of a desk</p>")
    await context.add_init_script(
        "window.told = new Promise((resolve) => addEventListener('message', () => setTimeout(resolve)))"
    )
    async with context.expect_page() as waiting:
        await opener.evaluate("(url) => { window.opened = window.open(url); }", card(robot, channel))
    console = await waiting.value
    await expect(console.get_by_role("heading").first).to_be_visible()
    message = {"type": "user-tags-token", "token": robot.token("agent")}
    await opener.evaluate("([message, url]) => opened.postMessage(message, url)", [message, robot.web.url])
    await console.evaluate("told")
    tag, field = console.get_by_text("Opened", exact=True).first, console.get_by_role("textbox")
    await expect(tag if is_taken else field).to_be_visible()
    await expect(field if is_taken else tag).to_have_count(0)
