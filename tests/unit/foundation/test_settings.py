"""Read every variable: its default, a good value, bad ones."""

# ruff: noqa: E501 - a table reads best with one row a line

from dataclasses import fields
from datetime import timedelta
from operator import attrgetter
from typing import Any

import pytest

from service.foundation.settings import (
    ClientLimits,
    DemoSettings,
    QueryLimits,
    Settings,
    SettingsError,
    SyncLimits,
    WebhookCalls,
    WechatCalls,
    Windows,
    read_demo_settings,
    read_settings,
)

HALF_HOUR, HOUR, TWO_DAYS = timedelta(minutes=30), timedelta(hours=1), timedelta(hours=48)
SECRET = "0123456789abcdef0123456789abcdef"
KEYS = f"{SECRET}, {SECRET.upper()},"

# variable, attribute, default, good text, its value, bad texts
VARIABLES: list[tuple[str, str, Any, str, Any, list[str]]] = [
    ("DATABASE_URL", "database_url", None, "postgresql://u:p@db/tags", "postgresql://u:p@db/tags", ["db:5432", "mysql://db"]),
    ("REDIS_URL", "redis_url", None, "rediss://cache:6379/1", "rediss://cache:6379/1", ["cache:6379", "http://cache"]),
    ("USER_TAGS_JWT_SECRET", "jwt_secret", None, SECRET, SECRET, ["short", "x" * 31]),
    ("USER_TAGS_JWT_PUBLIC_KEY", "jwt_public_key", None, "/run/key.pem", "/run/key.pem", []),
    ("USER_TAGS_JWT_JWKS_URL", "jwt_jwks_url", None, "https://id/jwks.json", "https://id/jwks.json", ["id/jwks.json", "file:///etc/keys"]),
    ("USER_TAGS_JWT_ALGORITHMS", "jwt_algorithms", (), "RS256, PS256", ("RS256", "PS256"), []),
    ("USER_TAGS_JWT_ISSUER", "jwt_issuer", None, "https://id", "https://id", []),
    ("USER_TAGS_JWT_AUDIENCE", "jwt_audience", None, "tags", "tags", []),
    ("USER_TAGS_SECRETS_KEY", "secrets_keys", (), KEYS, (SECRET, SECRET.upper()), ["short", f"{SECRET},short"]),
    ("USER_TAGS_PUBLIC_URL", "public_url", "http://127.0.0.1:8000", "https://tags.example/", "https://tags.example", ["tags.example", "ftp://tags", "https://", "https://tags?a=b", "https://tags/#a", "https://u:p@tags", "https://tags:x"]),
    ("USER_TAGS_ALLOWED_ORIGINS", "allowed_origins", (), "https://A.example, http://b.example:8080", ("https://a.example", "http://b.example:8080"), ["a.example", "https://a.example/", "https://*.example", "null"]),
    ("USER_TAGS_EMBED_ORIGINS", "embed_origins", (), "https://Desk.example.com", ("https://desk.example.com",), ["*", "desk.example.com", "https://desk.example.com/"]),
    ("USER_TAGS_WECHAT_API_URL", "wechat_api_url", "https://api.weixin.qq.com", "http://localhost:9/", "http://localhost:9", ["api.weixin.qq.com"]),
    ("USER_TAGS_ACTING", "acting", True, "OFF", False, ["0", "no"]),
    ("USER_TAGS_WECHAT_CALL_WITHIN", "wechat.call_within", timedelta(seconds=20), "5s", timedelta(seconds=5), ["0", "5"]),
    ("USER_TAGS_WECHAT_CONNECT_WITHIN", "wechat.connect_within", timedelta(seconds=5), "1s", timedelta(seconds=1), ["0s"]),
    ("USER_TAGS_WECHAT_ANSWER_BYTES", "wechat.answer_bytes", 4_194_304, "1000", 1000, ["0", "4M"]),
    ("USER_TAGS_WECHAT_ATTEMPTS", "wechat.attempts", 4, "1", 1, ["0"]),
    ("USER_TAGS_WECHAT_RETRY_AFTER", "wechat.retry_after", timedelta(milliseconds=500), "1s", timedelta(seconds=1), ["0"]),
    ("USER_TAGS_WECHAT_STOP_FOR", "wechat.stop_for", timedelta(minutes=10), "1h", timedelta(hours=1), ["0"]),
    ("USER_TAGS_WECHAT_UTC_OFFSET", "wechat.utc_offset", timedelta(hours=8), "0", timedelta(0), ["8"]),
    ("USER_TAGS_SYNC_MAX_REMOVALS", "sync.max_removals", 1_000, "5", 5, ["0", "few"]),
    ("USER_TAGS_SYNC_MAX_REMOVAL_SHARE", "sync.max_removal_share", 0.2, "0.5", 0.5, ["a fifth"]),
    ("USER_TAGS_SYNC_SMALL_TAG", "sync.small_tag", 50, "9", 9, ["0"]),
    ("USER_TAGS_SYNC_PLAN_VALID_FOR", "sync.plan_valid_for", HOUR, "5m", timedelta(minutes=5), ["0"]),
    ("USER_TAGS_SYNC_AUTOMATIC_SHARE", "sync.automatic_share", 0.5, "0.25", 0.25, ["half"]),
    ("USER_TAGS_SYNC_NEW_TAG_PATIENCE", "sync.new_tag_patience", timedelta(minutes=2), "1m", timedelta(minutes=1), ["0"]),
    ("USER_TAGS_DEFAULT_TAGS_EVERY", "default_tags_every", HALF_HOUR, "5s", timedelta(seconds=5), ["7m", "0", "48h", "90m", "500ms", "soon"]),
    ("USER_TAGS_COMBOS_EVERY", "combos_every", timedelta(minutes=15), "6h", timedelta(hours=6), ["7s", "0s", "5h", "-5m"]),
    ("USER_TAGS_KEEP_IN_SYNC_EVERY", "keep_in_sync_every", timedelta(minutes=5), "30s", timedelta(seconds=30), ["7s", "0s"]),
    ("USER_TAGS_WINDOW_FOLLOW", "windows.follow", HOUR, "2h", 2 * HOUR, ["2", "two"]),
    ("USER_TAGS_WINDOW_MENU_CLICK", "windows.menu_click", HOUR, "10 m", timedelta(minutes=10), ["1w"]),
    ("USER_TAGS_WINDOW_SCAN", "windows.scan", HOUR, "0", timedelta(0), ["1.5h"]),
    ("USER_TAGS_WINDOW_MESSAGE", "windows.message", TWO_DAYS, "3d", timedelta(days=3), ["3d 4h"]),
    ("USER_TAGS_WINDOW_PAYMENT", "windows.payment", TWO_DAYS, "90s", timedelta(seconds=90), ["-1h"]),
    ("USER_TAGS_WINDOW_NEW_USER", "windows.new_user", TWO_DAYS, "1d", timedelta(days=1), ["4000d", "9" * 5000 + "s"]),
    ("USER_TAGS_QUERY_DEPTH", "query_limits.depth", 20, "12", 12, ["0", "deep"]),
    ("USER_TAGS_SYNC_MAX_REMOVALS", "sync.max_removals", 1000, "50", 50, ["0", "-1"]),
    ("USER_TAGS_SYNC_MAX_REMOVAL_SHARE", "sync.max_removal_share", 0.2, "0.5", 0.5, ["0", "half"]),
    ("USER_TAGS_SYNC_SMALL_TAG", "sync.small_tag", 50, "10", 10, ["0", "1.5"]),
    ("USER_TAGS_SYNC_PLAN_VALID_FOR", "sync.plan_valid_for", timedelta(hours=1), "5m", timedelta(minutes=5), ["0"]),
    ("USER_TAGS_SYNC_AUTOMATIC_SHARE", "sync.automatic_share", 0.5, "0.1", 0.1, ["0", "half"]),
    ("USER_TAGS_SYNC_NEW_TAG_PATIENCE", "sync.new_tag_patience", timedelta(minutes=2), "10s", timedelta(seconds=10), ["0"]),
    ("USER_TAGS_WEBHOOKS_ALLOW_PRIVATE", "webhooks.allow_private", False, "1", True, ["yes", "2"]),
    ("USER_TAGS_WEBHOOKS_CALL_WITHIN", "webhooks.call_within", timedelta(seconds=15), "1s", timedelta(seconds=1), ["0", "15"]),
    ("USER_TAGS_WEBHOOKS_CONNECT_WITHIN", "webhooks.connect_within", timedelta(seconds=5), "1s", timedelta(seconds=1), ["0"]),
    ("USER_TAGS_WEBHOOKS_ANSWER_BYTES", "webhooks.answer_bytes", 65_536, "1000", 1000, ["0", "64k"]),
    ("USER_TAGS_WEBHOOKS_AT_ONCE", "webhooks.at_once", 200, "20", 20, ["0", "many"]),
    ("USER_TAGS_WEBHOOKS_AT_ONCE_EACH", "webhooks.at_once_each", 10, "1", 1, ["0", "1.5"]),
    ("USER_TAGS_QUERY_FIELDS", "query_limits.fields", 400, "100", 100, ["0"]),
    ("USER_TAGS_QUERY_ALIASES", "query_limits.aliases", 30, "5", 5, ["-1"]),
    ("USER_TAGS_QUERY_DIRECTIVES", "query_limits.directives", 20, "5", 5, ["x"]),
    ("USER_TAGS_QUERY_DIRECTIVES_AT_ONCE", "query_limits.directives_at_once", 4, "2", 2, ["0"]),
    ("USER_TAGS_QUERY_CHARACTERS", "query_limits.characters", 65_536, "1000", 1000, ["0", "64k"]),
    ("USER_TAGS_QUERY_TOKENS", "query_limits.tokens", 4000, "1000", 1000, ["1k"]),
    ("USER_TAGS_QUERY_COST", "query_limits.cost", 50_000, "9000", 9000, ["0"]),
    ("USER_TAGS_QUERY_VALUES", "query_limits.values", 100_000, "9000", 9000, ["0", "1e5"]),
    ("USER_TAGS_QUERY_WITHIN", "query_limits.within", timedelta(seconds=30), "2s", timedelta(seconds=2), ["0", "30"]),
    ("USER_TAGS_VALUES_PER_OPERATION", "client_limits.values_per_operation", 1000, "50", 50, ["0", "-1"]),
    ("USER_TAGS_OPERATIONS_PER_SECOND", "client_limits.operations_per_second", 200, "20", 20, ["0", "1.5"]),
    ("USER_TAGS_SUBSCRIPTIONS_PER_PRINCIPAL", "client_limits.subscriptions_per_principal", 1000, "20", 20, ["0", "1.5"]),
    ("USER_TAGS_HEAD_BYTES", "client_limits.head_bytes", 65_536, "8192", 8192, ["0", "64k"]),
    ("USER_TAGS_HEAD_WITHIN", "client_limits.head_within", timedelta(seconds=10), "2s", timedelta(seconds=2), ["0", "10"]),
    ("USER_TAGS_BODY_BYTES", "client_limits.body_bytes", 4_194_304, "1000", 1000, ["0", "4MB"]),
    ("USER_TAGS_BODY_WITHIN", "client_limits.body_within", timedelta(seconds=30), "1m", timedelta(minutes=1), ["0"]),
    ("USER_TAGS_MESSAGE_BYTES", "client_limits.message_bytes", 1_048_576, "1000", 1000, ["0", "-1"]),
    ("USER_TAGS_INIT_WITHIN", "client_limits.init_within", timedelta(seconds=10), "3s", timedelta(seconds=3), ["0"]),
    ("USER_TAGS_PING_EVERY", "client_limits.ping_every", timedelta(seconds=20), "5s", timedelta(seconds=5), ["0", "x"]),
    ("USER_TAGS_PONG_WITHIN", "client_limits.pong_within", timedelta(seconds=20), "5s", timedelta(seconds=5), ["0"]),
    ("USER_TAGS_STREAM_PING_EVERY", "client_limits.stream_ping_every", timedelta(seconds=15), "5s", timedelta(seconds=5), ["0"]),
    ("USER_TAGS_OPERATIONS_PER_SOCKET", "client_limits.operations_per_socket", 100, "20", 20, ["0"]),
    ("USER_TAGS_OPERATIONS_BURST", "client_limits.operations_burst", timedelta(seconds=5), "2s", timedelta(seconds=2), ["0", "999ms"]),
    ("USER_TAGS_CPU_SHARE", "client_limits.cpu_share", 0.1, "0.5", 0.5, ["0", "half"]),
    ("USER_TAGS_CPU_BURST", "client_limits.cpu_burst", timedelta(seconds=1), "5s", timedelta(seconds=5), ["0"]),
    ("USER_TAGS_REFUSALS_PER_SECOND", "client_limits.refusals_per_second", 50, "20", 20, ["0", "1.5"]),
    ("USER_TAGS_REFUSALS_BURST", "client_limits.refusals_burst", timedelta(seconds=10), "2s", timedelta(seconds=2), ["0", "999ms"]),
    ("USER_TAGS_SOCKETS_PER_PRINCIPAL", "client_limits.sockets_per_principal", 1000, "20", 20, ["0"]),
    ("USER_TAGS_BODY_VALUES", "client_limits.body_values", 200_000, "1000", 1000, ["0"]),
    ("USER_TAGS_INIT_BYTES", "client_limits.init_bytes", 16_384, "1000", 1000, ["0", "1k"]),
    ("USER_TAGS_TRUSTED_PROXIES", "trusted_proxies", (), "10.0.0.1, 172.16.0.0/12", ("10.0.0.1", "172.16.0.0/12"), ["proxy.example", "10.0.0.1/8", "10.0.0.1, *"]),
    ("USER_TAGS_METRICS_TOKEN", "metrics_token", None, "m" * 32, "m" * 32, ["short"]),
    ("USER_TAGS_DOCUMENT_CACHE_BYTES", "client_limits.document_cache_bytes", 134_217_728, "1000", 1000, ["0", "1MB"]),
    ("USER_TAGS_IMPORT_BYTES", "client_limits.import_bytes", 1_073_741_824, "1000", 1000, ["0", "1GB"]),
    ("USER_TAGS_IMPORT_WITHIN", "client_limits.import_within", timedelta(hours=1), "5m", timedelta(minutes=5), ["0", "1"]),
    ("USER_TAGS_CHANNELS_PER_ROBOT", "client_limits.channels_per_robot", 100, "3", 3, ["0", "many"]),
    ("USER_TAGS_TRUSTED_DOCUMENTS", "trusted_documents", (), "a.json, b.json", ("a.json", "b.json"), []),
    ("USER_TAGS_TRUSTED_DOCUMENTS_MODE", "trusted_documents_mode", "off", "OFF", "off", ["on", "some"]),
    ("USER_TAGS_CHANGE_LOG_RETENTION", "change_log_retention", timedelta(days=7), "1h", HOUR, ["0", "week", "0d"]),
    ("USER_TAGS_FORGET_UNFOLLOWED_AFTER", "forget_unfollowed_after", timedelta(days=30), "0", timedelta(0), ["never", "1"]),
    ("USER_TAGS_SIZE_HISTORY_RETENTION", "size_history_retention", timedelta(days=365), "30d", timedelta(days=30), ["0", "1y"]),
    ("USER_TAGS_AUDIT_RETENTION", "audit_retention", timedelta(days=400), "90d", timedelta(days=90), ["0", "1y"]),
    ("USER_TAGS_BROADCAST_RETENTION", "broadcast_retention", timedelta(days=400), "30d", timedelta(days=30), ["0", "1y"]),
    ("USER_TAGS_EXPORT_KEPT_FOR", "export_kept_for", timedelta(hours=24), "1h", HOUR, ["0", "a day"]),
    ("USER_TAGS_RETURN_SWEEP_EVERY", "return_sweep_every", timedelta(seconds=10), "1m", timedelta(minutes=1), ["7s", "0"]),
    ("USER_TAGS_UNDO_RETENTION", "undo_retention", timedelta(days=30), "60d", timedelta(days=60), ["0", "7d", "1h"]),
    ("USER_TAGS_FEED_HEAL_EVERY", "feed_heal_every", timedelta(seconds=3), "250ms", timedelta(milliseconds=250), ["0", "0ms", "often"]),
    ("USER_TAGS_READER_PATIENCE", "client_limits.reader_patience", timedelta(seconds=20), "1m", timedelta(minutes=1), ["0"]),
    ("USER_TAGS_PUSH_SIGNATURE_MAX_AGE", "push_signature_max_age", timedelta(minutes=10), "5m", timedelta(minutes=5), ["0s", "x"]),
    ("USER_TAGS_AD_FEED_OPENID_NAMES", "ad_feed_openid_names", ("wechat_openid",), "openid, wx_openid", ("openid", "wx_openid"), []),
    ("USER_TAGS_AD_FEED_AD_NAMES", "ad_feed_ad_names", ("adgroup_id", "ad_id", "campaign_id"), "creative_id", ("creative_id",), []),
    ("USER_TAGS_AD_FEED_TIME_NAMES", "ad_feed_time_names", ("act_time",), "ts", ("ts",), []),
    ("USER_TAGS_DATABASE_POOL_SIZE", "database_pool_size", 10, "25", 25, ["0", "-1", "many", "2.5", "²"]),
    ("USER_TAGS_ENV", "production", False, "Development", False, ["prod", "staging"]),
    ("USER_TAGS_DATA_DIR", "data_dir", ".data", "/var/lib/tags", "/var/lib/tags", []),
    ("USER_TAGS_CLOCK_OFFSET_FILE", "clock_offset_file", None, "/tmp/offset", "/tmp/offset", []),  # noqa: S108
    ("USER_TAGS_DEMO_URL", "demo_url", None, "http://127.0.0.1:8089/", "http://127.0.0.1:8089", ["demo:8089"]),
]  # fmt: skip
REFUSED = [(variable, bad) for variable, *_, texts in VARIABLES for bad in texts]


