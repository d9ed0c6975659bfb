"""Let the service of a demo call the imitation, and no service in production."""

import socket
from pathlib import Path

import pytest

from service.dev.demo.environment import demo_environment
from service.foundation.settings import Settings, SettingsError


def test_the_service_calls_the_port_that_the_demo_will_listen_at(tmp_path: Path) -> None:
    added = demo_environment(Settings(data_dir=str(tmp_path)), {"USER_TAGS_DEMO_PORT": "0"})

    assert int(added["USER_TAGS_DEMO_PORT"]) > 0
    assert added["USER_TAGS_WECHAT_API_URL"] == f"http://127.0.0.1:{added['USER_TAGS_DEMO_PORT']}"
    assert added["USER_TAGS_DEMO_URL"] == added["USER_TAGS_WECHAT_API_URL"]
    assert added["USER_TAGS_DEMO_FILE"] == str(tmp_path / "demo.json")


def test_another_port_stands_in_for_one_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        added = demo_environment(Settings(), {"USER_TAGS_DEMO_PORT": taken})

    assert added["USER_TAGS_DEMO_PORT"] != taken
    assert added["USER_TAGS_WECHAT_API_URL"].endswith(f":{added['USER_TAGS_DEMO_PORT']}")


def test_what_somebody_chose_stays() -> None:
    chosen = {
        "USER_TAGS_WECHAT_API_URL": "https://api.weixin.qq.com",
        "USER_TAGS_DEMO_URL": "http://127.0.0.1:9000",
        "USER_TAGS_DEMO_FILE": "mine.json",
        "USER_TAGS_COMBOS_EVERY": "15m",
        "USER_TAGS_KEEP_IN_SYNC_EVERY": "5m",
        "USER_TAGS_WEBHOOKS_ALLOW_PRIVATE": "off",
    }

    assert demo_environment(Settings(), chosen).keys() == {"USER_TAGS_DEMO_PORT"}


def test_nothing_stands_in_for_wechat_in_production() -> None:
    with pytest.raises(SettingsError, match="production refuses"):
        demo_environment(Settings(production=True), {})


def test_a_malformed_setting_of_the_demo_is_named() -> None:
    with pytest.raises(SettingsError, match="USER_TAGS_DEMO_PORT"):
        demo_environment(Settings(), {"USER_TAGS_DEMO_PORT": "many"})
