"""Tell secrets that somebody made up, or copied from a page, from random ones."""

from itertools import pairwise
from typing import Final
from urllib.parse import unquote, urlsplit

# What random secrets of 32 characters have, of hexadecimal digits too, but for one in more than a billion.
MIN_CHARACTERS: Final = 8
MIN_PAIRS: Final = 16
MIN_STEPS: Final = 8
# What examples and hand-made secrets contain. A random one holds none of these by chance.
TELLTALES: Final = (
    "secret", "password", "passwd", "changeme", "change_me", "change-me", "example", "default", "insecure",
    "placeholder", "replace", "qwert", "letmein", "development", "usertags", "user-tags", "user_tags",
)  # fmt: skip


def is_weak(secret: str) -> bool:
    """Tell whether a secret of 32 bytes or more repeats a few characters, counts up, or holds words of examples."""
    pairs = set(pairwise(secret))
    steps = {ord(after) - ord(before) for before, after in pairs}
    return (
        len(set(secret)) < MIN_CHARACTERS
        or len(pairs) < MIN_PAIRS
        or len(steps) < MIN_STEPS
        or any(word in secret.lower() for word in TELLTALES)
    )


def password_of(url: str | None) -> str | None:
    """Return the password in a URL, decoded; None where there is none, or where the URL cannot be read."""
    try:
        password = urlsplit(url or "").password
    except ValueError:
        return None
    return None if password is None else unquote(password)
