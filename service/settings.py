"""What the environment says, read once. Every variable is documented in the README's table."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

DURATION: Final = re.compile(r"(\d{1,12})\s*(ms|s|m|h|d)")
LONGEST: Final = timedelta(days=3660)
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
class QueryLimits:
    """The largest GraphQL operation that is answered; `cost` counts values, list sizes multiplied."""

    depth: int = 20
    fields: int = 400
    aliases: int = 30
    directives: int = 20
    tokens: int = 4_000
    cost: int = 50_000


@dataclass(frozen=True, slots=True)
class Settings:
    """Immutable settings of one process. Durations are timedeltas, secrets are kept out of `repr`."""

    database_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    jwt_secret: str | None = field(default=None, repr=False)
    jwt_public_key: str | None = None
    jwt_jwks_url: str | None = None
    jwt_algorithms: tuple[str, ...] = ()  # empty: HS256 with a secret; RS256, ES256, EdDSA with a public key
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    secrets_keys: tuple[str, ...] = field(default=(), repr=False)
    public_url: str = "http://127.0.0.1:8000"
    wechat_api_url: str = "https://api.weixin.qq.com"
    default_tags_every: timedelta = timedelta(minutes=30)
    combos_every: timedelta = timedelta(minutes=15)
    windows: Windows = Windows()
    query_limits: QueryLimits = QueryLimits()
    operations_per_second: int = 200
    subscriptions_per_holder: int = 1_000
    change_log_retention: timedelta = timedelta(days=7)
    forget_unfollowed_after: timedelta = timedelta(days=30)
    size_history_retention: timedelta = timedelta(days=365)
    export_kept_for: timedelta = timedelta(hours=24)
    return_sweep_every: timedelta = timedelta(seconds=10)
    undo_retention: timedelta = timedelta(days=30)
    feed_heal_every: timedelta = timedelta(seconds=3)
    reader_patience: timedelta = timedelta(seconds=20)
    push_signature_max_age: timedelta = timedelta(minutes=10)
    ad_feed_openid_names: tuple[str, ...] = ("wechat_openid",)
    ad_feed_ad_names: tuple[str, ...] = ("adgroup_id", "ad_id", "campaign_id")
    ad_feed_time_names: tuple[str, ...] = ("act_time",)
    database_pool_size: int = 10
    production: bool = False
    data_dir: str = ".data"
    clock_offset_file: str | None = None


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises SettingsError on a value that is malformed or, in production, unsafe."""
    read = _Reader(environment)
    default = Settings()
    settings = Settings(
        database_url=read.url("DATABASE_URL", "postgresql", "postgres", prefix=""),
        redis_url=read.url("REDIS_URL", "redis", "rediss", "unix", prefix=""),
        jwt_secret=read.text("JWT_SECRET"),
        jwt_public_key=read.text("JWT_PUBLIC_KEY"),
        jwt_jwks_url=read.url("JWT_JWKS_URL", "https", "http"),
        jwt_algorithms=read.names("JWT_ALGORITHMS"),
        jwt_issuer=read.text("JWT_ISSUER"),
        jwt_audience=read.text("JWT_AUDIENCE"),
        secrets_keys=read.names("SECRETS_KEY"),
        public_url=(read.url("PUBLIC_URL", "https", "http") or default.public_url).rstrip("/"),
        wechat_api_url=(read.url("WECHAT_API_URL", "https", "http") or default.wechat_api_url).rstrip("/"),
        default_tags_every=read.cadence("DEFAULT_TAGS_EVERY", default.default_tags_every),
        combos_every=read.cadence("COMBOS_EVERY", default.combos_every),
        windows=_windows(read),
        query_limits=_query_limits(read),
        operations_per_second=read.count("OPERATIONS_PER_SECOND", default.operations_per_second),
        subscriptions_per_holder=read.count("SUBSCRIPTIONS_PER_HOLDER", default.subscriptions_per_holder),
        change_log_retention=read.positive("CHANGE_LOG_RETENTION", default.change_log_retention),
        forget_unfollowed_after=read.duration("FORGET_UNFOLLOWED_AFTER", default.forget_unfollowed_after),
        size_history_retention=read.positive("SIZE_HISTORY_RETENTION", default.size_history_retention),
        export_kept_for=read.positive("EXPORT_KEPT_FOR", default.export_kept_for),
        return_sweep_every=read.cadence("RETURN_SWEEP_EVERY", default.return_sweep_every),
        undo_retention=read.positive("UNDO_RETENTION", default.undo_retention),
        feed_heal_every=read.positive("FEED_HEAL_EVERY", default.feed_heal_every),
        reader_patience=read.positive("READER_PATIENCE", default.reader_patience),
        push_signature_max_age=read.positive("PUSH_SIGNATURE_MAX_AGE", default.push_signature_max_age),
        ad_feed_openid_names=read.names("AD_FEED_OPENID_NAMES") or default.ad_feed_openid_names,
        ad_feed_ad_names=read.names("AD_FEED_AD_NAMES") or default.ad_feed_ad_names,
        ad_feed_time_names=read.names("AD_FEED_TIME_NAMES") or default.ad_feed_time_names,
        database_pool_size=read.count("DATABASE_POOL_SIZE", default.database_pool_size),
        production=read.environment_name() == "production",
        data_dir=read.text("DATA_DIR") or default.data_dir,
        clock_offset_file=read.text("CLOCK_OFFSET_FILE"),
    )
    _refuse_unsafe(settings)
    return settings


