"""Decide which pages of other origins (RFC 6454) may call the API from a browser."""

import re
from collections.abc import Callable
from typing import Final

from service.foundation.settings import ANY_ORIGIN, Settings

LOCAL_ORIGIN: Final = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)


def origin_check(settings: Settings) -> Callable[[str], bool]:
    """Return what tells whether the page with this `Origin` header is one of USER_TAGS_ALLOWED_ORIGINS.

    In development the pages of this machine are allowed too, on any port.
    """
    allowed = frozenset(settings.allowed_origins)
    if ANY_ORIGIN in allowed:
        return lambda _: True
    if settings.production:
        return lambda origin: origin.lower() in allowed
    return lambda origin: origin.lower() in allowed or LOCAL_ORIGIN.fullmatch(origin) is not None
