"""Turn entities into GraphQL objects.

Object types refer to each other in circles. They reach these functions through `Context.presenters`, so that none of
their modules needs to import another one that imports it.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from service.api.context import Info
from service.api.types.ad_tag import AdTag
from service.api.types.broadcast import Broadcast, broadcast_page
from service.api.types.catalogue_presenter import CataloguePresenter
from service.api.types.channel import Channel
from service.api.types.combo_tag import ComboTag
from service.api.types.job import AudienceExport, FollowerImport, Job
from service.api.types.official_account_sync import OfficialAccountSync
from service.api.types.openid_migration import OpenidMigration
from service.api.types.remote_tag_import import RemoteTagImport
from service.api.types.return_tag import ReturnTag
from service.api.types.tag import DefaultTag, Tag
from service.api.types.tag_merge import TagMerge
from service.api.types.user import user_page
from service.entities.jobs import Job as JobEntity
from service.entities.jobs import JobKind
from service.entities.tags import Catalogue, TagKind
from service.entities.tags import Tag as TagEntity

T = TypeVar("T", bound=Tag)

TAG_TYPES: Final[Mapping[TagKind, type[Tag]]] = {
    TagKind.DEFAULT: DefaultTag,
    TagKind.RETURN: ReturnTag,
    TagKind.AD: AdTag,
    TagKind.COMBO: ComboTag,
}
JOB_TYPES: Final[
    Mapping[
        JobKind,
        type[AudienceExport | FollowerImport | OfficialAccountSync | OpenidMigration | RemoteTagImport | TagMerge],
    ]
] = {
    JobKind.AUDIENCE_EXPORT: AudienceExport,
    JobKind.FOLLOWER_IMPORT: FollowerImport,
    JobKind.OFFICIAL_ACCOUNT_SYNC: OfficialAccountSync,
    JobKind.OPENID_MIGRATION: OpenidMigration,
    JobKind.REMOTE_TAG_IMPORT: RemoteTagImport,
    JobKind.TAG_MERGE: TagMerge,
}


def presenter_of(catalogue: Catalogue) -> CataloguePresenter:
    """Return the presenter of a catalogue; it is kept as long as the catalogue is."""
    presenter: CataloguePresenter | None = catalogue.derived.get(CataloguePresenter)
    if presenter is None:
        presenter = catalogue.derived[CataloguePresenter] = CataloguePresenter(catalogue, TAG_TYPES)
    return presenter


def tag_to_graphql(entity: TagEntity, catalogue: Catalogue) -> Tag:
    """Return a tag as the object type of its kind."""
    return presenter_of(catalogue).tag(entity)


def tags_to_graphql(tag_ids: Iterable[int], catalogue: Catalogue) -> list[Tag]:
    """Return tags by id, by category and name; unknown ids are left out."""
    presenter = presenter_of(catalogue)
    return [presenter.tag(catalogue.tags[tag_id]) for tag_id in presenter.in_order(tag_ids)]


def combo_to_graphql(entity: TagEntity, catalogue: Catalogue) -> ComboTag:
    """Return a combo tag. Raises TypeError for a tag of another kind."""
    return _expect(ComboTag, tag_to_graphql(entity, catalogue))


def ad_tag_to_graphql(entity: TagEntity, catalogue: Catalogue) -> AdTag:
    """Return an ad tag. Raises TypeError for a tag of another kind."""
    return _expect(AdTag, tag_to_graphql(entity, catalogue))


async def job_to_graphql(info: Info, entity: JobEntity) -> Job:
    """Return a job as the object type of its kind, as its channel's gate lets it be seen."""
    if entity.kind is JobKind.BROADCAST:
        return await Broadcast.load(info, entity.channel_id, entity.job_id)
    state = await info.context.loaders.state_of_channel.load(entity.channel_id)
    return JOB_TYPES[entity.kind].of(info, entity, is_open=state.open)


def _expect(kind: type[T], tag: Tag) -> T:
    if not isinstance(tag, kind):
        raise TypeError(f"{tag.kind} is no {kind.__name__}")
    return tag


class Presenters:
    """Offer the functions of this module to object types, each by the name of what it makes."""

    broadcast = staticmethod(Broadcast.find)
    broadcast_page = staticmethod(broadcast_page)
    channel = staticmethod(Channel.load)
    combo = staticmethod(combo_to_graphql)
    job = staticmethod(job_to_graphql)
    presenter = staticmethod(presenter_of)
    tag = staticmethod(tag_to_graphql)
    tags = staticmethod(tags_to_graphql)
    user_page = staticmethod(user_page)
