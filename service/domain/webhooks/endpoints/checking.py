"""Check what an endpoint is to be told, and where (docs/specification.md §6.4)."""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from service.domain.channels.lookup import visible_channels
from service.domain.input_rules import description_error
from service.entities.change_feed import FeedEventType
from service.entities.errors import ErrorCode, FieldError, ForbiddenError, raise_field_errors
from service.entities.principal import Principal
from service.entities.tags import TagKey
from service.entities.webhooks import WebhookEndpoint
from service.storage import tags
from service.storage.database.pool import Connection
from service.storage.return_data import batches
from service.storage.webhooks import EndpointSettings

MAX_CHANNELS_PER_ENDPOINT: Final = 100
MAX_TAGS_PER_ENDPOINT: Final = 200


class EndpointDetails(NamedTuple):
    """Hold what an endpoint is to be, as it was asked for: None are all channels, or all tags."""

    url: str
    description: str | None
    channel_ids: Sequence[int] | None
    events: Sequence[FeedEventType]
    tag_keys: Sequence[TagKey] | None


async def checked_settings(
    conn: Connection,
    principal: Principal,
    details: EndpointDetails,
    address_errors: Sequence[FieldError],
    known: WebhookEndpoint | None = None,
) -> EndpointSettings:
    """Return the settings of an endpoint, each channel, event and tag once. `known` is the endpoint before the change.

    Raises ForbiddenError where a narrowed token asks for all channels, and a RequestError for all inputs that are
    wrong: BAD_USER_INPUT, LIMIT_EXCEEDED, or NOT_FOUND for a channel or tag that is not there or deleted.
    """
    if details.channel_ids is None and principal.narrowed:
        raise ForbiddenError("Your token is for some channels only; name those that the endpoint is told of.")
    errors = [*address_errors, *_plain_errors(details)]
    channel_ids = None if details.channel_ids is None else tuple(dict.fromkeys(details.channel_ids))
    tag_keys = None if details.tag_keys is None else tuple(dict.fromkeys(details.tag_keys))
    visible = {each.channel_id for each in await visible_channels(conn, principal)}
    if channel_ids is not None and len(channel_ids) <= MAX_CHANNELS_PER_ENDPOINT:
        errors += [
            _not_found(("channel_ids", index), "channel")
            for index, channel_id in enumerate(details.channel_ids or ())
            if channel_id not in visible
        ]
    if tag_keys is not None and len(tag_keys) <= MAX_TAGS_PER_ENDPOINT:
        followed = visible if channel_ids is None else visible.intersection(channel_ids)
        kept = () if known is None else known.tag_keys or ()
        errors += [each async for each in _tag_errors(conn, details.tag_keys or (), visible, followed, kept)]
    raise_field_errors(errors)
    return EndpointSettings(
        details.url, details.description, channel_ids, tuple(dict.fromkeys(details.events)), tag_keys
    )


def _plain_errors(details: EndpointDetails) -> Iterator[FieldError]:
    """Yield what is wrong whatever channels and tags there are."""
    if error := description_error("description", details.description):
        yield error
    if not details.events:
        yield FieldError(("events",), "EMPTY", "At least one type of event.")
    lists = (
        ("channel_ids", details.channel_ids, MAX_CHANNELS_PER_ENDPOINT),
        ("tag_ids", details.tag_keys, MAX_TAGS_PER_ENDPOINT),
    )
    for name, given, most in lists:
        if given is not None and not given:
            yield FieldError((name,), "EMPTY", "At least one; null stands for all.")
        if given is not None and len(set(given)) > most:
            yield FieldError((name,), "TOO_MANY", f"At most {most}.", ErrorCode.LIMIT_EXCEEDED)


async def _tag_errors(
    conn: Connection,
    given: Sequence[TagKey],
    visible: Collection[int],
    followed: Collection[int],
    kept: Collection[TagKey],
) -> AsyncIterator[FieldError]:
    """Yield what is wrong with tags: unknown, deleted unless they were `kept`, or of a channel that is not followed.

    The tags stay locked against merges until the end of the transaction.
    """
    numbered = sorted(enumerate(given), key=lambda each: each[1].channel_id)
    for channel_id, entries in groupby(numbered, key=lambda each: each[1].channel_id):
        here = list(entries)
        known = {}
        if channel_id in visible:
            # A merge that ends meanwhile either sees what the endpoint is told of, or is seen here.
            await batches.lock_tags_shared(conn, channel_id, {key.tag_id for _, key in here})
            known = (await tags.catalogue(conn, channel_id)).tags
        for index, key in here:
            tag = known.get(key.tag_id)
            if tag is None or (tag.deleted_at is not None and key not in kept):
                yield _not_found(("tag_ids", index), "tag")
            elif channel_id not in followed:
                message = "The endpoint is not told of the channel of this tag."
                yield FieldError(("tag_ids", index), "OTHER_CHANNEL", message)


def _not_found(path: tuple[str, int], what: str) -> FieldError:
    return FieldError(path, ErrorCode.NOT_FOUND, f"There is no such {what}.", ErrorCode.NOT_FOUND)
