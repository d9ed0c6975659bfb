"""Name the ASGI extensions by which a session pushes messages straight to its socket, and accepts longer ones."""

from collections.abc import Callable
from typing import Final, TypeAlias

PushCallback: TypeAlias = Callable[[bytes], bool]

# The key in `scope["extensions"]` that holds `PushProtocol.push`; see the ASGI specification, "Extensions".
PUSH_EXTENSION: Final = "user_tags.push"

# Holds `PushProtocol.admit`, to be called once the principal of a connection is known.
ADMIT_EXTENSION: Final = "user_tags.admit"