def _windows(read: "_Reader") -> Windows:
    default = Windows()
    return Windows(
        follow=read.duration("WINDOW_FOLLOW", default.follow),
        menu_click=read.duration("WINDOW_MENU_CLICK", default.menu_click),
        scan=read.duration("WINDOW_SCAN", default.scan),
        message=read.duration("WINDOW_MESSAGE", default.message),
        payment=read.duration("WINDOW_PAYMENT", default.payment),
        new_user=read.duration("WINDOW_NEW_USER", default.new_user),
    )


def _query_limits(read: "_Reader") -> QueryLimits:
    default = QueryLimits()
    return QueryLimits(
        depth=read.count("QUERY_DEPTH", default.depth),
        fields=read.count("QUERY_FIELDS", default.fields),
        aliases=read.count("QUERY_ALIASES", default.aliases),
        directives=read.count("QUERY_DIRECTIVES", default.directives),
        tokens=read.count("QUERY_TOKENS", default.tokens),
        cost=read.count("QUERY_COST", default.cost),
    )


class _Reader:
    """Typed access to the variables that carry our prefix."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def text(self, name: str, prefix: str = "USER_TAGS_") -> str | None:
        return self.environment.get(prefix + name, "").strip() or None

    def url(self, name: str, *schemes: str, prefix: str = "USER_TAGS_") -> str | None:
        """Read a URL of one of these schemes; the refusal does not repeat it: it may hold a password."""
        text = self.text(name, prefix)
        if text is not None and text.partition("://")[0].lower() not in schemes:
            raise SettingsError(f"{prefix}{name} must start with {schemes[0]}://.")
        return text

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
        """Read a number with a unit (ms, s, m, h, d), or a bare 0; at most ten years."""
        text = self.text(name)
        if text is None:
            return default
        found = DURATION.fullmatch("0s" if text == "0" else text)
        if found is None:
            raise SettingsError(f"USER_TAGS_{name} must look like 30m, 48h or 5s, not {text!r}.")
        seconds = int(found[1]) * UNITS[found[2]]
        if seconds > LONGEST.total_seconds():
            raise SettingsError(f"USER_TAGS_{name} must be at most {LONGEST.days}d, not {text!r}.")
        return timedelta(seconds=seconds)

    def positive(self, name: str, default: timedelta) -> timedelta:
        """Read a duration that would mean nothing, or a busy loop, if it were zero."""
        duration = self.duration(name, default)
        if duration <= timedelta(0):
            raise SettingsError(f"USER_TAGS_{name} must be longer than zero.")
        return duration

    def cadence(self, name: str, default: timedelta) -> timedelta:
        """Read a duration that fits the clock face: it divides a minute, an hour or a day."""
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
    if settings.undo_retention <= settings.change_log_retention:
        raise SettingsError("USER_TAGS_UNDO_RETENTION must be longer than USER_TAGS_CHANGE_LOG_RETENTION.")
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
        raise SettingsError(
            "In production USER_TAGS_JWT_SECRET and USER_TAGS_SECRETS_KEY must be random,"
            " for example `openssl rand -hex 32`."
        )
    if settings.clock_offset_file is not None:
        raise SettingsError("USER_TAGS_CLOCK_OFFSET_FILE moves the clock for tests; production refuses it.")


def _is_weak(secret: str) -> bool:
    return len(set(secret)) < WEAK_SECRET_CHARACTERS
