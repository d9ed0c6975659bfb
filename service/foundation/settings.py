"""Declare every setting once: its variable, type, default and accepted values.

The variable is the prefix of the group and the name of the field in capitals, unless `Variable` names another.
Source: docs/settings.md, which a test compares with this module.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, ClassVar

from service.foundation.environment import SettingsError, Variable, read_variables, variables_of
from service.foundation.secret_strength import is_weak, password_of
from service.foundation.variable_types import (
    ANY_ORIGIN,
    Allowance,
    AtLeastASecond,
    BaseUrl,
    Cadence,
    Count,
    DatabaseUrl,
    Duration,
    NamedOrigins,
    Names,
    Networks,
    Origins,
    Port,
    Positive,
    Production,
    Rate,
    RedisUrl,
    Secret,
    Secrets,
    Switch,
    Trust,
    TrustMode,
    WebUrl,
)

__all__ = [
    "ANY_ORIGIN",
    "ClientLimits",
    "DemoSettings",
    "QueryLimits",
    "Settings",
    "SettingsError",
    "SyncLimits",
    "TrustMode",
    "WebhookCalls",
    "WechatCalls",
    "Windows",
    "read_demo_settings",
    "read_settings",
]


@dataclass(frozen=True, slots=True)
class Windows:
    """Hold how long each kind of event keeps a user touchable, and how long a follower is new."""

    prefix: ClassVar[str] = "USER_TAGS_WINDOW_"

    follow: Duration = timedelta(hours=1)
    menu_click: Duration = timedelta(hours=1)
    scan: Duration = timedelta(hours=1)
    message: Duration = timedelta(hours=48)
    payment: Duration = timedelta(hours=48)
    new_user: Duration = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """Hold the largest GraphQL operation that is answered; `cost` counts values, list sizes multiplied."""

    prefix: ClassVar[str] = "USER_TAGS_QUERY_"

    depth: Count = 20
    fields: Count = 400
    aliases: Count = 30
    directives: Count = 20
    directives_at_once: Count = 4
    characters: Count = 65_536
    tokens: Count = 4_000
    cost: Count = 50_000
    values: Count = 100_000
    within: Positive = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Hold how much a client may send and open, and how long the service waits for it. Sizes are in bytes."""

    head_bytes: Count = 65_536
    head_within: Positive = timedelta(seconds=10)
    body_bytes: Count = 4_194_304
    body_within: Positive = timedelta(seconds=30)
    body_values: Count = 200_000
    message_bytes: Count = 1_048_576
    init_bytes: Count = 16_384
    init_within: Positive = timedelta(seconds=10)
    ping_every: Positive = timedelta(seconds=20)
    pong_within: Positive = timedelta(seconds=20)
    stream_ping_every: Positive = timedelta(seconds=15)
    reader_patience: Positive = timedelta(seconds=20)
    operations_per_socket: Count = 100
    sockets_per_principal: Count = 1_000
    subscriptions_per_principal: Count = 1_000
    operations_per_second: Count = 200
    operations_burst: AtLeastASecond = timedelta(seconds=5)
    values_per_operation: Count = 1_000
    cpu_share: Rate = 0.1
    cpu_burst: Positive = timedelta(seconds=1)
    refusals_per_second: Count = 50
    refusals_burst: AtLeastASecond = timedelta(seconds=10)
    document_cache_bytes: Count = 134_217_728
    import_bytes: Count = 1_073_741_824
    import_within: Positive = timedelta(hours=1)
    channels_per_robot: Count = 100


