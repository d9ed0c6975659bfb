"""Provide a tenant of its own for a test."""

import pytest

from tests.api.guards.tenants import Tenant, make_tenant
from tests.support.robot import Robot


@pytest.fixture
async def own(robot: Robot) -> Tenant:
    return await make_tenant(robot)
