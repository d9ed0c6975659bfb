"""What the environment says, read once. Every variable is documented in the README's table."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from service.environment import EnvironmentReader, SettingsError

SHORTEST_SECRET: Final = 32
WEAK_SECRET_CHARACTERS: Final = 8

__all__ = ["ClientLimits", "QueryLimits", "Settings", "SettingsError", "TrustMode", "Windows", "read_settings"]


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
    directives_at_once: int = 4
    tokens: int = 4_000
    cost: int = 50_000


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """How much a client may send and open, and how long the service waits for it. Sizes are in bytes."""

    head_bytes: int = 65_536
    head_within: timedelta = timedelta(seconds=10)
    body_bytes: int = 4_194_304
    body_within: timedelta = timedelta(seconds=30)
    message_bytes: int = 1_048_576
    init_within: timedelta = timedelta(seconds=10)
    ping_every: timedelta = timedelta(seconds=20)
    pong_within: timedelta = timedelta(seconds=20)
    stream_ping_every: timedelta = timedelta(seconds=15)
    reader_patience: timedelta = timedelta(seconds=20)
    operations_per_socket: int = 100
    subscriptions_per_holder: int = 1_000
    operations_per_second: int = 200
    operations_burst: timedelta = timedelta(seconds=5)
    documents_remembered: int = 1_000


TrustMode: TypeAlias = Literal["off", "allowed", "only"]
TRUST_MODES: Final[tuple[TrustMode, ...]] = ("off", "allowed", "only")


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
    client_limits: ClientLimits = ClientLimits()
    trusted_documents: tuple[str, ...] = ()
    trusted_documents_mode: TrustMode = "off"
    change_log_retention: timedelta = timedelta(days=7)
    forget_unfollowed_after: timedelta = timedelta(days=30)
    size_history_retention: timedelta = timedelta(days=365)
    export_kept_for: timedelta = timedelta(hours=24)
    return_sweep_every: timedelta = timedelta(seconds=10)
    undo_retention: timedelta = timedelta(days=30)
    feed_heal_every: timedelta = timedelta(seconds=3)
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
    read = EnvironmentReader(environment)
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
        client_limits=_client_limits(read),
        trusted_documents=read.names("TRUSTED_DOCUMENTS"),
        trusted_documents_mode=read.choice("TRUSTED_DOCUMENTS_MODE", TRUST_MODES, default.trusted_documents_mode),
        change_log_retention=read.positive("CHANGE_LOG_RETENTION", default.change_log_retention),
        forget_unfollowed_after=read.duration("FORGET_UNFOLLOWED_AFTER", default.forget_unfollowed_after),
        size_history_retention=read.positive("SIZE_HISTORY_RETENTION", default.size_history_retention),
        export_kept_for=read.positive("EXPORT_KEPT_FOR", default.export_kept_for),
        return_sweep_every=read.cadence("RETURN_SWEEP_EVERY", default.return_sweep_every),
        undo_retention=read.positive("UNDO_RETENTION", default.undo_retention),
        feed_heal_every=read.positive("FEED_HEAL_EVERY", default.feed_heal_every),
        push_signature_max_age=read.positive("PUSH_SIGNATURE_MAX_AGE", default.push_signature_max_age),
        ad_feed_openid_names=read.names("AD_FEED_OPENID_NAMES") or default.ad_feed_openid_names,
        ad_feed_ad_names=read.names("AD_FEED_AD_NAMES") or default.ad_feed_ad_names,
        ad_feed_time_names=read.names("AD_FEED_TIME_NAMES") or default.ad_feed_time_names,
        database_pool_size=read.count("DATABASE_POOL_SIZE", default.database_pool_size),
        production=read.choice("ENV", ("development", "production"), "development") == "production",
        data_dir=read.text("DATA_DIR") or default.data_dir,
        clock_offset_file=read.text("CLOCK_OFFSET_FILE"),
    )
    _refuse_unsafe(settings)
    return settings


def _windows(read: EnvironmentReader) -> Windows:
    default = Windows()
    return Windows(
        follow=read.duration("WINDOW_FOLLOW", default.follow),
        menu_click=read.duration("WINDOW_MENU_CLICK", default.menu_click),
        scan=read.duration("WINDOW_SCAN", default.scan),
        message=read.duration("WINDOW_MESSAGE", default.message),
        payment=read.duration("WINDOW_PAYMENT", default.payment),
        new_user=read.duration("WINDOW_NEW_USER", default.new_user),
    )


def _query_limits(read: EnvironmentReader) -> QueryLimits:
    default = QueryLimits()
    return QueryLimits(
        depth=read.count("QUERY_DEPTH", default.depth),
        fields=read.count("QUERY_FIELDS", default.fields),
        aliases=read.count("QUERY_ALIASES", default.aliases),
        directives=read.count("QUERY_DIRECTIVES", default.directives),
        directives_at_once=read.count("QUERY_DIRECTIVES_AT_ONCE", default.directives_at_once),
        tokens=read.count("QUERY_TOKENS", default.tokens),
        cost=read.count("QUERY_COST", default.cost),
    )


def _client_limits(read: EnvironmentReader) -> ClientLimits:
    default = ClientLimits()
    return ClientLimits(
        head_bytes=read.count("HEAD_BYTES", default.head_bytes),
        head_within=read.positive("HEAD_WITHIN", default.head_within),
        body_bytes=read.count("BODY_BYTES", default.body_bytes),
        body_within=read.positive("BODY_WITHIN", default.body_within),
        message_bytes=read.count("MESSAGE_BYTES", default.message_bytes),
        init_within=read.positive("INIT_WITHIN", default.init_within),
        ping_every=read.positive("PING_EVERY", default.ping_every),
        pong_within=read.positive("PONG_WITHIN", default.pong_within),
        stream_ping_every=read.positive("STREAM_PING_EVERY", default.stream_ping_every),
        reader_patience=read.positive("READER_PATIENCE", default.reader_patience),
        operations_per_socket=read.count("OPERATIONS_PER_SOCKET", default.operations_per_socket),
        subscriptions_per_holder=read.count("SUBSCRIPTIONS_PER_HOLDER", default.subscriptions_per_holder),
        operations_per_second=read.count("OPERATIONS_PER_SECOND", default.operations_per_second),
        operations_burst=read.duration("OPERATIONS_BURST", default.operations_burst),
        documents_remembered=read.count("DOCUMENTS_REMEMBERED", default.documents_remembered),
    )


def _refuse_unsafe(settings: Settings) -> None:
    if settings.jwt_secret is not None and len(settings.jwt_secret.encode()) < SHORTEST_SECRET:
        raise SettingsError(f"USER_TAGS_JWT_SECRET must have at least {SHORTEST_SECRET} bytes.")
    if any(len(key.encode()) < SHORTEST_SECRET for key in settings.secrets_keys):
        raise SettingsError(f"USER_TAGS_SECRETS_KEY must have at least {SHORTEST_SECRET} bytes.")
    if settings.undo_retention <= settings.change_log_retention:
        raise SettingsError("USER_TAGS_UNDO_RETENTION must be longer than USER_TAGS_CHANGE_LOG_RETENTION.")
    if settings.client_limits.operations_burst < timedelta(seconds=1):
        raise SettingsError("USER_TAGS_OPERATIONS_BURST must be at least 1s.")
    if settings.trusted_documents_mode != "off" and not settings.trusted_documents:
        raise SettingsError("USER_TAGS_TRUSTED_DOCUMENTS_MODE needs USER_TAGS_TRUSTED_DOCUMENTS, the files to trust.")
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
