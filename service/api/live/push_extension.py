"""Name the ASGI extension by which a session pushes messages straight to its socket."""

from collections.abc import Callable
from typing import Final, TypeAlias

PushCallback: TypeAlias = Callable[[bytes], bool]

# The key in `scope["extensions"]` that holds `PushProtocol.push`; see the ASGI specification, "Extensions".
PUSH_EXTENSION: Final = "user_tags.push"
