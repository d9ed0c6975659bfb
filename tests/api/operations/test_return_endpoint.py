"""Show the return address to everybody, and its key only to its creator and the admin.

The rule: docs/specification.md §3 and §4.2.
"""

import base64

import asyncpg
import pytest

from service.entities.principal import Role
from tests.support.robot import Robot

ENDPOINT = "{ returnEndpoint { id address appId token key obtainedAt keyResetAt } }"
OBTAIN = "mutation { obtainReturnEndpoint { returnEndpoint { id address appId token key } } }"
RESET = "mutation { resetReturnKey { returnEndpoint { id address appId token key keyResetAt } } }"


async def test_there_is_none_until_an_admin_obtains_it(robot: Robot) -> None:
    await robot.bind()
    assert (await robot.ask(ENDPOINT))["returnEndpoint"] is None
    assert (await robot.ask(RESET)).code == "NOT_FOUND"

    first = (await robot.ask(OBTAIN))["obtainReturnEndpoint"]["returnEndpoint"]
    again = (await robot.ask(OBTAIN))["obtainReturnEndpoint"]["returnEndpoint"]

    assert first == again
    assert first["address"] == f"{robot.web.url}/openapi/label/batchset/{first['token']}"
    assert len(first["key"]) == 43
    assert len(base64.b64decode(first["key"] + "=")) == 32


async def test_a_reset_changes_the_key_and_nothing_else(robot: Robot) -> None:
    first = (await robot.ask(OBTAIN))["obtainReturnEndpoint"]["returnEndpoint"]
    reset = (await robot.ask(RESET))["resetReturnKey"]["returnEndpoint"]

    assert reset["key"] != first["key"]
    assert reset["keyResetAt"] is not None
    assert {**reset, "key": ""} == {**first, "key": "", "keyResetAt": reset["keyResetAt"]}


@pytest.mark.parametrize("role", Role)
async def test_the_key_is_shown_to_creators_and_admins_only(robot: Robot, role: Role) -> None:
    obtained = (await robot.ask(OBTAIN))["obtainReturnEndpoint"]["returnEndpoint"]
    seen = (await robot.ask(ENDPOINT, role))["returnEndpoint"]
    node = "query($id: ID!) { node(id: $id) { ... on ReturnEndpoint { address key } } }"
    by_id = (await robot.ask(node, role, id=obtained["id"]))["node"]

    assert seen["address"] == by_id["address"] == obtained["address"]
    assert seen["key"] == by_id["key"] == (obtained["key"] if role in {Role.CREATOR, Role.ADMIN} else None)


async def test_the_endpoint_of_another_robot_is_not_found(robot: Robot) -> None:
    obtained = (await robot.ask(OBTAIN))["obtainReturnEndpoint"]["returnEndpoint"]
    other = Robot(robot.web, f"{robot.name}b")
    await other.ask(OBTAIN)

    assert (await other.ask("query($id: ID!) { node(id: $id) { id } }", id=obtained["id"])).code == "NOT_FOUND"


async def test_key_and_token_are_encrypted_in_the_database(robot: Robot) -> None:
    obtained = (await robot.ask(OBTAIN))["obtainReturnEndpoint"]["returnEndpoint"]
    connection = await asyncpg.connect(robot.web.settings.database_url)
    try:
        stored = await connection.fetchval(
            "select encode(key, 'escape') || encode(token, 'escape') || e::text from return_endpoint e "
            "where robot_id = $1",
            robot.name,
        )
    finally:
        await connection.close()
    assert obtained["appId"] in stored
    assert obtained["key"] not in stored
    assert obtained["token"] not in stored
