"""Hold all limits of the imitated server API in one table, each with the page of developers.weixin.qq.com it is from.

Where no page names a number, the comment says what it is inferred from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
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
    # /doc/service/guide/product/message/Batch_Sends: 60 a minute; 100 a day is that of a new account.
    "/cgi-bin/message/mass/send": Quota(100, calls=60),
    "/cgi-bin/message/mass/sendall": Quota(100, calls=60),
    # /doc/service/api/notify/message/api_preview
    "/cgi-bin/message/mass/preview": Quota(100),
    # /doc/service/Message_Management/API_Call_Limits; a rate is inferred.
    "/cgi-bin/message/custom/send": Quota(500_000, calls=50_000),
    "/cgi-bin/draft/add": Quota(1_000),
    # /doc/service/guide/product/template_message/Template_Message_Interface: of up to 100,000 followers.
    "/cgi-bin/message/template/send": Quota(100_000),
    # /miniprogram/dev/framework/open-ability/subscribe-message: without payment.
    "/cgi-bin/message/subscribe/send": Quota(10_000_000, calls=100_000),
}


class Trigger(StrEnum):
    """Name what somebody does that lets an account write to that person for a while."""

    MESSAGE = "MESSAGE"
    MENU_CLICK = "MENU_CLICK"
    FOLLOW = "FOLLOW"
    SCAN = "SCAN"
    PAYMENT = "PAYMENT"
    ENTER = "ENTER"


@dataclass(frozen=True, slots=True)
class ReplyWindow:
    """Hold how many customer-service messages may follow within how long; `sends` None means any number."""

    sends: int | None
    duration: timedelta


REPLY_WINDOWS: Final[Mapping[Trigger, ReplyWindow]] = {
    # /doc/service/guide/product/kf/intro, as since 2023-06-12
    Trigger.MESSAGE: ReplyWindow(5, timedelta(hours=48)),
    Trigger.MENU_CLICK: ReplyWindow(3, timedelta(minutes=1)),
    Trigger.FOLLOW: ReplyWindow(3, timedelta(minutes=1)),
    Trigger.SCAN: ReplyWindow(3, timedelta(minutes=1)),
    Trigger.PAYMENT: ReplyWindow(None, timedelta(hours=48)),
    # Of a Mini Program: entering the service session.
    Trigger.ENTER: ReplyWindow(2, timedelta(minutes=1)),
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
    # /doc/service/api/notify/message/api_masssend
    people_per_mass: int = 10_000
    fewest_people_of_mass: int = 2
    # The page says 64; more than 32 were refused.
    client_id_bytes: int = 32
    client_ids_kept: timedelta = timedelta(hours=24)
    # /doc/service/guide/product/message/Batch_Sends
    masses_per_user_and_month: int = 4
    masses_to_all_per_day: int = 1
    masses_of_subscription_account_per_day: int = 1
    # /doc/service/api/notify/message/api_setspeed: people a minute by level
    speeds: tuple[int, ...] = (800_000, 600_000, 450_000, 300_000, 100_000)
    # /doc/service/api/draftbox/draftmanage/api_draft_add
    articles_per_draft: int = 8
    # /doc/service/api/notify/template/api_sendtemplatemessage
    template_client_ids_kept: timedelta = timedelta(minutes=10)
    # Seen: ids beyond 2^31, and beyond 2^53 where one person is written to.
    first_mass_id: int = 3_147_494_552
    first_message_id: int = 9_007_199_254_740_993
