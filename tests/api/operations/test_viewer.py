"""Say who asks, and refuse those without a good token."""

from datetime import UTC, datetime, timedelta

import pytest

from service.entities.principal import Permission, Role, permissions_of
from tests.support.robot import Robot

VIEWER = "{ viewer { id subject role robotId ready permissions tokenExpiresAt } }"


@pytest.mark.parametrize("role", Role)
async def test_the_viewer_is_what_the_token_says(robot: Robot, role: Role) -> None:
    await robot.bind()
    token = robot.web.token(role, robot=robot.name, ttl=timedelta(minutes=5), subject="li lei")
    viewer = (await robot.web.run(VIEWER, token=token))["viewer"]

    expires_at = datetime.fromisoformat(viewer.pop("tokenExpiresAt"))
    assert timedelta(minutes=4) < expires_at - datetime.now(UTC) <= timedelta(minutes=5)
    assert viewer.pop("id")
    assert viewer == {
        "subject": "li lei",
        "role": role.name,
        "robotId": robot.name,
        "ready": True,
        "permissions": [each.name for each in Permission if each in permissions_of(role)],
    }


async def test_a_robot_without_channels_is_not_ready(robot: Robot) -> None:
    assert (await robot.ask("{ viewer { ready } channels { id } }")).data == {
        "viewer": {"ready": False},
        "channels": [],
    }


async def test_viewers_of_different_robots_and_subjects_have_different_ids(robot: Robot) -> None:
    tokens = [robot.web.token("agent", robot=name, subject=subject) for name in ("ra", "rb") for subject in ("x", "y")]
    ids = {(await robot.web.run("{ viewer { id } }", token=token))["viewer"]["id"] for token in tokens}

    assert len(ids) == 4


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "A valid token is needed."),
        ("Basic dTpw", "A valid token is needed."),
        ("Bearer garbage", "The token is malformed."),
        ("Bearer", "A valid token is needed."),
        ("expired", "The token has expired."),
        ("forged", "The token's signature does not hold."),
    ],
)
async def test_without_a_good_token_everything_is_unauthenticated(
    robot: Robot, header: str | None, message: str
) -> None:
    if header == "expired":
        header = f"Bearer {robot.web.token('admin', ttl=timedelta(seconds=-1))}"
    if header == "forged":
        signed, _, _ = robot.token().rpartition(".")
        header = f"Bearer {signed}.{'A' * 43}"
    headers = {} if header is None else {"Authorization": header}
    response = await robot.web.http.post("/graphql", json={"query": "{ viewer { id } }"}, headers=headers)

    [error] = response.json()["errors"]
    assert (error["extensions"], error["message"]) == ({"code": "UNAUTHENTICATED"}, message)
    assert (response.status_code, "data" in response.json()) == (401, False)
