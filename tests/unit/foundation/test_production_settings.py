"""Refuse to start in production with settings that are not safe."""

import secrets

import pytest

from service.foundation.secret_strength import is_weak
from service.foundation.settings import SettingsError, read_settings

PRODUCTION = {
    "USER_TAGS_ENV": "production",
    "DATABASE_URL": "postgresql://db/tags",
    "REDIS_URL": "redis://cache",
    "USER_TAGS_SECRETS_KEY": "5d1c97f2a4e0b836d7c1f0a92b84e365",
    "USER_TAGS_JWT_SECRET": "a7f3c05e9b12d846e0f7a3b9c5d18264",
    "USER_TAGS_PUBLIC_URL": "https://tags.example.com",
}


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in PRODUCTION.items() if name not in names}


def test_production_starts_with_everything_set() -> None:
    assert read_settings(PRODUCTION).production


@pytest.mark.parametrize("name", [name for name in PRODUCTION if name != "USER_TAGS_ENV"])
def test_production_names_what_is_missing(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings(without(name))


def test_production_names_everything_that_is_missing_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"USER_TAGS_ENV": "production"})
    assert all(name in str(caught.value) for name in without("USER_TAGS_ENV"))


@pytest.mark.parametrize("name", ["USER_TAGS_JWT_PUBLIC_KEY", "USER_TAGS_JWT_JWKS_URL"])
def test_a_public_key_stands_in_for_the_secret(name: str) -> None:
    assert read_settings(without("USER_TAGS_JWT_SECRET") | {name: "https://id/keys"}).production


WEAK = [
    "x" * 64,
    "abc" * 20,
    "secret" * 6,
    "abcdefgh" * 4,
    "0123456789abcdef" * 2,
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "change-me-0a9f3c71d2e84b56-please",
    "your-256-bit-secret-your-256-bit",
]


@pytest.mark.parametrize("name", ["USER_TAGS_JWT_SECRET", "USER_TAGS_SECRETS_KEY", "USER_TAGS_METRICS_TOKEN"])
@pytest.mark.parametrize("secret", WEAK)
def test_production_refuses_a_weak_secret(name: str, secret: str) -> None:
    read_settings({name: secret})
    with pytest.raises(SettingsError, match="must be random") as caught:
        read_settings(PRODUCTION | {name: secret})
    assert secret not in str(caught.value)


def test_production_refuses_one_weak_key_among_several() -> None:
    keys = f"{PRODUCTION['USER_TAGS_SECRETS_KEY']},{'x' * 32}"
    with pytest.raises(SettingsError, match="must be random"):
        read_settings(PRODUCTION | {"USER_TAGS_SECRETS_KEY": keys})


def test_webhooks_go_to_public_addresses_only() -> None:
    with pytest.raises(SettingsError, match="USER_TAGS_WEBHOOKS_ALLOW_PRIVATE"):
        read_settings(PRODUCTION | {"USER_TAGS_WEBHOOKS_ALLOW_PRIVATE": "1"})


def test_production_refuses_a_clock_that_can_be_moved() -> None:
    with pytest.raises(SettingsError, match="USER_TAGS_CLOCK_OFFSET_FILE"):
        read_settings(PRODUCTION | {"USER_TAGS_CLOCK_OFFSET_FILE": "/run/offset"})


def test_production_refuses_people_who_are_imitated() -> None:
    with pytest.raises(SettingsError, match="USER_TAGS_DEMO_URL"):
        read_settings(PRODUCTION | {"USER_TAGS_DEMO_URL": "https://demo.example"})


def test_random_secrets_of_any_usual_spelling_are_strong() -> None:
    for _ in range(1_000):
        for made in (secrets.token_hex(16), secrets.token_hex(32), secrets.token_urlsafe(24)):
            assert not is_weak(made), made


@pytest.mark.parametrize(
    "settings",
    [
        {"USER_TAGS_SECRETS_KEY": PRODUCTION["USER_TAGS_JWT_SECRET"]},
        {"USER_TAGS_SECRETS_KEY": f"{PRODUCTION['USER_TAGS_SECRETS_KEY']},{PRODUCTION['USER_TAGS_JWT_SECRET']}"},
        {"USER_TAGS_METRICS_TOKEN": PRODUCTION["USER_TAGS_JWT_SECRET"]},
        {"DATABASE_URL": f"postgresql://user:{PRODUCTION['USER_TAGS_JWT_SECRET']}@db/tags"},
        {"REDIS_URL": f"redis://:{PRODUCTION['USER_TAGS_SECRETS_KEY']}@cache"},
    ],
)
def test_production_refuses_one_secret_for_two_uses(settings: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="must differ") as caught:
        read_settings(PRODUCTION | settings)
    assert PRODUCTION["USER_TAGS_JWT_SECRET"] not in str(caught.value)


def test_production_fetches_keys_over_https_only() -> None:
    keys = without("USER_TAGS_JWT_SECRET") | {"USER_TAGS_JWT_JWKS_URL": "http://id.example.com/jwks.json"}
    with pytest.raises(SettingsError, match="USER_TAGS_JWT_JWKS_URL must start with https://"):
        read_settings(keys)
    assert not read_settings({"USER_TAGS_JWT_JWKS_URL": keys["USER_TAGS_JWT_JWKS_URL"]}).production


def test_production_sends_app_secrets_over_https_only() -> None:
    imitation = {"USER_TAGS_WECHAT_API_URL": "http://127.0.0.1:8089"}
    with pytest.raises(SettingsError, match="USER_TAGS_WECHAT_API_URL must start with https://"):
        read_settings(PRODUCTION | imitation)
    assert not read_settings(imitation).production


def test_production_refuses_a_misspelt_variable() -> None:
    with pytest.raises(SettingsError, match="did you mean USER_TAGS_SECRETS_KEY"):
        read_settings(PRODUCTION | {"USER_TAGS_SECRET_KEY": "x"})
