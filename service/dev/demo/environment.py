"""Say by which variables the demo, which imitates WeChat, and the service, which calls it, find each other."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from service.foundation.settings import Settings, SettingsError, read_demo_settings

LOCALHOST: Final = "127.0.0.1"


def demo_environment(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what is to be added to the environment of the service and of the demo.

    The port of the demo is chosen here, since the service must know it before the demo runs: another one if it is
    taken. What else somebody has set stays. Raises SettingsError in production, and if a setting of the demo is
    malformed.
    """
    refuse_production(settings)
    port = _available_port(read_demo_settings(environment).port)
    defaults = {
        "USER_TAGS_WECHAT_API_URL": f"http://{LOCALHOST}:{port}",
        "USER_TAGS_DEMO_URL": f"http://{LOCALHOST}:{port}",
        "USER_TAGS_DEMO_FILE": str(Path(settings.data_dir).resolve() / "demo.json"),
        # Whoever watches it is not to wait for a quarter of an hour.
        "USER_TAGS_COMBOS_EVERY": "1m",
        "USER_TAGS_KEEP_IN_SYNC_EVERY": "30s",
        # Who tries webhooks receives them on this machine.
        "USER_TAGS_WEBHOOKS_ALLOW_PRIVATE": "on",
    }
    chosen = {name for name in defaults if environment.get(name, "").strip()}
    return {"USER_TAGS_DEMO_PORT": str(port), **{name: defaults[name] for name in defaults.keys() - chosen}}


def refuse_production(settings: Settings) -> None:
    """Raise SettingsError in production, where nothing may stand in for WeChat."""
    if settings.production:
        raise SettingsError("The demo imitates WeChat, and production refuses it (USER_TAGS_ENV).")


def _available_port(wanted: int) -> int:
    """Return this port, or any free one if it is taken or 0."""
    for port in (wanted, 0):
        try:
            with socket.create_server((LOCALHOST, port)) as probe:
                found: int = probe.getsockname()[1]
                return found
        except OSError:
            continue
    raise SettingsError("No port is left for the demo to listen at.")
