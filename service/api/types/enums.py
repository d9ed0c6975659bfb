"""Describe every enum of the API: those of the entities, which know nothing of GraphQL, and three of its own.

Strawberry keeps what it knows of an enum on the class. `service.api.types` imports this module before any type, so that
no type uses an enum that is not described yet.
"""

from enum import Enum
from typing import Final

import strawberry

from service.entities.audit import AuditOutcome
from service.entities.audit_chain import AuditFormat
from service.entities.blocks import ChangeCause
from service.entities.broadcasts import HeldReason, MessageKind, WaitReason
from service.entities.change_feed import FeedEventType
from service.entities.channels import ChannelKind
from service.entities.errors import ErrorCode, RejectionCode
from service.entities.expressions import Operator
from service.entities.hints import TagHintKind
from service.entities.jobs import JobState
from service.entities.principal import Permission, Role
from service.entities.remote_tags import RemoteAdditions
from service.entities.repeats import RepeatEvery
from service.entities.return_data import ReturnMode, ReturnSource
from service.entities.syncs import SyncConflict, TagSyncAction
from service.entities.tags import DefaultTagRule, TagKind, TagState
from service.entities.users import EventKind
from service.entities.webhooks import DeliveryKind, WebhookError, WebhookState

enum_value = strawberry.enum_value


@strawberry.enum(description="What happened in the tag panel. Further kinds may be added.")
class TagEventKind(Enum):
    """Name what happened to a tag; the values are those of `PanelUpdate.kind`."""

    CREATED = enum_value("CREATED", description="A tag was made.")
    UPDATED = enum_value("UPDATED", description="A tag was renamed or edited.")
    STATE_CHANGED = enum_value("STATE_CHANGED", description="A tag became PENDING, ACTIVE or LAPSED.")
    COUNT_CHANGED = enum_value("COUNT_CHANGED", description="The member count of a tag changed; at most once a second.")
    DELETED = enum_value("DELETED", description="A tag was deleted.")
    RESET = enum_value("RESET", description="Something may have been missed; load the list of tags again.")


@strawberry.enum(description="Property by which a list of tags is ordered.")
class TagOrderField(Enum):
    """Name the property that orders a list of tags."""

    CATEGORY_AND_NAME = enum_value("CATEGORY_AND_NAME", description="Category of the tag, then its name.")
    CREATED_AT = enum_value("CREATED_AT", description="When the tag was made.")
    UPDATED_AT = enum_value("UPDATED_AT", description="When the tag was last edited.")
    MEMBER_COUNT = enum_value("MEMBER_COUNT", description="How many people have the tag.")


@strawberry.enum(description="Whether a list ascends or descends.")
class OrderDirection(Enum):
    """Name the end of an order that comes first."""

    ASC = enum_value("ASC", description="Smallest or oldest first.")
    DESC = enum_value("DESC", description="Largest or newest first.")


# `UserTagChange.why` says the same to people.
CAUSE_DESCRIPTIONS: Final = {
    ChangeCause.EVENT: "Something the person did.",
    ChangeCause.TIME_PASSED: "Time passed a boundary.",
    ChangeCause.RETURN_DATA: "An integrator handed back data.",
    ChangeCause.BATCH_UNDONE: "A returned batch was undone.",
    ChangeCause.BATCH_EXPIRED: "A returned batch expired.",
    ChangeCause.AD_FEED: "The ad platform reported a follow.",
    ChangeCause.IMPORT: "Followers, or tags of the Official Account, were imported.",
    ChangeCause.IDENTITY_LINKED: "The person's unionid became known.",
    ChangeCause.COMBO_REFRESHED: "A combo was refreshed.",
    ChangeCause.TAG_EDITED: "The tag was edited.",
    ChangeCause.TAG_DELETED: "The tag was deleted.",
    ChangeCause.TAG_LAPSED: "The tag lapsed.",
    ChangeCause.TAG_MERGED: "The tag was merged into another, or another into it.",
    ChangeCause.OPENID_MIGRATED: "The account was migrated, and two openids turned out to be one person.",
    ChangeCause.REPAIRED: "A difference was found and repaired.",
    ChangeCause.FORGOTTEN: "The person was forgotten.",
}

