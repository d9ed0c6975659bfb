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


class Records(StrEnum):
    """Name how much is kept of the messages that reach people."""

    EACH = "EACH"
    """Keep which message reached whom."""
    COUNTS = "COUNTS"
    """Keep how many messages reached each of a crowd, a byte for each."""
    NOTHING = "NOTHING"
    """Keep nothing."""


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
    limitless: bool = False
    """Answer sends without quotas, windows, consents, monthly limits, and without knowing people and templates."""
    records: Records = Records.EACH
    """Say how much is kept of the messages that reach people."""
    mass_unknown_code: int | None = 40003
    """Give the code of a mass send to an openid that the account never knew; None filters it."""
    mass_unfollowed_code: int | None = None
    """Give the code of a mass send to somebody who does not follow; None filters that person."""
    few_usable_code: int | None = 40130
    """Give the code of a mass send of which fewer than two people can be used; None sends to whoever is left."""
    wrong_tag_code: int = 40152
    """Give the code of a mass send to a tag that is not there; -1 was seen too."""
    repeats_too_fast_for: timedelta = timedelta()
    """Say how long a repeated `clientmsgid` is answered 45066, which it always is while the first call runs."""
    mass_takes: timedelta | None = None
    """Say how long a mass send is SENDING, None as long as its size takes at the account's speed."""
    mass_success: str = "send success"
    """Give the word of success in the result of a mass send; `sendsuccess` was seen as often."""
    repeated_template_code: int | None = None
    """Give the code of a template message with a `client_msg_id` that is remembered; None answers as the first time."""
    lone_entry_as_object: bool = True
    """Say whether the events of a Mini Program have an object in place of a `List` of one."""