@dataclass(frozen=True, slots=True)
class WechatCalls:
    """Hold how calls to WeChat's server API are made: their limits of time and size, repeats and pauses.

    `attempts` counts the first one. `retry_after` doubles with each repeat. `utc_offset` is that of WeChat's days.
    """

    prefix: ClassVar[str] = "USER_TAGS_WECHAT_"

    call_within: Positive = timedelta(seconds=20)
    connect_within: Positive = timedelta(seconds=5)
    answer_bytes: Count = 4_194_304
    attempts: Count = 4
    retry_after: Positive = timedelta(milliseconds=500)
    stop_for: Positive = timedelta(minutes=10)
    utc_offset: Duration = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class SyncLimits:
    """Hold what a sync to the Official Account may do without being told, and how long its plan holds.

    A sync that takes a tag from more people than `max_removals`, or of a tag with more than `small_tag` from more than
    `max_removal_share`, has to be allowed. One that keeps tags in sync uses at most `automatic_share` of a day's quota.
    """

    prefix: ClassVar[str] = "USER_TAGS_SYNC_"

    max_removals: Count = 1_000
    max_removal_share: Rate = 0.2
    small_tag: Count = 50
    plan_valid_for: Positive = timedelta(hours=1)
    automatic_share: Rate = 0.5
    new_tag_patience: Positive = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class WebhookCalls:
    """Hold how webhooks are called: their limits of time and size, and how many calls there may be at a time.

    `answer_bytes` bounds the body of an answer. `at_once` counts in a process, `at_once_each` of one endpoint.
    """

    prefix: ClassVar[str] = "USER_TAGS_WEBHOOKS_"

    allow_private: Allowance = False
    call_within: Positive = timedelta(seconds=15)
    connect_within: Positive = timedelta(seconds=5)
    answer_bytes: Count = 65_536
    at_once: Count = 200
    at_once_each: Count = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """Hold the settings of one process. `repr` leaves out the secrets and the URLs that contain passwords."""

    database_url: Annotated[DatabaseUrl | None, Variable("DATABASE_URL")] = field(default=None, repr=False)
    redis_url: Annotated[RedisUrl | None, Variable("REDIS_URL")] = field(default=None, repr=False)
    jwt_secret: Secret | None = field(default=None, repr=False)
    jwt_public_key: str | None = None
    jwt_jwks_url: WebUrl | None = None
    jwt_algorithms: Names = ()  # empty: HS256 with a secret; RS256, ES256, EdDSA with a public key
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    secrets_keys: Annotated[Secrets, Variable("USER_TAGS_SECRETS_KEY")] = field(default=(), repr=False)
    metrics_token: Secret | None = field(default=None, repr=False)
    public_url: BaseUrl = "http://127.0.0.1:8000"
    allowed_origins: Origins = ()
    embed_origins: NamedOrigins = ()
    wechat_api_url: BaseUrl = "https://api.weixin.qq.com"
    wechat: WechatCalls = WechatCalls()
    sync: SyncLimits = SyncLimits()
    webhooks: WebhookCalls = WebhookCalls()
    acting: Switch = True
    default_tags_every: Cadence = timedelta(minutes=30)
    combos_every: Cadence = timedelta(minutes=15)
    keep_in_sync_every: Cadence = timedelta(minutes=5)
    windows: Windows = Windows()
    query_limits: QueryLimits = QueryLimits()
    client_limits: ClientLimits = ClientLimits()
    trusted_proxies: Networks = ()
    trusted_documents: Names = ()
    trusted_documents_mode: Trust = "off"
    change_log_retention: Positive = timedelta(days=7)
    forget_unfollowed_after: Duration = timedelta(days=30)
    size_history_retention: Positive = timedelta(days=365)
    broadcast_retention: Positive = timedelta(days=400)
    audit_retention: Positive = timedelta(days=400)
    export_kept_for: Positive = timedelta(hours=24)
    return_sweep_every: Cadence = timedelta(seconds=10)
    undo_retention: Positive = timedelta(days=30)
    feed_heal_every: Positive = timedelta(seconds=3)
    push_signature_max_age: Positive = timedelta(minutes=10)
    ad_feed_openid_names: Names = ("wechat_openid",)
    ad_feed_ad_names: Names = ("adgroup_id", "ad_id", "campaign_id")
    ad_feed_time_names: Names = ("act_time",)
    database_pool_size: Count = 10
    production: Annotated[Production, Variable("USER_TAGS_ENV")] = False
    data_dir: str = ".data"
    clock_offset_file: str | None = None
    demo_url: BaseUrl | None = None


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """Hold the settings of the demo. `rate` is in events per second; port 0 means any free one."""

    prefix: ClassVar[str] = "USER_TAGS_DEMO_"

    service_url: BaseUrl = "http://127.0.0.1:8000"
    port: Port = 8089
    file: str | None = None
    rate: Rate = 2.0


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings; raises SettingsError if one is malformed, unknown or, in production, unsafe."""
    settings = read_variables(Settings, environment, _known())
    errors = [*_contradictions(settings), *(_production_errors(settings, environment) if settings.production else ())]
    if errors:
        raise SettingsError(*errors)
    return settings


def read_demo_settings(environment: Mapping[str, str] = os.environ) -> DemoSettings:
    """Return the settings of the demo; raises SettingsError if one is malformed or unknown."""
    return read_variables(DemoSettings, environment, _known())


def _known() -> list[str]:
    return [*variables_of(Settings).values(), *variables_of(DemoSettings).values()]


def _contradictions(settings: Settings) -> Iterator[str]:
    if settings.undo_retention <= settings.change_log_retention:
        yield "USER_TAGS_UNDO_RETENTION must be longer than USER_TAGS_CHANGE_LOG_RETENTION."


def _production_errors(settings: Settings, environment: Mapping[str, str]) -> Iterator[str]:
    needed = (
        ("DATABASE_URL", settings.database_url),
        ("REDIS_URL", settings.redis_url),
        ("USER_TAGS_SECRETS_KEY", settings.secrets_keys),
        ("USER_TAGS_PUBLIC_URL", environment.get("USER_TAGS_PUBLIC_URL", "").strip()),
        (
            "USER_TAGS_JWT_SECRET, USER_TAGS_JWT_PUBLIC_KEY or USER_TAGS_JWT_JWKS_URL",
            settings.jwt_secret or settings.jwt_public_key or settings.jwt_jwks_url,
        ),
    )
    missing = [name for name, value in needed if not value]
    if missing:
        yield f"In production these must be set: {', '.join(missing)}."
    yield from _secret_errors(settings)
    if settings.jwt_jwks_url is not None and not settings.jwt_jwks_url.lower().startswith("https://"):
        yield "In production USER_TAGS_JWT_JWKS_URL must start with https://: whoever changes the keys makes tokens."
    if not settings.wechat_api_url.lower().startswith("https://"):
        yield "In production USER_TAGS_WECHAT_API_URL must start with https://: app secrets and tokens are sent there."
    if settings.webhooks.allow_private:
        yield (
            "USER_TAGS_WEBHOOKS_ALLOW_PRIVATE lets whoever manages webhooks call what only this network reaches;"
            " production refuses it."
        )
    if settings.clock_offset_file is not None:
        yield "USER_TAGS_CLOCK_OFFSET_FILE moves the clock for tests; production refuses it."
    if settings.demo_url is not None:
        yield "USER_TAGS_DEMO_URL lets pages play with imitated people; production refuses it."


def _secret_errors(settings: Settings) -> Iterator[str]:
    secrets = [secret for secret in (settings.jwt_secret, settings.metrics_token, *settings.secrets_keys) if secret]
    if any(is_weak(secret) for secret in secrets):
        yield (
            "In production USER_TAGS_JWT_SECRET, USER_TAGS_SECRETS_KEY and USER_TAGS_METRICS_TOKEN must be random,"
            " for example `openssl rand -hex 32`."
        )
    passwords = (password_of(settings.database_url), password_of(settings.redis_url))
    if len(set(secrets)) < len(secrets) or any(each in secrets for each in passwords if each):
        yield (
            "In production USER_TAGS_JWT_SECRET, USER_TAGS_SECRETS_KEY, USER_TAGS_METRICS_TOKEN and the passwords"
            " of the servers must differ: each secret is for one use."
        )