@pytest.mark.parametrize(("variable", "attribute", "default", "text", "value"), [row[:5] for row in VARIABLES])
def test_default_and_value(variable: str, attribute: str, default: Any, text: str, value: Any) -> None:
    read = attrgetter(attribute)
    assert read(read_settings({})) == default
    assert read(read_settings({variable: ""})) == default
    assert read(read_settings({variable: f" {text} "})) == value


@pytest.mark.parametrize(("variable", "text"), REFUSED)
def test_a_bad_value_is_refused_by_name(variable: str, text: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read_settings({variable: text})


# As above, of the demo's own process.
OF_DEMO: list[tuple[str, str, Any, str, Any, list[str]]] = [
    ("USER_TAGS_DEMO_SERVICE_URL", "service_url", "http://127.0.0.1:8000", "https://tags/", "https://tags", ["tags:8000"]),
    ("USER_TAGS_DEMO_PORT", "port", 8089, "0", 0, ["-1", "65536", "http"]),
    ("USER_TAGS_DEMO_FILE", "file", None, "/run/demo.json", "/run/demo.json", []),
    ("USER_TAGS_DEMO_RATE", "rate", 2.0, "0.5", 0.5, ["0", "-1", "inf", "nan", "fast"]),
]  # fmt: skip


@pytest.mark.parametrize(("variable", "attribute", "default", "text", "value", "bad"), OF_DEMO)
def test_a_variable_of_the_demo(
    variable: str, attribute: str, default: Any, text: str, value: Any, bad: list[str]
) -> None:
    read = attrgetter(attribute)
    assert {attribute for _, attribute, *_ in OF_DEMO} == {setting.name for setting in fields(DemoSettings)}
    assert read(read_demo_settings({variable: " "})) == default
    assert read(read_demo_settings({variable: f" {text} "})) == value
    assert read_settings({variable: text}) == Settings()
    for wrong in bad:
        with pytest.raises(SettingsError, match=f"^{variable} must"):
            read_demo_settings({variable: wrong})


@pytest.mark.parametrize(
    ("variable", "attribute", "text", "value"),
    [
        ("USER_TAGS_WINDOW_SCAN", "windows.scan", "3660d", timedelta(days=3660)),
        ("USER_TAGS_FEED_HEAL_EVERY", "feed_heal_every", "1ms", timedelta(milliseconds=1)),
        ("USER_TAGS_OPERATIONS_BURST", "client_limits.operations_burst", "1s", timedelta(seconds=1)),
        ("USER_TAGS_COMBOS_EVERY", "combos_every", "1s", timedelta(seconds=1)),
        ("USER_TAGS_COMBOS_EVERY", "combos_every", "1d", timedelta(days=1)),
        ("USER_TAGS_HEAD_BYTES", "client_limits.head_bytes", "1", 1),
        ("USER_TAGS_JWT_SECRET", "jwt_secret", "x" * 32, "x" * 32),
        ("USER_TAGS_UNDO_RETENTION", "undo_retention", "169h", timedelta(hours=169)),
    ],
)
def test_a_value_at_the_very_edge_is_taken(variable: str, attribute: str, text: str, value: Any) -> None:
    assert attrgetter(attribute)(read_settings({variable: text})) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("USER_TAGS_WINDOW_SCAN", "3661d"),
        ("USER_TAGS_FEED_HEAL_EVERY", "0ms"),
        ("USER_TAGS_OPERATIONS_BURST", "999ms"),
        ("USER_TAGS_COMBOS_EVERY", "999ms"),
        ("USER_TAGS_COMBOS_EVERY", "2d"),
        ("USER_TAGS_HEAD_BYTES", "0"),
        ("USER_TAGS_JWT_SECRET", "x" * 31),
        ("USER_TAGS_UNDO_RETENTION", "168h"),
    ],
)
def test_a_value_beyond_the_edge_is_refused(variable: str, text: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read_settings({variable: text})


def test_commas_alone_name_nothing() -> None:
    assert read_settings({"USER_TAGS_AD_FEED_AD_NAMES": " , ,"}) == Settings()


def test_all_malformed_and_unknown_variables_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(
            {
                "DATABASE_URL": "mysql://user:hunter2@db",
                "USER_TAGS_WINDOW_SCAN": "soon",
                "USER_TAGS_QUERY_DEPTH": "0",
                "USER_TAGS_HEAD_WITHIN": "10",
                "USER_TAGS_SECRETS_KEY": "hunter2",
                "USER_TAGS_COLOUR": "hunter2",
                "USER_TAGS_BODY_BYTES": "1000",
            }
        )
    assert sorted(caught.value.args) == [
        "DATABASE_URL must start with postgresql://.",
        "USER_TAGS_COLOUR is not a known variable.",
        "USER_TAGS_HEAD_WITHIN must look like 30m, 48h or 5s, not '10'.",
        "USER_TAGS_QUERY_DEPTH must be a whole number of at least 1, not '0'.",
        "USER_TAGS_SECRETS_KEY must have at least 32 bytes.",
        "USER_TAGS_WINDOW_SCAN must look like 30m, 48h or 5s, not 'soon'.",
    ]
    assert str(caught.value) == " ".join(caught.value.args)
    # What was read stands in no chained error either, which a traceback would print.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("USER_TAGS_HEAD_BYTE", "USER_TAGS_HEAD_BYTES"),
        ("USER_TAGS_SECRET_KEY", "USER_TAGS_SECRETS_KEY"),
        ("USER_TAGS_DATABASE_URL", "DATABASE_URL"),
        ("USER_TAGS_POOL_SIZE", "USER_TAGS_DATABASE_POOL_SIZE"),
        ("USER_TAGS_DEMO_RATES", "USER_TAGS_DEMO_RATE"),
        ("USER_TAGS_JWT_SECRE", "USER_TAGS_JWT_SECRET"),
        ("USER_TAG_PUBLIC_URL", "USER_TAGS_PUBLIC_URL"),
        ("USERTAGS_JWT_SECRET", "USER_TAGS_JWT_SECRET"),
        ("user_tags_query_cost", "USER_TAGS_QUERY_COST"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_one_that_was_meant(variable: str, meant: str) -> None:
    for read in (read_settings, read_demo_settings):
        with pytest.raises(SettingsError) as caught:
            read({variable: "hunter2"})
        assert str(caught.value) == f"{variable} is not a known variable; did you mean {meant}?"


@pytest.mark.parametrize("variable", ["USER_TAGS_", "USER_TAGS_COLOUR", "USER_TAGS_PORT"])
def test_an_unknown_variable_like_no_other_is_refused_without_a_guess(variable: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable} is not a known variable.$"):
        read_settings({variable: "8000"})


def test_variables_without_the_prefix_are_ignored() -> None:
    assert read_settings({"PATH": "/bin", "USER_TAG": "x", "OTHER_USER_TAGS_X": "y"}) == Settings()


def test_what_kubernetes_and_docker_say_of_a_service_of_our_name_is_let_pass() -> None:
    for name in ("USER_TAGS", "USER_TAGS_WEB", "USERTAGS", "USER_TAG"):
        links = {
            f"{name}_SERVICE_HOST": "10.0.0.7",
            f"{name}_SERVICE_PORT": "8000",
            f"{name}_SERVICE_PORT_HTTP": "8000",
            f"{name}_PORT": "tcp://10.0.0.7:8000",
            f"{name}_PORT_8000_TCP": "tcp://10.0.0.7:8000",
            f"{name}_PORT_8000_TCP_PROTO": "tcp",
            f"{name}_PORT_8000_TCP_PORT": "8000",
            f"{name}_PORT_8000_TCP_ADDR": "10.0.0.7",
        }
        assert read_settings(links) == Settings()


def test_no_setting_is_left_out() -> None:
    tested = {attribute for _, attribute, *_ in VARIABLES}
    windows = {f"windows.{window.name}" for window in fields(Windows)}
    limits = {f"query_limits.{limit.name}" for limit in fields(QueryLimits)}
    clients = {f"client_limits.{limit.name}" for limit in fields(ClientLimits)}
    calls = {f"wechat.{limit.name}" for limit in fields(WechatCalls)}
    syncs = {f"sync.{limit.name}" for limit in fields(SyncLimits)}
    webhooks = {f"webhooks.{limit.name}" for limit in fields(WebhookCalls)}
    grouped = {"windows", "query_limits", "client_limits", "wechat", "sync", "webhooks"}
    alone = {setting.name for setting in fields(Settings)} - grouped
    assert tested == alone | windows | limits | clients | calls | syncs | webhooks


def test_trusted_documents_may_be_allowed_or_the_only_ones() -> None:
    files = {"USER_TAGS_TRUSTED_DOCUMENTS": "documents.json"}
    for mode in ("allowed", "only"):
        assert read_settings(files | {"USER_TAGS_TRUSTED_DOCUMENTS_MODE": mode}).trusted_documents_mode == mode


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read_settings({}) == Settings()


def test_the_process_environment_is_read_unless_another_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER_TAGS_DATABASE_POOL_SIZE", "7")
    assert read_settings().database_pool_size == 7


@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL", "USER_TAGS_JWT_SECRET", "USER_TAGS_SECRETS_KEY"])
def test_a_refusal_does_not_repeat_a_secret(variable: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({variable: "user:hunter2@host"})
    assert "hunter2" not in str(caught.value)


def test_settings_do_not_show_their_secrets() -> None:
    shown = repr(
        read_settings(
            {
                "DATABASE_URL": "postgresql://user:hunter2@db/tags",
                "REDIS_URL": "redis://:hunter2@cache",
                "USER_TAGS_JWT_SECRET": "hunter2" * 5,
                "USER_TAGS_SECRETS_KEY": "hunter2" * 5,
            }
        )
    )
    assert "hunter2" not in shown
