"""The enums of the API: those of the domain, described, and a few that only clients know."""

from enum import Enum, EnumMeta
from typing import Final

import strawberry

from service.entities.blocks import ChangeCause
from service.entities.channels import ChannelKind
from service.entities.errors import RejectionCode
from service.entities.principal import Permission, Role
from service.entities.return_data import ReturnMode, ReturnSource
from service.entities.tags import DefaultTagRule, TagKind, TagState
from service.entities.users import EventKind

enum_value = strawberry.enum_value

CAUSE_DESCRIPTIONS: Final = {
    ChangeCause.EVENT: "Something the person did.",
    ChangeCause.TIME_PASSED: "Time passed a boundary.",
    ChangeCause.RETURN_DATA: "An integrator handed back data.",
    ChangeCause.BATCH_UNDONE: "A returned batch was undone.",
    ChangeCause.BATCH_EXPIRED: "A returned batch expired.",
    ChangeCause.AD_FEED: "The ad platform reported a follow.",
    ChangeCause.IMPORT: "The followers were imported.",
    ChangeCause.IDENTITY_LINKED: "The person's unionid became known.",
    ChangeCause.COMBO_REFRESHED: "A combo was refreshed.",
    ChangeCause.TAG_EDITED: "The tag was edited.",
    ChangeCause.TAG_DELETED: "The tag was deleted.",
    ChangeCause.TAG_LAPSED: "The tag lapsed.",
    ChangeCause.REPAIRED: "A difference was found and repaired.",
    ChangeCause.FORGOTTEN: "The person was forgotten.",
}

# The enums of the domain know nothing of GraphQL: name, description and the description of each value are here.
ENUM_DESCRIPTIONS: Final[tuple[tuple[EnumMeta, str, str, dict[str, str]], ...]] = (
    (
        ChannelKind,
        "ChannelKind",
        "What sort of WeChat account a channel is.",
        {
            "SERVICE_ACCOUNT": "An Official Account of the service kind.",
            "SUBSCRIPTION_ACCOUNT": "An Official Account of the subscription kind.",
            "MINI_PROGRAM": "A Mini Program; nobody can follow it.",
        },
    ),
    (
        Role,
        "Role",
        "The role in the token.",
        {
            "CREATOR": "Made the robot; may do everything.",
            "ADMIN": "Runs the robot; may do everything.",
            "AGENT": "Human customer service: sees tags and people.",
            "INTEGRATOR": "A system that hands data back: sees tags, reports data.",
        },
    ),
    (
        Permission,
        "Permission",
        "Something a role may do; clients hide what the viewer may not.",
        {
            "VIEW_TAGS": "See channels and tags.",
            "VIEW_USERS": "See people and who has which tag.",
            "VIEW_RETURN_ADDRESS": "See the return address.",
            "MANAGE_RETURN_KEY": "Obtain the return endpoint, see and reset its key.",
            "MANAGE_TAGS": "Create, edit, rename and delete tags.",
            "SYNC": "Write tags to the Official Account.",
            "BROADCAST": "Mass posting.",
            "EXPORT": "Take people out as CSV.",
            "MANAGE_CHANNELS": "Bind, change and unbind channels, see their addresses.",
            "SUBMIT_DATA": "Report events, return data and identities.",
            "VIEW_AUDIT_LOG": "Read who did what.",
        },
    ),
    (
        TagKind,
        "TagKind",
        "Where the members of a tag come from.",
        {
            "DEFAULT": "From what people do, by fixed rules.",
            "RETURN": "From integrators.",
            "AD": "From the ads people followed through.",
            "COMBO": "From other tags.",
        },
    ),
    (
        TagState,
        "TagState",
        "Shown as: PENDING “in force”, ACTIVE “entered into force”, LAPSED “lapsed”.",
        {
            "PENDING": "Confirmed, but its members are not complete yet.",
            "ACTIVE": "Members are exact as of `asOf`.",
            "LAPSED": "Built on a deleted tag; it has no members.",
        },
    ),
    (
        EventKind,
        "UserEventKind",
        "Something a person did on a channel.",
        {
            "FOLLOW": "Followed the account.",
            "UNFOLLOW": "Stopped following it.",
            "MESSAGE": "Sent a message.",
            "MENU_CLICK": "Clicked the menu.",
            "SCAN": "Scanned a QR code.",
            "PAYMENT": "Paid.",
        },
    ),
    (
        ChangeCause,
        "ChangeCause",
        "Why somebody's tags changed.",
        {cause.name: sentence for cause, sentence in CAUSE_DESCRIPTIONS.items()},
    ),
    (
        RejectionCode,
        "RejectionCode",
        "Why one entry of a list was refused.",
        {
            "MALFORMED_OPENID": "An openid is 1 to 128 characters of A-Z a-z 0-9 _ -.",
            "MALFORMED_UNIONID": "No unionid looks like this.",
            "UNIONID_CONFLICT": "The person is known under another unionid.",
            "TIME_IN_FUTURE": "More than 5 minutes ahead.",
            "BAD_VALUE": "Anything else; see `reason`.",
        },
    ),
    (
        ReturnMode,
        "ReturnMode",
        "What a list of openids does to the tag.",
        {
            "ADD": "They get it; everybody else keeps what they have.",
            "REMOVE": "They lose it, whichever earlier batch gave it to them.",
            "REPLACE": "They are all who have it; every earlier batch ends.",
        },
    ),
    (
        ReturnSource,
        "ReturnSource",
        "How data came back.",
        {
            "GRAPHQL": "By `submitReturnData`, or as a CSV file.",
            "HTTP": "By the call that the WeChat platform's clients make.",
        },
    ),
    (
        DefaultTagRule,
        "DefaultTagRule",
        "Which default tag it is, whatever its name in the reader's language.",
        {
            "NEW_USER": "The last follow is less than 48 h ago.",
            "OLD_USER": "It is longer ago, or not known.",
            "OPENED": "Has sent a message since the channel was bound.",
            "NOT_OPENED": "Has not.",
            "TOUCHABLE": "Can be written to now.",
            "UNTOUCHABLE": "Cannot.",
            "ADVERTISING": "Has followed through an ad since the channel was bound.",
            "NON_ADVERTISING": "Has not.",
        },
    ),
)

