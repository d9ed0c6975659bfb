"""`user-tags acting`: say whether this installation calls WeChat by its database, and confirm that it is to."""

from collections.abc import Callable

from service.domain.official_account.acting import ActingState, confirm_acting, read_acting
from service.foundation.settings import Settings
from service.resources import open_resources

Echo = Callable[[str], None]


async def run_acting(settings: Settings, echo: Echo, *, confirm: bool) -> int:
    """Print the state, after confirming it where asked to. Return exit code 0, or 1 while it needs to be confirmed."""
    async with open_resources(settings) as resources:
        runtime = resources.runtime
        paused = await confirm_acting(runtime) if confirm else 0
        state = await read_acting(runtime)
        remembered = runtime.acting.public_url
    if paused:
        echo(f"paused {paused} unfinished broadcasts: look at each, and resume or cancel it")
    match state:
        case ActingState.OFF:
            echo(f"off: USER_TAGS_ACTING is off ({_owner(remembered)})")
        case ActingState.ON:
            echo(f"on: {_owner(remembered)}")
        case ActingState.UNCONFIRMED:
            echo(
                f"off: {_owner(remembered)}, and USER_TAGS_PUBLIC_URL is {settings.public_url}; "
                "`user-tags acting --confirm` lets this installation act, and the other one no more"
            )
    return 1 if state is ActingState.UNCONFIRMED else 0


def _owner(remembered: str | None) -> str:
    return f"this database is that of {remembered}" if remembered else "nobody has acted by this database so far"
