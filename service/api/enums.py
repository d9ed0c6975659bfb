"""The enums of the API: those of the domain, described, and a few that only clients know."""

from enum import Enum

import strawberry

from service.entities.enums import (
    ChangeCause,
    ChannelKind,
    DefaultTagRule,
    EventKind,
    Permission,
    RejectionCode,
    Role,
    TagKind,
    TagState,
)

_ = strawberry.enum_value

for kind, name, description in (
    (ChannelKind, "ChannelKind", "What sort of WeChat account a channel is."),
    (Role, "Role", "The role in the token."),
    (Permission, "Permission", "Something a role may do; clients hide what the viewer may not."),
    (TagKind, "TagKind", "Where the members of a tag come from."),
    (TagState, "TagState", "Shown as: PENDING “in force”, ACTIVE “entered into force”, LAPSED “lapsed”."),
    (EventKind, "UserEventKind", "Something a person did on a channel."),
    (ChangeCause, "ChangeCause", "Why somebody's tags changed."),
    (RejectionCode, "RejectionCode", "Why one entry of a list was refused."),
    (
        DefaultTagRule,
        "DefaultTagRule",
        "Which default tag it is, whatever its name in the reader's language.",
    ),
):
    strawberry.enum(kind, name=name, description=description)


@strawberry.enum(description="`extensions.code` of every error. `extensions.fields` lists all failing inputs at once.")
class ErrorCode(Enum):
    UNAUTHENTICATED = _("UNAUTHENTICATED", description="No token, or one that does not hold.")
    FORBIDDEN = _("FORBIDDEN", description="The role may not do this.")
    NOT_FOUND = _("NOT_FOUND", description="There is none, or it belongs to another robot.")
    BAD_USER_INPUT = _("BAD_USER_INPUT", description="Something in the request is malformed.")
    CHANNEL_NOT_BOUND = _(
        "CHANNEL_NOT_BOUND",
        description="No verified Official Account is bound, or this channel is not bound.",
    )
    NAME_TAKEN = _("NAME_TAKEN", description="A living tag of the channel has this category and name.")
    CYCLE = _("CYCLE", description="A combo would use itself.")
    TAG_NOT_USABLE = _("TAG_NOT_USABLE", description="PENDING or LAPSED where ACTIVE is needed.")
    TAG_PROTECTED = _("TAG_PROTECTED", description="Default tags.")
    LIMIT_EXCEEDED = _("LIMIT_EXCEEDED", description="More than is allowed at once.")
    RATE_LIMITED = _("RATE_LIMITED", description="`extensions.retryAfter`: seconds.")
    CONFLICT = _("CONFLICT", description="`expectedVersion` is old, or somebody else has what you want to take.")
    UPSTREAM = _("UPSTREAM", description="`extensions.errcode`: WeChat's.")
    INTERNAL = _("INTERNAL", description="`extensions.requestId` is all that is said.")


@strawberry.enum(description="UPDATED: renamed or edited. RESET: something may have been missed; load the list again.")
class TagEventKind(Enum):
    CREATED = "CREATED"
    UPDATED = "UPDATED"
    STATE_CHANGED = "STATE_CHANGED"
    COUNT_CHANGED = "COUNT_CHANGED"
    DELETED = "DELETED"
    RESET = "RESET"


@strawberry.enum(description="What a list of tags is ordered by.")
class TagOrderField(Enum):
    CATEGORY_AND_NAME = "CATEGORY_AND_NAME"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"
    MEMBER_COUNT = "MEMBER_COUNT"


@strawberry.enum(description="Ascending or descending.")
class OrderDirection(Enum):
    ASC = "ASC"
    DESC = "DESC"
