"""Hold the switches of the imitated server API, where WeChat is undocumented or was seen to behave in several ways."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class BadOpenid(StrEnum):
    """Name how a call on many openids answers when some of them cannot be used."""

    PARTIAL = "PARTIAL"
    """Do the others, and answer 45171 with `fail_openid_list`."""
    REFUSE = "REFUSE"
    """Refuse the whole call with the code of the first of them."""
    SILENT = "SILENT"
    """Do the others, and answer 0; only one that is alone has its code."""


@dataclass(slots=True, kw_only=True)
class Behaviour:
    """Choose between ways of behaving that have all been reported."""

    bad_openid: BadOpenid = BadOpenid.PARTIAL
    refusal_applies_rest: bool = False
    """Say whether REFUSE does the others all the same."""
    overlap_code: int | None = 45169
    """Give the code of a call that tags somebody whom another call is tagging; 45159 was seen too, None does both."""
    new_tag_unknown_for: timedelta = timedelta()
    """Say how long a new tag is answered 45159."""
    new_tag_unlisted_for: timedelta = timedelta()
    """Say how long `tags/get` leaves out a new tag."""
    cursor_ends_empty: bool = False
    """Say whether the last page of followers or members has an empty `next_openid`, and not its last openid."""
    blacklisted_code: int | None = None
    """Give the code of tagging somebody on the blacklist, as an openid that cannot be used; 45159 was reported."""
    escapes_code: int | None = None
    """Give the code of a body with `\\uXXXX` in it: 40033 or 47002; None accepts it."""
    wrong_secret_code: int = 40125
    """Give the code of a wrong app secret; 40001 was seen too."""
    forced_refresh_code: int | None = None
    """Give the code of a forced refresh too many for the day; None answers the same token."""
    migrated_from_gh_id: bool = False
    """Say whether `changeopenid` knows the old account by its `gh_…`, as its page says, not by its app id."""
    rate_limit_inside_quota: bool = False
    """Say whether `rate_limit` stands inside `quota`, as one client reads it."""
    answers_after: float = 0.0
    """Let each call take so many seconds."""