for enum, name, description, values in ENUM_DESCRIPTIONS:
    strawberry.enum(enum, name=name, description=description)
    for value in enum.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[value.name]


@strawberry.enum(description="`extensions.code` of every error. `extensions.fields` lists all failing inputs at once.")
class ErrorCode(Enum):
    UNAUTHENTICATED = enum_value("UNAUTHENTICATED", description="No token, or one that does not hold.")
    FORBIDDEN = enum_value("FORBIDDEN", description="The role may not do this.")
    NOT_FOUND = enum_value("NOT_FOUND", description="There is none, or it belongs to another robot.")
    BAD_USER_INPUT = enum_value("BAD_USER_INPUT", description="Something in the request is malformed.")
    CHANNEL_NOT_BOUND = enum_value(
        "CHANNEL_NOT_BOUND",
        description="No verified Official Account is bound, or this channel is not bound.",
    )
    NAME_TAKEN = enum_value("NAME_TAKEN", description="A living tag of the channel has this category and name.")
    CYCLE = enum_value("CYCLE", description="A combo would use itself.")
    TAG_NOT_USABLE = enum_value("TAG_NOT_USABLE", description="PENDING or LAPSED where ACTIVE is needed.")
    TAG_PROTECTED = enum_value("TAG_PROTECTED", description="Default tags.")
    LIMIT_EXCEEDED = enum_value("LIMIT_EXCEEDED", description="More than is allowed at once.")
    RATE_LIMITED = enum_value("RATE_LIMITED", description="`extensions.retryAfter`: seconds.")
    PERSISTED_QUERY_NOT_FOUND = enum_value(
        "PERSISTED_QUERY_NOT_FOUND", description="No trusted document has this id; send the text."
    )
    PERSISTED_QUERY_NOT_SUPPORTED = enum_value(
        "PERSISTED_QUERY_NOT_SUPPORTED", description="Ids of documents are not known here; send texts."
    )
    PERSISTED_QUERY_ONLY = enum_value("PERSISTED_QUERY_ONLY", description="Only trusted documents are run here.")
    CONFLICT = enum_value(
        "CONFLICT", description="`expectedVersion` is old, or somebody else has what you want to take."
    )
    UPSTREAM = enum_value("UPSTREAM", description="`extensions.errcode`: WeChat's.")
    INTERNAL = enum_value("INTERNAL", description="`extensions.requestId` is all that is said.")


@strawberry.enum(description="UPDATED: renamed or edited. RESET: something may have been missed; load the list again.")
class TagEventKind(Enum):
    CREATED = enum_value("CREATED", description="A tag was made.")
    UPDATED = enum_value("UPDATED", description="It was renamed or edited.")
    STATE_CHANGED = enum_value("STATE_CHANGED", description="It became PENDING, ACTIVE or LAPSED.")
    COUNT_CHANGED = enum_value("COUNT_CHANGED", description="Its member count changed; at most once a second.")
    DELETED = enum_value("DELETED", description="It is gone.")
    RESET = enum_value("RESET", description="Something may have been missed; load the list again.")


@strawberry.enum(description="What a list of tags is ordered by.")
class TagOrderField(Enum):
    CATEGORY_AND_NAME = enum_value("CATEGORY_AND_NAME", description="First level, then second level.")
    CREATED_AT = enum_value("CREATED_AT", description="When the tag was made.")
    UPDATED_AT = enum_value("UPDATED_AT", description="When it was last edited.")
    MEMBER_COUNT = enum_value("MEMBER_COUNT", description="How many people have it.")


@strawberry.enum(description="Ascending or descending.")
class OrderDirection(Enum):
    ASC = enum_value("ASC", description="Smallest or oldest first.")
    DESC = enum_value("DESC", description="Largest or newest first.")
