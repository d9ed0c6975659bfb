"""Hold all limits of the imitated server API in one table, each with the page of developers.weixin.qq.com it is from.

Where no page names a number, the comment says what it is inferred from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class Quota:
    """Hold how often a call may be made: so many times a day, and `calls` within `seconds`."""

    daily: int
    calls: int = 5_000
    seconds: int = 60


DEFAULT_QUOTA: Final = Quota(100_000)
QUOTAS: Final[Mapping[str, Quota]] = {
    # /doc/service/Message_Management/API_Call_Limits; a rate where none is named there is inferred.
    "/cgi-bin/token": Quota(2_000),
    "/cgi-bin/user/get": Quota(500),
    "/cgi-bin/user/info": Quota(5_000_000, calls=100_000),
    "/cgi-bin/user/info/batchget": Quota(5_000_000, calls=100_000),
    # /doc/service/api/base/api_getstableaccesstoken
    "/cgi-bin/stable_token": Quota(500_000, calls=10_000),
    # Inferred from the groups that came before tags: API_Call_Limits, "groups" and "move user".
    "/cgi-bin/tags/create": Quota(1_000),
    "/cgi-bin/tags/get": Quota(1_000),
    "/cgi-bin/tags/update": Quota(1_000),
    "/cgi-bin/tags/delete": Quota(1_000),
    "/cgi-bin/tags/members/batchtagging": Quota(100_000),
    "/cgi-bin/tags/members/batchuntagging": Quota(100_000),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Hold the limits of an account that are no quotas; tests make them smaller."""

    # /doc/service/api/base/api_getaccesstoken
    token_lifetime: timedelta = timedelta(seconds=7_200)
    token_overlap: timedelta = timedelta(minutes=5)
    # "reserve at least 512": as long as it may become.
    token_length: int = 512
    # /doc/service/api/base/api_getstableaccesstoken
    forced_refreshes_a_day: int = 20
    forced_refresh_interval: timedelta = timedelta(seconds=30)
    # /doc/service/api/usermanage/tag/api_createtag
    max_tags: int = 100
    max_tag_name_bytes: int = 30
    # Ids 0 to 2 are the system's; own ones were seen from 100.
    first_tag_id: int = 100
    # /doc/service/api/usermanage/tag/api_deletetag
    max_members_of_deleted_tag: int = 100_000
    # /doc/service/api/usermanage/tag/api_batchtagging; the page on untagging names none.
    openids_per_tagging: int = 50
    tags_per_user: int = 20
    # /doc/service/api/usermanage/tag/api_gettagfans names none: that of the followers' list.
    tag_members_per_page: int = 10_000
    # /doc/service/api/usermanage/userinfo/api_getfans
    followers_per_page: int = 10_000
    # /doc/service/api/usermanage/userinfo/api_batchuserinfo
    users_per_batch: int = 100
    # /doc/service/api/usermanage/blacklist/api_getblacklist and api_batchblacklist
    blacklist_per_page: int = 1_000
    openids_per_blacklisting: int = 20
    # /doc/service/api/usermanage/userinfo/api_changeopenid
    openids_per_migration: int = 100
