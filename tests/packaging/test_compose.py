"""Check compose.yaml: real servers, one migration before everything else, no secret that could be forgotten."""

import re
from typing import Any, Final

import pytest
import yaml

from service.cli.commands import build_parser
from service.foundation.settings import read_settings
from tests.packaging.dockerfile import REPOSITORY
from tests.packaging.documents import SETTINGS, quoted

TEXT: Final = (REPOSITORY / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: Final = yaml.safe_load(TEXT)
SERVICES: Final[dict[str, Any]] = COMPOSE["services"]
OURS: Final = ("migrate", "web", "worker")
VARIABLE: Final = re.compile(r"(?<!\$)\$\{(\w+)(?::\?([^}]+))?\}")
SECRET: Final = "4f1d8a06c2b97e354f1d8a06c2b97e35"
FILLED: Final = {"USER_TAGS_PUBLIC_URL": "https://tags.example.com"}


def filled(text: str) -> str:
    """Fill in what .env would hold."""
    return VARIABLE.sub(lambda found: FILLED.get(found[1], SECRET), text)


def test_the_servers_are_the_real_ones() -> None:
    assert set(SERVICES) == {"postgres", "valkey", *OURS}
    assert SERVICES["postgres"]["image"] == "postgres:18"
    assert re.fullmatch(r"valkey/valkey:\d+", SERVICES["valkey"]["image"])
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
    assert SERVICES["web"]["ports"] == ["8000:8000"]
    assert "healthcheck" not in SERVICES["web"]
    for name in ("migrate", "worker"):
        assert SERVICES[name]["healthcheck"] == {"disable": True}


@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_the_servers_can_be_waited_for_and_not_reached_from_outside(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert "ports" not in SERVICES[name]
