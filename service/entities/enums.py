"""The closed sets of the domain. Members carry the values stored in the database."""

from enum import Enum, IntEnum, StrEnum


class ChannelKind(StrEnum):
    SERVICE_ACCOUNT = "SERVICE_ACCOUNT"
    SUBSCRIPTION_ACCOUNT = "SUBSCRIPTION_ACCOUNT"
    MINI_PROGRAM = "MINI_PROGRAM"


class Role(StrEnum):
    CREATOR = "creator"
    ADMIN = "admin"
    AGENT = "agent"
    INTEGRATOR = "integrator"


class Permission(Enum):
    """What a role may do; the table is in `service.entities.principal`."""

    VIEW_TAGS = "VIEW_TAGS"
    VIEW_USERS = "VIEW_USERS"
    VIEW_RETURN_ADDRESS = "VIEW_RETURN_ADDRESS"
    MANAGE_RETURN_KEY = "MANAGE_RETURN_KEY"
    MANAGE_TAGS = "MANAGE_TAGS"
    SYNC = "SYNC"
    BROADCAST = "BROADCAST"
    EXPORT = "EXPORT"
    MANAGE_CHANNELS = "MANAGE_CHANNELS"
    SUBMIT_DATA = "SUBMIT_DATA"
    VIEW_AUDIT_LOG = "VIEW_AUDIT_LOG"


class TagKind(StrEnum):
    DEFAULT = "DEFAULT"
    RETURN = "RETURN"
    AD = "AD"
    COMBO = "COMBO"


class TagState(StrEnum):
    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    LAPSED = "LAPSED"


class DefaultTagRule(IntEnum):
    """A default tag. Its value is its tag id in every channel; rule *r* is bit *r* - 1 of a rules mask."""

    NEW_USER = 1
    OLD_USER = 2
    OPENED = 3
    NOT_OPENED = 4
    TOUCHABLE = 5
    UNTOUCHABLE = 6
    ADVERTISING = 7
    NON_ADVERTISING = 8


class EventKind(StrEnum):
    FOLLOW = "FOLLOW"
    UNFOLLOW = "UNFOLLOW"
    MESSAGE = "MESSAGE"
    MENU_CLICK = "MENU_CLICK"
    SCAN = "SCAN"
    PAYMENT = "PAYMENT"


class ReturnMode(StrEnum):
    ADD = "ADD"
    REMOVE = "REMOVE"
    REPLACE = "REPLACE"


class ReturnSource(StrEnum):
    GRAPHQL = "GRAPHQL"
    HTTP = "HTTP"


class BatchEnd(StrEnum):
    """Why a batch of returned data is no longer in force by itself; SETTLED: its people stay, undo is over."""

    UNDONE = "UNDONE"
    EXPIRED = "EXPIRED"
    REPLACED = "REPLACED"
    SETTLED = "SETTLED"


class ChangeCause(StrEnum):
    """Why somebody's tags changed."""

    EVENT = "EVENT"
    TIME_PASSED = "TIME_PASSED"
    RETURN_DATA = "RETURN_DATA"
    BATCH_UNDONE = "BATCH_UNDONE"
    BATCH_EXPIRED = "BATCH_EXPIRED"
    AD_FEED = "AD_FEED"
    IMPORT = "IMPORT"
    IDENTITY_LINKED = "IDENTITY_LINKED"
    COMBO_REFRESHED = "COMBO_REFRESHED"
    TAG_EDITED = "TAG_EDITED"
    TAG_DELETED = "TAG_DELETED"
    TAG_LAPSED = "TAG_LAPSED"
    REPAIRED = "REPAIRED"
    FORGOTTEN = "FORGOTTEN"


class RejectionCode(StrEnum):
    """Why one entry of a list was refused while its neighbours were kept."""

    MALFORMED_OPENID = "MALFORMED_OPENID"
    MALFORMED_UNIONID = "MALFORMED_UNIONID"
    UNIONID_CONFLICT = "UNIONID_CONFLICT"
    TIME_IN_FUTURE = "TIME_IN_FUTURE"
    BAD_VALUE = "BAD_VALUE"
