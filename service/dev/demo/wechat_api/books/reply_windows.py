"""Keep until when, and how often, customer service may write to somebody."""

from dataclasses import dataclass
from datetime import datetime

from service.dev.demo.wechat_api.errors import ApiError
from service.dev.demo.wechat_api.limits import REPLY_WINDOWS, Trigger


@dataclass(slots=True)
class OpenedWindow:
    """Hold when somebody last did what opens a window, and how many messages were sent since."""

    at: datetime
    sends: int = 0


class ReplyWindows:
    """Hold the windows of everybody by openid and trigger. A message counts in every window that is open."""

    def __init__(self) -> None:
        self.opened: dict[str, dict[Trigger, OpenedWindow]] = {}

    def open(self, openid: str, trigger: Trigger, at: datetime) -> None:
        """Open a window anew; nothing happens if it was opened later."""
        windows = self.opened.setdefault(openid, {})
        known = windows.get(trigger)
        if known is None or known.at <= at:
            windows[trigger] = OpenedWindow(at)

    def take(self, openid: str, now: datetime) -> None:
        """Count a message; raises ApiError 45015 if no window is open, 45047 if all that are open are used up."""
        windows = [
            (REPLY_WINDOWS[trigger], opened)
            for trigger, opened in self.opened.get(openid, {}).items()
            if now - opened.at < REPLY_WINDOWS[trigger].duration
        ]
        if not windows:
            raise ApiError(45015)
        if all(window.sends is not None and opened.sends >= window.sends for window, opened in windows):
            raise ApiError(45047)
        for _, opened in windows:
            opened.sends += 1
