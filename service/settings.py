"""What the environment says, read once. Every variable is documented in the README's table."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

DURATION = re.compile(r"^(\d+)\s*(ms|s|m|h|d)$")
UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SHORTEST_SECRET: Final = 32
WEAK_SECRET_CHARACTERS: Final = 8


class SettingsError(Exception):
    """The environment is incomplete or wrong; the message names the variable and what would be right."""


@dataclass(frozen=True, slots=True)
class Windows:
    """How long each kind of event keeps a user touchable, and how long a follower is new (seed page §2)."""

    follow: timedelta = timedelta(hours=1)
    menu_click: timedelta = timedelta(hours=1)
    scan: timedelta = timedelta(hours=1)
    message: timedelta = timedelta(hours=48)
    payment: timedelta = timedelta(hours=48)
    new_user: timedelta = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Settings:
    """Immutable settings of one process. Durations are timedeltas, secrets are kept out of `repr`."""

    database_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    jwt_secret: str | None = field(default=None, repr=False)
    jwt_public_key: str | None = None
    jwt_jwks_url: str | None = None
    jwt_algorithms: tuple[str, ...] = ("HS256",)
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    secrets_keys: tuple[str, ...] = field(default=(), repr=False)
    public_url: str = "http://127.0.0.1:8000"
    wechat_api_url: str = "https://api.weixin.qq.com"
    default_tags_every: timedelta = timedelta(minutes=30)
    combos_every: timedelta = timedelta(minutes=15)
    windows: Windows = Windows()
    change_log_retention: timedelta = timedelta(days=7)
    feed_heal_every: timedelta = timedelta(seconds=3)
    push_signature_max_age: timedelta = timedelta(minutes=10)
    database_pool_size: int = 10
    production: bool = False
    data_dir: str = ".data"
    clock_offset_file: str | None = None


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from `environment`; raises SettingsError on a value that is malformed or, in production, unsafe."""
    read = _Reader(environment)
    settings = Settings(
        database_url=environment.get("DATABASE_URL") or None,
        redis_url=environment.get("REDIS_URL") or None,
        jwt_secret=read.text("JWT_SECRET"),
        jwt_public_key=read.text("JWT_PUBLIC_KEY"),
        jwt_jwks_url=read.text("JWT_JWKS_URL"),
        jwt_algorithms=read.names("JWT_ALGORITHMS") or Settings.jwt_algorithms,
        jwt_issuer=read.text("JWT_ISSUER"),
        jwt_audience=read.text("JWT_AUDIENCE"),
        secrets_keys=read.names("SECRETS_KEY"),
        public_url=(read.text("PUBLIC_URL") or Settings.public_url).rstrip("/"),
        wechat_api_url=(read.text("WECHAT_API_URL") or Settings.wechat_api_url).rstrip("/"),
        default_tags_every=read.cadence("DEFAULT_TAGS_EVERY", Settings.default_tags_every),
        combos_every=read.cadence("COMBOS_EVERY", Settings.combos_every),
        windows=Windows(
            **{
                name: read.duration(f"WINDOW_{name.upper()}", getattr(Windows(), name))
                for name in ("follow", "menu_click", "scan", "message", "payment", "new_user")
            }
        ),
        change_log_retention=read.duration("CHANGE_LOG_RETENTION", Settings.change_log_retention),
        feed_heal_every=read.duration("FEED_HEAL_EVERY", Settings.feed_heal_every),
        push_signature_max_age=read.duration("PUSH_SIGNATURE_MAX_AGE", Settings.push_signature_max_age),
        database_pool_size=read.count("DATABASE_POOL_SIZE", Settings.database_pool_size),
        production=read.environment_name() == "production",
        data_dir=read.text("DATA_DIR") or Settings.data_dir,
        clock_offset_file=read.text("CLOCK_OFFSET_FILE"),
    )
    _refuse_unsafe(settings)
    return settings


class _Reader:
    """Typed access to the variables that carry our prefix."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def text(self, name: str) -> str | None:
        return self.environment.get(f"USER_TAGS_{name}", "").strip() or None

    def names(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in (self.text(name) or "").split(",") if part.strip())

    def count(self, name: str, default: int) -> int:
        text = self.text(name)
        if text is None:
            return default
        if not text.isdecimal() or int(text) == 0:
            raise SettingsError(f"USER_TAGS_{name} must be a whole number of at least 1, not {text!r}.")
        return int(text)

    def duration(self, name: str, default: timedelta) -> timedelta:
        text = self.text(name)
        if text is None:
            return default
        found = DURATION.match(text)
        if found is None:
            raise SettingsError(f"USER_TAGS_{name} must look like 30m, 48h or 5s, not {text!r}.")
        return timedelta(seconds=int(found[1]) * UNITS[found[2]])

    def cadence(self, name: str, default: timedelta) -> timedelta:
        """A duration that fits the clock face: it divides a minute, an hour or a day."""
        every = self.duration(name, default)
        seconds = every.total_seconds()
        fits = seconds >= 1 and any(
            seconds <= whole and whole % seconds == 0 and seconds % unit == 0
            for whole, unit in ((60, 1), (3600, 60), (86400, 3600))
        )
        if not fits:
            raise SettingsError(
                f"USER_TAGS_{name} must divide a minute, an hour or a day evenly (5s, 15m, 6h), not {every}."
            )
        return every

    def environment_name(self) -> str:
        name = (self.text("ENV") or "development").lower()
        if name not in {"development", "production"}:
            raise SettingsError(f"USER_TAGS_ENV must be development or production, not {name!r}.")
        return name


def _refuse_unsafe(settings: Settings) -> None:
    if settings.jwt_secret is not None and len(settings.jwt_secret.encode()) < SHORTEST_SECRET:
        raise SettingsError(f"USER_TAGS_JWT_SECRET must have at least {SHORTEST_SECRET} bytes.")
    if any(len(key.encode()) < SHORTEST_SECRET for key in settings.secrets_keys):
        raise SettingsError(f"USER_TAGS_SECRETS_KEY must have at least {SHORTEST_SECRET} bytes.")
    if not settings.production:
        return
    missing = [
        name
        for name, value in (
            ("DATABASE_URL", settings.database_url),
            ("REDIS_URL", settings.redis_url),
            ("USER_TAGS_SECRETS_KEY", settings.secrets_keys),
            (
                "USER_TAGS_JWT_SECRET, USER_TAGS_JWT_PUBLIC_KEY or USER_TAGS_JWT_JWKS_URL",
                settings.jwt_secret or settings.jwt_public_key or settings.jwt_jwks_url,
            ),
        )
        if not value
    ]
    if missing:
        raise SettingsError(f"In production these must be set: {', '.join(missing)}.")
    weak = [secret for secret in (settings.jwt_secret, *settings.secrets_keys) if secret and _is_weak(secret)]
    if weak:
        raise SettingsError("In production JWT_SECRET and SECRETS_KEY must be random, for example `openssl rand -hex 32`.")
    if settings.clock_offset_file is not None:
        raise SettingsError("USER_TAGS_CLOCK_OFFSET_FILE moves the clock for tests; production refuses it.")


def _is_weak(secret: str) -> bool:
    return len(set(secret)) < WEAK_SECRET_CHARACTERS
