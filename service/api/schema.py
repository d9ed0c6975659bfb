"""Put the schema together; a field without its permission is an error."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any, Final

import strawberry
from graphql import GraphQLError, GraphQLSchema, NoSchemaIntrospectionCustomRule, print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import DEFAULT_ALLOWED_OPERATION_TYPES, StreamResult
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from service.api.context import Context
from service.api.engine.document_cache import DocumentCache, DocumentCacheExtension
from service.api.engine.fast_path import MAX_VALUES_ON_LOOP, execute_cached_query, hold_many_values
from service.api.engine.inputs import optimise_inputs
from service.api.engine.pacing import PacedExecutor
from service.api.engine.refusals import count_refusals
from service.api.engine.resolvers import optimise_resolvers
from service.api.engine.retries import retry_stale_mutations
from service.api.errors import MaskUnexpectedErrors
from service.api.guards.list_sizes import reject_unbounded_lists
from service.api.guards.schema_audit import reject_unguarded_fields
from service.api.operations.ad_tags import AdTagMutations
from service.api.operations.audiences import AudienceQueries
from service.api.operations.audit_log import AuditLogMutations, AuditLogQueries
from service.api.operations.broadcast_policy import BroadcastPolicyMutations
from service.api.operations.broadcast_preview import BroadcastPreviewQueries
from service.api.operations.broadcasts import BroadcastMutations, BroadcastQueries
from service.api.operations.channels import ChannelMutations, ChannelQueries
from service.api.operations.combo_tags import ComboTagMutations, ComboTagQueries
from service.api.operations.create_broadcast import CreateBroadcastMutations
from service.api.operations.events import EventMutations
from service.api.operations.exports import ExportMutations
from service.api.operations.follower_imports import FollowerImportMutations
from service.api.operations.forget_user import ForgetUserMutations
from service.api.operations.identities import IdentityMutations
from service.api.operations.jobs import JobMutations, JobQueries, JobSubscriptions
from service.api.operations.linked_tags import LinkedTagMutations
from service.api.operations.merge_tags import MergeTagMutations, MergeTagQueries
from service.api.operations.migrate_openids import MigrateOpenidsMutations
from service.api.operations.nodes import NodeQueries
from service.api.operations.official_account_syncs import OfficialAccountSyncMutations, OfficialAccountSyncQueries
from service.api.operations.remote_tags import RemoteTagMutations, RemoteTagQueries
from service.api.operations.return_data import ReturnDataMutations
from service.api.operations.return_endpoint import ReturnEndpointMutations, ReturnEndpointQueries
from service.api.operations.send_test_message import SendTestMessageMutations
from service.api.operations.tag_events import TagEventsSubscriptions
from service.api.operations.tag_hints import TagHintQueries
from service.api.operations.tags import TagMutations, TagQueries
from service.api.operations.update_broadcast import UpdateBroadcastMutations
from service.api.operations.user_tags import UserTagsSubscriptions
from service.api.operations.users import UserQueries
from service.api.operations.viewer import ViewerQueries
from service.api.operations.webhook_deliveries import WebhookDeliveryMutations
from service.api.operations.webhook_endpoints import WebhookEndpointMutations, WebhookEndpointQueries
from service.api.types.ad_tag import AdTag
from service.api.types.combo_tag import ComboTag
from service.api.types.job import AudienceExport
from service.api.types.official_account_sync import OfficialAccountSync
from service.api.types.openid_migration import OpenidMigration
from service.api.types.primitives import DATE_TIME
from service.api.types.return_tag import ReturnTag
from service.api.types.tag import DefaultTag
from service.api.types.tag_merge import TagMerge
from service.entities.errors import ErrorCode, LimitExceededError
from service.foundation.settings import Settings


@strawberry.type(
    description=(
        "What can be read. Beside the codes that it names, every field can answer UNAUTHENTICATED, "
        "FORBIDDEN, RATE_LIMITED, LIMIT_EXCEEDED for an operation that is too large, BAD_USER_INPUT "
        "for one that is not valid, and INTERNAL."
    )
)
class Query(
    AudienceQueries,
    AuditLogQueries,
    BroadcastPreviewQueries,
    BroadcastQueries,
    ChannelQueries,
    ComboTagQueries,
    JobQueries,
    MergeTagQueries,
    NodeQueries,
    OfficialAccountSyncQueries,
    RemoteTagQueries,
    ReturnEndpointQueries,
    TagHintQueries,
    TagQueries,
    UserQueries,
    ViewerQueries,
    WebhookEndpointQueries,
):
    """Collect the queries of all features."""


@strawberry.type(
    description=(
        "What can be changed; a refused request changes nothing. Beside the codes that it names, "
        "every field can answer UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED, LIMIT_EXCEEDED for an "
        "operation that is too large, BAD_USER_INPUT for one that is not valid, and INTERNAL."
    )
)
class Mutation(
    AdTagMutations,
    AuditLogMutations,
    BroadcastMutations,
    BroadcastPolicyMutations,
    ChannelMutations,
    ComboTagMutations,
    CreateBroadcastMutations,
    EventMutations,
    ExportMutations,
    FollowerImportMutations,
    ForgetUserMutations,
    IdentityMutations,
    JobMutations,
    LinkedTagMutations,
    MergeTagMutations,
    MigrateOpenidsMutations,
    OfficialAccountSyncMutations,
    RemoteTagMutations,
    ReturnDataMutations,
    ReturnEndpointMutations,
    SendTestMessageMutations,
    TagMutations,
    UpdateBroadcastMutations,
    WebhookDeliveryMutations,
    WebhookEndpointMutations,
):
    """Collect the mutations of all features."""


@strawberry.type(
    description=(
        "What can be watched, over graphql-transport-ws or as server-sent events. Beside the codes "
        "that it names, every field can answer UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED, "
        "LIMIT_EXCEEDED for an operation that is too large, BAD_USER_INPUT for one that is not "
        "valid, and INTERNAL."
    )
)
class Subscription(JobSubscriptions, TagEventsSubscriptions, UserTagsSubscriptions):
    """Collect the subscriptions of all features."""


# The types of operations that are answered once.
ONE_ANSWER: Final = frozenset({OperationType.QUERY, OperationType.MUTATION})


class FastPathSchema(strawberry.Schema):
    """Execute operations; known queries take the fast path, which does what the extensions of the schema do."""

    documents: DocumentCache

    @property
    def graphql_schema(self) -> GraphQLSchema:
        """Return the graphql-core schema inside."""
        return self._schema

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """Return the answer to a query or mutation.

        Raises InvalidOperationTypeError for a type of operation that is not allowed, and for a subscription, which has
        many answers: `stream` gives them. Raises RequestError where `prepare` does.
        """
        await self.prepare(query, context_value)
        allowed = list(
            ONE_ANSWER if allowed_operation_types is None else ONE_ANSWER.intersection(allowed_operation_types)
        )
        if root_value is None:
            answer = await execute_cached_query(
                self.documents, query, operation_name, variable_values, context_value, allowed
            )
            if answer is not None:
                return answer
        if error := self.documents.syntax_error(query):
            return PreExecutionError(data=None, errors=[error])
        return await super().execute(
            query, variable_values, context_value, root_value, operation_name, allowed, operation_extensions
        )

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
    ) -> StreamResult:
        """Return the answers of any operation as they come: of a query or mutation, one.

        Raises RequestError where `prepare` does, and LimitExceededError for a subscription with many variables.
        """
        await self.prepare(query, context_value)
        allowed = DEFAULT_ALLOWED_OPERATION_TYPES if allowed_operation_types is None else set(allowed_operation_types)
        if root_value is None:
            answer = await execute_cached_query(
                self.documents, query, operation_name, variable_values, context_value, allowed
            )
            if answer is not None:
                return _single_result(answer)
        if error := self.documents.syntax_error(query):
            return _single_result(PreExecutionError(data=None, errors=[error]))
        if hold_many_values(variable_values):
            raise LimitExceededError(f"The variables of a subscription hold at most {MAX_VALUES_ON_LOOP:,} values.")
        return await super().stream(
            query, variable_values, context_value, root_value, operation_name, operation_extensions, allowed
        )

    async def prepare(self, text: str | None, context: object) -> None:
        """Read a document that is not known yet, at its principal's expense.

        Raises LimitExceededError for a text that is too long to be read, and RateLimitedError while the principal has
        overdrawn its budget of processor time. Known documents cost nothing.
        """
        if not text or text in self.documents:
            return
        self.documents.check_length(text)
        if isinstance(context, Context):
            await context.spend_cpu(partial(self.documents.prepare, text))
        else:
            await self.documents.prepare(text)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log nothing: MaskUnexpectedErrors logs, and a refused request needs no traceback."""


