"""The ASGI extension by which a session writes frames straight to its socket."""

from collections.abc import Callable
from typing import Final, TypeAlias

Push: TypeAlias = Callable[[bytes], bool]

PUSH: Final = "user_tags.push"
"""The key in `scope["extensions"]` that holds `PageSocket.push`; see the ASGI specification, "Extensions"."""