# `HeldBack.text` says the same to people.
HELD_DESCRIPTIONS: Final = {
    HeldReason.FREQUENCY_CAP: "Got as many messages lately as the channel's policy allows.",
    HeldReason.HOLD_OUT: "Is held out, to compare with those who were sent to.",
    HeldReason.NOT_FOLLOWING: "Does not follow the channel.",
    HeldReason.OUT_OF_WINDOW: "Wrote too long ago to be answered.",
    HeldReason.WINDOW_USED_UP: "Got as many answers already as WeChat allows.",
    HeldReason.MONTHLY_LIMIT: "Got the four mass messages that WeChat allows in a month.",
    HeldReason.NO_CONSENT: "Has not allowed a message of this template, or the one allowed was sent.",
    HeldReason.NO_VALUE: "Has no value for a placeholder without a fallback.",
    HeldReason.ALREADY_RECEIVED: "Was sent to in another run.",
    HeldReason.ONCE_ONLY: "Was or will be sent to by another broadcast that counts people once with this one.",
    HeldReason.BLACKLISTED: "Is on the account's blacklist.",
    HeldReason.REMOTE_TAG_LIMIT: "Has 20 tags at WeChat, and no room for a temporary one.",
    HeldReason.AUDIENCE_TOO_SMALL: "Was left alone, and mass messages go to two people at least.",
    HeldReason.FORGOTTEN: "Was forgotten before being sent to.",
}


def _describe(enum: type[Enum], description: str, *, name: str | None = None, **values: str) -> None:
    """Declare an enum to Strawberry with a description of each value. Raises ValueError unless all are described."""
    if values.keys() != enum.__members__.keys():
        raise ValueError(f"{enum.__name__} has other values than are described")
    strawberry.enum(enum, name=name, description=description)
    for value in enum.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[value.name]


