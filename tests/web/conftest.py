"""Offer a web process for the whole folder, and a robot of its own to each test."""

from collections.abc import AsyncIterator

import pytest

from service.dev.stack.servers import EmbeddedServers
from tests.support.robot import Robot
from tests.support.web import WebClient, robot_numbers, shared_web
from tests.web.endpoints.push_account import PushingAccount, bind_account


@pytest.fixture(scope="package")
async def web(servers: EmbeddedServers, migrated_template: str) -> AsyncIterator[WebClient]:
    async with shared_web(servers, migrated_template) as running:
        yield running


@pytest.fixture
def robot(web: WebClient) -> Robot:
    return Robot(web, f"r{next(robot_numbers)}")


@pytest.fixture
async def account(robot: Robot) -> PushingAccount:
    """Bind an account that takes encrypted pushes."""
    return await bind_account(robot)


@pytest.fixture
async def plain_account(robot: Robot) -> PushingAccount:
    """Bind an account with a callback token but no key."""
    return await bind_account(robot, encrypted=False)
