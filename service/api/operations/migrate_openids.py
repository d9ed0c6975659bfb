"""Resolve `migrateOpenids`."""

import strawberry

from service.api.context import Info
from service.api.guards.list_sizes import as_the_input, given_by
from service.api.guards.permissions import needs
from service.api.types.channel import Channel
from service.api.types.openid_migration import OpenidMigration
from service.api.types.primitives import Input, RejectedItem
from service.domain.account_migration.account import NewAccount
from service.domain.account_migration.migrating import MAX_PAIRS_PER_REQUEST
from service.domain.account_migration.pairs import OpenidPair
from service.domain.account_migration.requests import follow_migration
from service.entities.errors import BadInputError, FieldError
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission


@strawberry.input(description="What one person is called before and after a migration.")
class OpenidPairInput:
    former: str = strawberry.field(
        name="from",
        description=(
            "Openid of the person at the account before, 1 to 128 characters of A-Z a-z 0-9 _ -; "
            "MALFORMED_OPENID otherwise."
        ),
    )
    present: str = strawberry.field(
        name="to",
        description=(
            "Openid of the person at the account that it was migrated to, 1 to 128 characters of A-Z a-z 0-9 _ -; "
            "MALFORMED_OPENID otherwise."
        ),
    )


@strawberry.input(
    description="A migration of a channel's account to another one, of which the first call names the account."
)
class MigrateOpenidsInput:
    channel_id: strawberry.ID = strawberry.field(description="Id of the channel, which keeps its tags and its users.")
    new_app_id: str | None = strawberry.field(
        default=None,
        description=(
            "WeChat's id of the account that the channel's was migrated to, `wx` followed by letters and digits; "
            "absent keeps the account. CONFLICT if another channel has it."
        ),
    )
    new_app_secret: str | None = strawberry.field(
        default=None,
        description="App secret of the account in `newAppId`, up to 128 characters; not without `newAppId`.",
    )
    pairs: list[OpenidPairInput] = strawberry.field(
        description=(
            "At most 10,000 pairs in any order, LIMIT_EXCEEDED beyond; repeated ones change nothing. With an empty "
            "list WeChat is asked for the new openid of everybody, if the account has been changed and has an app "
            "secret."
        )
    )


@strawberry.type(description="The answer to `migrateOpenids`; what was migrated is durable. Each pair counts once.")
class MigrateOpenidsPayload:
    channel: Channel = strawberry.field(description="The channel after the change.")
    moved: int = strawberry.field(description="How many people have the new openid now.")
    unchanged: int = strawberry.field(description="How many pairs were known already, or are repeated in the list.")
    united: int = strawberry.field(
        description="How many people were known under both openids, and are one person now, with what either had."
    )
    unknown: int = strawberry.field(
        description=(
            "How many old openids the channel does not know. Where the new one is known, what still comes under the "
            "old one counts as that person's."
        )
    )
    rejected: list[RejectedItem] = strawberry.field(
        description=(
            "Pairs that were rejected. BAD_VALUE where the list, an earlier migration or forgetting contradicts one; "
            "UNIONID_CONFLICT where the two openids are linked to different unionids."
        ),
        metadata=as_the_input(most=MAX_PAIRS_PER_REQUEST),
    )
    job: OpenidMigration | None = strawberry.field(
        description="The job that asks WeChat for new openids; null unless `pairs` is empty and WeChat can be asked."
    )


@strawberry.type
class MigrateOpenidsMutations:
    @strawberry.mutation(
        description=(
            "Follows WeChat's migration of an account: everything a person has moves to the new openid, and what "
            "comes under the old one within 90 days is that person's too. For creators and admins (MANAGE_CHANNELS); "
            "a token narrowed to some channels changes no account, FORBIDDEN otherwise. Answers BAD_USER_INPUT, "
            "CONFLICT, LIMIT_EXCEEDED or NOT_FOUND; a bad pair is rejected by itself."
        ),
        metadata=given_by("input", "pairs", most=MAX_PAIRS_PER_REQUEST),
        extensions=[needs(Permission.MANAGE_CHANNELS)],
    )
    async def migrate_openids(self, info: Info, input: Input[MigrateOpenidsInput]) -> MigrateOpenidsPayload | None:
        followed = await follow_migration(
            info.context.runtime,
            info.context.actor,
            parse_channel_gid(input.channel_id),
            _new_account(input),
            [OpenidPair(each.former, each.present) for each in input.pairs],
        )
        result = followed.result
        return MigrateOpenidsPayload(
            channel=Channel.of(followed.channel),
            moved=result.moved,
            unchanged=result.unchanged,
            united=result.united,
            unknown=result.unknown,
            rejected=[RejectedItem.of(each) for each in result.rejected],
            job=None if followed.job is None else OpenidMigration.of(info, followed.job, is_open=True),
        )


def _new_account(input: MigrateOpenidsInput) -> NewAccount | None:
    """Return the account that the input names. Raises BadInputError for an app secret without an app id."""
    if input.new_app_id is None:
        if input.new_app_secret is not None:
            message = "An app secret is given together with the app id of the account."
            raise BadInputError(FieldError(("new_app_secret",), "NO_APP_ID", message))
        return None
    return NewAccount(input.new_app_id, input.new_app_secret)
