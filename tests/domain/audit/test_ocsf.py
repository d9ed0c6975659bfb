"""Hold each line of an OCSF export to the published definition of its class."""

import json
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from graphql import build_schema
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from service.domain.audit.exporting import audit_lines
from service.domain.audit.ocsf import CATEGORY_UID, CLASS_UID, OCSF_VERSION, Activity
from service.domain.audit.sealing import seal_audit_logs
from service.domain.runtime import Runtime
from service.entities.audit import AuditOutcome
from service.entities.audit_chain import AuditFilter, AuditFormat
from service.entities.channels import Channel
from service.entities.ids import tag_gid, user_gid
from service.entities.principal import RequestOrigin
from tests.packaging.dockerfile import REPOSITORY
from tests.support.audit import write_entries
from tests.support.clock import FrozenClock


@pytest.fixture(autouse=True)
async def empty_log(runtime: Runtime, channel: Channel) -> None:
    """Begin without what binding the channel wrote."""
    await runtime.pool.execute("delete from audit_entry where robot_id = $1", channel.robot_id)


@cache
def published() -> Any:
    """Return what the framework publishes of its release."""
    return get_ocsf_schema(version=OCSF_VERSION)


@cache
def validator() -> Draft202012Validator:
    """Return a validator of the class, made of its published definition."""
    return Draft202012Validator(OcsfJsonSchemaEmbedded(published()).get_class_schema("entity_management"))


def mutations() -> list[str]:
    """Return the names of all mutations."""
    mutation = build_schema((REPOSITORY / "schema.graphql").read_text(encoding="utf-8")).mutation_type
    assert mutation is not None
    return list(mutation.fields)


async def events(runtime: Runtime, clock: FrozenClock) -> list[dict[str, Any]]:
    """Seal what was written, and export it."""
    clock.advance(timedelta(minutes=5))
    await seal_audit_logs(runtime)
    lines = audit_lines(runtime, "robot-1", AuditFilter(), AuditFormat.OCSF)
    return [json.loads(line) for line in b"".join([each async for each in lines]).splitlines()]


def check(event: dict[str, Any]) -> None:
    problems = [f"{error.json_path}: {error.message[:200]}" for error in validator().iter_errors(event)]
    assert not problems, event
    assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]


@pytest.mark.parametrize("outcome", AuditOutcome)
@pytest.mark.parametrize("role", ["creator", "admin", "agent", "integrator"])
async def test_a_line_of_any_outcome_and_role_is_valid(
    runtime: Runtime, channel: Channel, clock: FrozenClock, outcome: AuditOutcome, role: str
) -> None:
    failed: dict[str, Any] = (
        {} if outcome is AuditOutcome.DONE else {"error_code": "FORBIDDEN", "detail": "Your role…", "count": 3}
    )
    await write_entries(runtime, channel, role=role, outcome=outcome, **failed)
    event = (await events(runtime, clock))[-1]
    check(event)
    assert (event["status"], event["unmapped"]["outcome"]) == (
        "Success" if outcome is AuditOutcome.DONE else "Failure",
        outcome,
    )


async def test_a_line_of_each_mutation_is_valid(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    for action in mutations():
        await write_entries(runtime, channel, action=action)
    found = await events(runtime, clock)
    for event in found:
        check(event)
    names = {event["metadata"]["event_code"]: event["activity_name"] for event in found}
    assert names.keys() == set(mutations())
    shown = {name: names[name] for name in ("createAdTag", "deleteTag", "renameTag", "setBroadcastPolicy", "applySync")}
    assert shown == {
        "createAdTag": "Create",
        "deleteTag": "Delete",
        "renameTag": "Move",
        "setBroadcastPolicy": "Update",
        "applySync": "applySync",
    }


@pytest.mark.parametrize(
    "given",
    [
        {"target_id": None},
        {"target_id": tag_gid(7, 9)},
        {"target_id": user_gid(7, 9)},
        {"target_id": "no id"},
        {"origin": RequestOrigin("")},
        {"origin": RequestOrigin("r", "2001:db8::1")},
        {"before": None, "after": None},
        {"after": '{"list": [null, {"x": null}], "metadata": null}'},
        {"subject": "\U0001f600 \\ \" '"},
    ],
    ids=str,
)
async def test_a_line_of_an_odd_entry_is_valid(
    runtime: Runtime, channel: Channel, clock: FrozenClock, given: dict[str, Any]
) -> None:
    await write_entries(runtime, channel, **given)
    check((await events(runtime, clock))[-1])


async def test_what_changed_is_there_as_it_is(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    await write_entries(runtime, channel, before='{"a": null}', after='{"a": {"b": null}}', target_id=tag_gid(7, 9))
    event = (await events(runtime, clock))[-1]
    assert (event["entity"]["data"], event["entity_result"]["data"]) == ({"a": None}, {"a": {"b": None}})
    assert (event["entity"]["uid"], event["entity"]["type"]) == (tag_gid(7, 9), "Tag")


def test_numbers_and_names_are_those_that_are_published() -> None:
    published_class = published()["classes"]["entity_management"]
    assert (published_class["uid"], published_class["category_uid"]) == (CLASS_UID, CATEGORY_UID)
    captions = {int(uid): each["caption"] for uid, each in published_class["attributes"]["activity_id"]["enum"].items()}
    assert {each.value: each.name.capitalize() for each in Activity}.items() <= captions.items()
