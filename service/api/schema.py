"""The schema, put together and refused if anything in it is unguarded."""

from datetime import datetime

import strawberry
from graphql import GraphQLError, GraphQLSchema, NoSchemaIntrospectionCustomRule, print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from service.api.ad_tags import AdTag
from service.api.combo_tags import ComboTag
from service.api.documents import Documents, RememberedDocuments
from service.api.enums import ErrorCode
from service.api.errors import CodedErrors
from service.api.exports import AudienceExport
from service.api.mutations import Mutation
from service.api.permissions import refuse_unguarded
from service.api.queries import Query
from service.api.receipts import ReturnTag
from service.api.rendering import Renderings
from service.api.scalars import DATE_TIME
from service.api.subscriptions import Subscription
from service.api.tags import DefaultTag
from service.settings import QueryLimits


class QuietSchema(strawberry.Schema):
    """Leaves logging to CodedErrors: a refusal is not an error of ours and needs no traceback."""

    renderings: Renderings

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        pass


def make_schema(limits: QueryLimits | None = None, *, production: bool = False) -> QuietSchema:
    """The executable schema; raises UnguardedFieldError if a field lacks its permission."""
    documents = Documents(limits or QueryLimits(), *((NoSchemaIntrospectionCustomRule,) if production else ()))
    schema = QuietSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[AdTag, AudienceExport, ComboTag, DefaultTag, ReturnTag, ErrorCode],
        extensions=[CodedErrors, lambda: RememberedDocuments(documents)],
        config=StrawberryConfig(scalar_map={datetime: DATE_TIME}, disable_field_suggestions=production),
    )
    refuse_unguarded(graphql_schema_of(schema))
    schema.renderings = Renderings(graphql_schema_of(schema), documents.parsed)
    return schema


def graphql_schema_of(schema: strawberry.Schema) -> GraphQLSchema:
    """The graphql-core schema inside."""
    return schema._schema  # noqa: SLF001 - Strawberry offers no public way to walk it


def schema_text() -> str:
    """The schema as `schema.graphql` holds it."""
    return print_schema(graphql_schema_of(make_schema())) + "\n"
