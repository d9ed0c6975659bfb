"""Define what a call to WeChat's server API ends with instead of an answer; none of it holds a secret."""

import re
from typing import Final

from service.foundation.logging import redact
from service.wechat.api.decisions import Decision

MAX_MESSAGE_LENGTH: Final = 300
RID: Final = re.compile(r"\s*\brid: ([0-9a-f]{8}(?:-[0-9a-f]{8}){2})")
HINT: Final = re.compile(r"\s*hint: \[[^\]]*\]")
REFUSED_IP: Final = re.compile(r"invalid ip ([0-9A-Fa-f:.]{2,45})[\s,]")


class WechatError(Exception):
    """Report that WeChat answered with an error code.

    `rid` is WeChat's id of the request, None where it told none; `failed_openids` are those of a PARTIAL answer,
    `msg_id` is the message that an ALREADY_DONE one speaks of.
    """

    def __init__(
        self,
        errcode: int,
        errmsg: str,
        decision: Decision,
        failed_openids: tuple[str, ...] = (),
        *,
        path: str = "",
        msg_id: str | None = None,
    ) -> None:
        found = RID.search(errmsg)
        self.path = path
        self.errcode = errcode
        self.errmsg = redact(HINT.sub("", RID.sub("", errmsg)))[:MAX_MESSAGE_LENGTH].strip()
        self.rid = found[1] if found else None
        self.decision = decision
        self.failed_openids = failed_openids
        self.msg_id = msg_id
        self.refused_ip = found[1] if (found := REFUSED_IP.search(errmsg)) else None
        super().__init__(f"{path} answered {errcode} {self.errmsg} (rid {self.rid})".strip())

    @property
    def message_for_clients(self) -> str:
        """Return what clients are told."""
        return f"WeChat answered {self.errcode}: {self.errmsg}"


class UnansweredError(Exception):
    """Report that no usable answer came; with `sent` the call may have been carried out all the same."""

    message_for_clients: Final = "WeChat does not answer; try again later."

    def __init__(self, path: str, reason: str, *, sent: bool) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.sent = sent


class TooLateError(UnansweredError):
    """Report that a call was not sent, since its deadline was over when it could have been."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "too late to send it", sent=False)
