"""The schema, put together and refused if anything in it is unguarded."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLSchema, NoSchemaIntrospectionCustomRule, print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.graphql import OperationType

from service.api.ad_tags import AdTag
from service.api.combo_tags import ComboTag
from service.api.documents import Documents, RememberedDocuments
from service.api.enums import ErrorCode
from service.api.errors import CodedErrors
from service.api.exports import AudienceExport
from service.api.mutations import Mutation
from service.api.panel_rendering import PanelRenderings
from service.api.permissions import refuse_unguarded
from service.api.queries import Query
from service.api.receipts import ReturnTag
from service.api.rendering import Renderings
from service.api.scalars import DATE_TIME
from service.api.short_ways import run_known_query, shorten
from service.api.subscriptions import Subscription
from service.api.tags import DefaultTag
from service.settings import Settings


class QuickSchema(strawberry.Schema):
    """Runs known queries by the short way, which does what the two extensions below do.

    Leaves logging to CodedErrors: a refusal is not an error of ours and needs no traceback.
    """

    documents: Documents
    renderings: Renderings
    panel_renderings: PanelRenderings

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
        if root_value is None and (allowed_operation_types is None or OperationType.QUERY in allowed_operation_types):
            answer = await run_known_query(self, self.documents, query, variable_values, context_value, operation_name)
            if answer is not None:
                return answer
        return await super().execute(
            query,
            variable_values,
            context_value,
            root_value,
            operation_name,
            allowed_operation_types,
            operation_extensions,
        )

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        pass


def make_schema(settings: Settings | None = None) -> QuickSchema:
    """The executable schema; raises UnguardedFieldError if a field lacks its permission."""
    settings = settings or Settings()
    documents = Documents(
        settings.query_limits,
        settings.client_limits.documents_remembered,
        *((NoSchemaIntrospectionCustomRule,) if settings.production else ()),
    )
    schema = QuickSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[AdTag, AudienceExport, ComboTag, DefaultTag, ReturnTag, ErrorCode],
        extensions=[CodedErrors, lambda: RememberedDocuments(documents)],
        config=StrawberryConfig(scalar_map={datetime: DATE_TIME}, disable_field_suggestions=settings.production),
    )
    schema.documents = documents
    refuse_unguarded(graphql_schema_of(schema))
    schema.renderings = Renderings(graphql_schema_of(schema), documents.parsed)
    schema.panel_renderings = PanelRenderings(graphql_schema_of(schema), documents.parsed)
    shorten(graphql_schema_of(schema))
    return schema


def graphql_schema_of(schema: strawberry.Schema) -> GraphQLSchema:
    """The graphql-core schema inside."""
    return schema._schema  # noqa: SLF001 - Strawberry offers no public way to walk it


def schema_text() -> str:
    """The schema as `schema.graphql` holds it."""
    return print_schema(graphql_schema_of(make_schema())) + "\n"