_describe(
    ChannelKind,
    "Sort of WeChat account that a channel is.",
    SERVICE_ACCOUNT="An Official Account of the service kind.",
    SUBSCRIPTION_ACCOUNT="An Official Account of the subscription kind.",
    MINI_PROGRAM="A Mini Program, which cannot be followed.",
)
_describe(
    Role,
    "Role of who is asking, as the token says; robots, roles and people are registered nowhere else.",
    CREATOR="Owns the robot, and may do everything.",
    ADMIN="Runs the robot, and may do everything but override the policy of broadcasts.",
    AGENT="Human customer service, which sees tags and people.",
    INTEGRATOR="A system that reports events and hands back data, and sees tags.",
)
_describe(
    Permission,
    "Something that a token may allow; clients hide what the viewer may not.",
    VIEW_TAGS="See channels and tags.",
    VIEW_USERS="See people, who has which tag, and audiences.",
    VIEW_RETURN_ADDRESS="See the return endpoint, except its key.",
    MANAGE_RETURN_KEY="Obtain the return endpoint, see and reset its key.",
    MANAGE_TAGS="Create, edit, rename and delete tags.",
    SYNC="See and take over the tags of the Official Account at WeChat, and sync ours to it.",
    BROADCAST="Make, see, approve, pause, resume, retry and cancel broadcasts, and send test messages.",
    EXPORT="Take people out as CSV, see and cancel jobs.",
    MANAGE_CHANNELS="Bind, change and unbind channels, see their addresses, forget people.",
    SUBMIT_DATA="Report events, hand back data, link identities.",
    MANAGE_WEBHOOKS="Make, see, change and delete webhook endpoints, and read the feed of changes.",
    VIEW_AUDIT_LOG="Read and export who did what and when.",
    OVERRIDE_BROADCAST_POLICY="Send against caps or in quiet hours, and decide how many people need an approval.",
)
_describe(
    AuditOutcome,
    "How an act ended that is in the audit log.",
    DONE="The act was done.",
    DENIED="The act was refused, since the role or the token did not allow it.",
    FAILED="The act failed for no fault of who asked: WeChat refused it, or something went wrong on our side.",
)
_describe(
    AuditFormat,
    "Format of an export of the audit log: a line of JSON for each entry.",
    PLAIN="The entries as they are hashed, each with its hash, so that anybody can check the chain.",
    OCSF="Events of the Open Cybersecurity Schema Framework, class 3004 (Entity Management).",
)
_describe(
    TagKind,
    "Where the members of a tag come from.",
    DEFAULT="From what people do and from time passing, by fixed rules.",
    RETURN="From lists that integrators hand back.",
    AD="From the ads through which people followed.",
    COMBO="From other tags of the channel.",
)
_describe(
    TagState,
    "How far a tag is in effect. Shown as: PENDING 生效中 “taking effect”, ACTIVE 已生效 “in effect”, LAPSED 已失效 "
    "“lapsed”.",
    PENDING="Taking effect (生效中): the members are not complete yet, or the ad return address is not confirmed.",
    ACTIVE="In effect (已生效): people who have the tag show it, and its members are exact as of `asOf`.",
    LAPSED="Lapsed (已失效): the tag is a combo that reaches a deleted tag; it has no members.",
)
_describe(
    EventKind,
    "Something that a person did on a channel.",
    name="UserEventKind",
    FOLLOW="The person followed the account.",
    UNFOLLOW="The person stopped following the account.",
    MESSAGE="The person sent a message.",
    MENU_CLICK="The person clicked the menu.",
    SCAN="The person scanned a QR code.",
    PAYMENT="The person paid something.",
)
_describe(
    ChangeCause,
    "Why the tags of a person changed. Further causes may be added.",
    **{cause.name: sentence for cause, sentence in CAUSE_DESCRIPTIONS.items()},
)
_describe(
    RejectionCode,
    "Why one entry of a list was rejected while the others were kept.",
    MALFORMED_OPENID="The openid is not 1 to 128 characters of A-Z a-z 0-9 _ -.",
    MALFORMED_UNIONID="The unionid is not 1 to 128 characters of A-Z a-z 0-9 _ -.",
    UNIONID_CONFLICT="The person has another unionid, or another person has this one.",
    TIME_IN_FUTURE="The time is more than 5 minutes ahead.",
    BAD_VALUE="Another value of the entry is wrong; `reason` says which.",
)
_describe(
    ReturnMode,
    "What a list of openids does to the members of a tag.",
    ADD="The people get the tag; all others keep what they have.",
    REMOVE="The people lose the tag, whichever earlier batch gave it to them.",
    REPLACE="The people become all who have the tag; every earlier batch ends.",
)
_describe(
    ReturnSource,
    "The way by which data was handed back.",
    GRAPHQL="By `submitReturnData`, or as a CSV file.",
    HTTP="By the call of the WeChat platform's clients (`batchset`).",
    OFFICIAL_ACCOUNT="From a tag of the Official Account, by `importRemoteTags`.",
)
_describe(
    DefaultTagRule,
    "Rule of a default tag, whatever it is called in the reader's language. Times are the defaults of settings.",
    NEW_USER="Follows, since less than 48 hours ago.",
    OLD_USER="Follows, since 48 hours or longer, or since an unknown time.",
    OPENED="Has sent a message since the channel was first bound.",
    NOT_OPENED="Has not sent a message since the channel was first bound.",
    TOUCHABLE="Can be written to now: 48 hours after a message or payment, 1 hour after a follow, menu click or scan.",
    UNTOUCHABLE="Cannot be written to now, as every such time is over.",
    ADVERTISING="Has followed through an ad since the channel was first bound.",
    NON_ADVERTISING="Has not followed through an ad since the channel was first bound.",
)
_describe(
    Operator,
    "How an expression combines its operands.",
    name="TagOperator",
    TAG="All people who have one tag; there are no operands.",
    ALL="All people who are in every operand.",
    ANY="All people who are in at least one operand.",
    EXCEPT="All people who are in the first operand and not in the second.",
    FOLLOWERS=(
        "All people who follow, in a Mini Program all who have interacted with it; there are no operands. It never "
        "lapses."
    ),
    RECEIVED=(
        "All people whom one broadcast was sent to, uncertain ones and, while it is unfinished, planned ones included; "
        "there are no operands."
    ),
)
_describe(
    JobState,
    "How far a job is. Further states may be added.",
    QUEUED="No worker has taken the job up yet.",
    WAITING="The job waits until `resumesAt`, for a start time, for WeChat's quota, or before another try.",
    WAITING_FOR_APPROVAL="A broadcast waits for the consent of another person, here or at WeChat.",
    RUNNING="A worker is at work on the job.",
    PAUSED="A broadcast was stopped, by a person or for a reason that a person has to look at.",
    DONE="The job is finished; single entries may have failed.",
    FAILED="The job was given up; `error` and `errorCode` say why.",
    CANCELLED="The job was cancelled by a user; what it had done stays done.",
)
_describe(
    MessageKind,
    "What a broadcast sends. Further kinds may be added.",
    MASS_TEXT="One text to all, by WeChat's mass messages.",
    MASS_IMAGE="Images, to all alike, by WeChat's mass messages.",
    MASS_ARTICLE="One article to all, by WeChat's mass messages.",
    TEMPLATE="A template message to each, as service accounts send them.",
    CUSTOMER_SERVICE_TEXT="A text to each, as customer service sends it to people who wrote lately.",
    SERVICE_SUBSCRIPTION="A subscription message of a service account to each who allowed one.",
    MINI_PROGRAM_SUBSCRIPTION="A subscription message of a Mini Program to each who allowed one.",
)
_describe(
    RepeatEvery,
    "How often a broadcast is repeated.",
    DAY="Every day of the calendar.",
    WEEK="Every week, on one weekday.",
    MONTH="Every month, on one of its days.",
)
_describe(
    HeldReason,
    "Why somebody of an audience is not sent to. Further reasons may be added.",
    **{reason.name: sentence for reason, sentence in HELD_DESCRIPTIONS.items()},
)
_describe(
    WaitReason,
    "What a broadcast that is WAITING, WAITING_FOR_APPROVAL or PAUSED waits for. LATE_START, DUPLICATE, "
    "REFUSED_MESSAGE, CONFIGURATION and OPERATOR are for somebody to end. Further reasons may be added.",
    START_TIME="The start time of the broadcast.",
    QUIET_HOURS="The end of the channel's quiet hours.",
    HOLIDAY="The end of a holiday.",
    QUOTA="The next day or month of a quota at WeChat.",
    RATE="Another broadcast of the channel, WeChat's limit by the minute, or an answer of its that did not come.",
    OPERAND="A tag of the audience that is still taking effect.",
    SECOND_ADMIN="The approval of another admin.",
    WECHAT_ADMIN="The account's administrator, who is asked by WeChat.",
    LATE_START="Somebody who confirms a start that was missed by more than the policy allows.",
    DUPLICATE="Somebody who confirms that the same content goes again to people who got it lately.",
    REFUSED_MESSAGE="Somebody who looks at why WeChat refused the message.",
    CONFIGURATION="Somebody who mends the account or its credentials; while WAITING it is also tried again by itself.",
    OPERATOR="Somebody who resumes it, as it was paused by hand, or its database was copied or restored.",
)
_describe(
    SyncConflict,
    "What a sync does where the Official Account has a tag of the same name that is not ours.",
    FAIL="Nothing is done about our tag.",
    ADOPT="The remote tag becomes ours, with everybody who has it.",
    RENAME="Ours gets another name at WeChat; theirs is left alone.",
)
_describe(
    RemoteAdditions,
    "What a sync does with people who got the remote tag from somebody else and lack ours.",
    KEEP="Whoever got the remote tag from others keeps it.",
    REMOVE="Whoever got the remote tag from others loses it.",
)
_describe(
    TagSyncAction,
    "What a sync does about a tag. Further actions may be added.",
    CREATE="A remote tag is made.",
    ADOPT="A remote tag of the same name becomes ours.",
    RENAME="The remote tag is renamed, as ours was; its members are updated too.",
    UPDATE="Members of the remote tag are changed.",
    NOTHING="Both sides are the same already.",
    REFUSED="Nothing can be done; `error` says why.",
)
_describe(
    TagHintKind,
    "What is worth a look about one tag or two, by today's members. Further kinds may be added.",
    EQUAL="The two tags have the same members; of several equal ones, each is told with the oldest.",
    SUBSET="Everybody with the tag has the other one, too, which has more members.",
    DISJOINT="Nobody has both, although an `all` of an ACTIVE combo holds both; each has members.",
    EMPTY="Nobody has the tag.",
    UNUSED="No combo, no broadcast to come, no webhook and no tag of the Official Account uses the tag.",
)
_describe(
    ErrorCode,
    "Code of an error, in `extensions.code`; further codes may be added. With BAD_USER_INPUT, `extensions.fields` "
    "lists all failing inputs at once.",
    UNAUTHENTICATED="The request has no token, or one that is malformed, not trusted or expired.",
    FORBIDDEN="The role may not do this.",
    NOT_FOUND="Nothing has this id, or it belongs to another robot or to a channel that the token may not see.",
    BAD_USER_INPUT="The document, its variables or an input is malformed.",
    CHANNEL_NOT_BOUND="The gate is closed: no verified Official Account of the robot is bound, or this channel is not.",
    NAME_TAKEN="A living tag of the channel has this category and name.",
    CYCLE="A combo would be made of itself, directly or through others.",
    TAG_NOT_USABLE="A tag of the expression is deleted or LAPSED, or PENDING where only ACTIVE ones can be used.",
    TAG_PROTECTED="Default tags can be neither edited nor deleted.",
    LIMIT_EXCEEDED="More was asked for than is allowed at once; the message names the limit.",
    RATE_LIMITED="Too many operations of this subject; try again after `extensions.retryAfter` seconds.",
    PERSISTED_QUERY_NOT_FOUND="No trusted document has this id; send the text instead.",
    PERSISTED_QUERY_NOT_SUPPORTED="Ids of documents are not known here; send the text instead.",
    PERSISTED_QUERY_ONLY="Only trusted documents are run here; send the id of one.",
    CONFLICT="The object was edited since `expectedVersion`, has ended, or is used by another robot or request.",
    UPSTREAM="WeChat refused, `extensions.errcode` is its code; or it does not answer, and there is none.",
    INTERNAL="Something went wrong on our side; `extensions.requestId` finds it in the log.",
)
_describe(
    FeedEventType,
    "What an endpoint is told of; on the wire in lower case with dots, like `user.tags_changed`. Further types may be "
    "added.",
    name="WebhookEventType",
    USER_TAGS_CHANGED="A person got tags or lost some (`user.tags_changed`).",
    USER_FORGOTTEN="A person was forgotten (`user.forgotten`).",
    USER_MIGRATED="The openid of a person changed with the account (`user.migrated`).",
    CHANNEL_STATE_CHANGED="A channel opened or closed (`channel.state_changed`).",
    TAG_CREATED="A tag was made (`tag.created`).",
    TAG_UPDATED="A tag was renamed or edited (`tag.updated`).",
    TAG_STATE_CHANGED="A tag became PENDING, ACTIVE or LAPSED (`tag.state_changed`).",
    TAG_DELETED="A tag was deleted (`tag.deleted`).",
    BROADCAST_FINISHED="A broadcast ended (`broadcast.finished`).",
    SYNC_FINISHED="A sync to the Official Account ended (`sync.finished`).",
    IMPORT_FINISHED="An import of followers ended (`import.finished`).",
)
_describe(
    WebhookState,
    "How a webhook endpoint fares. Further states may be added.",
    ACTIVE="Told of what happens, and the last attempt succeeded.",
    RETRYING="The last attempt failed; it is repeated, less and less often, for three days.",
    FAILING="Every attempt of three days failed; one is made each hour, and the endpoint goes on where it stopped.",
    GONE="The endpoint answered 410, and is told no more until it is enabled again.",
    OFF="Switched off by an admin.",
)
_describe(
    WebhookError,
    "Why an attempt to deliver failed. Further reasons may be added.",
    ADDRESS_REFUSED="The name resolves to an address that is not public.",
    DNS="The name does not resolve.",
    CONNECT="No connection could be made, or it broke.",
    TLS="The certificate is not valid for the name, or the two ends do not agree.",
    TIMEOUT="No answer came within 15 seconds.",
    STATUS="The answer was not 2xx.",
    REDIRECT="The answer was a redirect, which is not followed.",
    ANSWER_TOO_LARGE="The answer was larger than 64 kB.",
)
_describe(
    DeliveryKind,
    "What a delivery holds. Further kinds may be added.",
    name="WebhookDeliveryKind",
    CHANGES="Events of the channel, in order.",
    RESET="One `feed.reset` with the tags as they are now, where the log no longer reached back.",
    TEST="A trial by `testWebhook`.",
)
