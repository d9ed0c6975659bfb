"""Make the environment of the processes that `user-tags up` starts."""

from pathlib import Path

from service.dev.stack.servers import embedded_secrets
from service.dev.stack.supervisor import child_environment
from service.foundation.settings import Settings


def test_the_environment_keeps_what_was_chosen_and_fills_in_the_rest(accessible_dir: Path) -> None:
    chosen = Settings(
        database_url="postgresql://db/",
        redis_url="redis://r/",
        public_url="https://tags.example",
        data_dir=str(accessible_dir),
    )
    environment = child_environment(chosen, None, "127.0.0.1", 8123)
    assert environment["DATABASE_URL"] == "postgresql://db/"
    assert environment["USER_TAGS_PUBLIC_URL"] == "https://tags.example"
    assert environment["USER_TAGS_DEMO_SERVICE_URL"] == "http://127.0.0.1:8123"
    assert environment["USER_TAGS_DATA_DIR"] == str(accessible_dir)
    made = (environment["USER_TAGS_JWT_SECRET"], environment["USER_TAGS_SECRETS_KEY"])
    assert made == embedded_secrets(accessible_dir)


def test_a_public_key_is_not_joined_by_a_secret(accessible_dir: Path) -> None:
    chosen = Settings(jwt_public_key="PEM", data_dir=str(accessible_dir))
    assert "USER_TAGS_JWT_SECRET" not in child_environment(chosen, None, "127.0.0.1", 8123)