async def _single_result(result: ExecutionResult) -> StreamResult:
    yield result


def make_schema(settings: Settings | None = None) -> FastPathSchema:
    """Return the executable schema.

    Raises UnguardedFieldError if a field lacks its permission, UnboundedListError if nothing bounds a list.
    """
    settings = settings or Settings()
    schema = FastPathSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[
            AdTag,
            AudienceExport,
            ComboTag,
            DefaultTag,
            OfficialAccountSync,
            OpenidMigration,
            ReturnTag,
            TagMerge,
            ErrorCode,
        ],
        extensions=[MaskUnexpectedErrors, lambda: DocumentCacheExtension(schema.documents)],
        execution_context_class=PacedExecutor,
        config=StrawberryConfig(scalar_map={datetime: DATE_TIME}),
    )
    schema.documents = DocumentCache(
        schema.graphql_schema,
        settings.query_limits,
        settings.client_limits.document_cache_bytes,
        (NoSchemaIntrospectionCustomRule,) if settings.production else (),
    )
    reject_unguarded_fields(schema.graphql_schema)
    reject_unbounded_lists(schema.graphql_schema)
    optimise_resolvers(schema.graphql_schema)
    optimise_inputs(schema, schema.graphql_schema)
    if schema.graphql_schema.mutation_type is not None:
        retry_stale_mutations(schema.graphql_schema.mutation_type)
        count_refusals(schema.graphql_schema.mutation_type)
    return schema


def schema_text() -> str:
    """Return the schema as `schema.graphql` holds it."""
    return print_schema(make_schema().graphql_schema) + "\n"
