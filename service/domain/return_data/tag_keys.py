"""Find the tag of a category and label, one from before names were tidied too (docs/specification.md §4.6)."""

from service.domain.input_rules import could_be_stored, name_error, normalise_name
from service.domain.return_data.requests import Submission
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.tags import Catalogue
from service.storage.database.pool import Connection
from service.storage.return_data import batches
from service.storage.return_data.batches import KeyedTag


async def tidy_submission(runtime: Runtime, channel: Channel, submission: Submission) -> Submission:
    """Return a list with its names tidied, or as a living tag has them that was stored when names were not tidied."""
    tidied, stored = submission.tidied(), submission.tidied(as_stored=True)
    names = stored.category, stored.label
    if names == (tidied.category, tidied.label) and not any(name_error("label", each) for each in names):
        return tidied
    if not all(map(could_be_stored, names)):
        return tidied
    async with runtime.pool.acquire() as conn:
        _, tag = await batches.return_tag_by_key(conn, channel.channel_id, *names)
    return tidied if tag is None else stored


async def find_lookalike(conn: Connection, catalogue: Catalogue, category: str, label: str) -> KeyedTag | None:
    """Return the living return tag whose stored key differs by invisible characters only; None if there is none."""
    return (await living_tags_by_key(conn, catalogue)).get((category, label))


async def living_tags_by_key(conn: Connection, catalogue: Catalogue) -> dict[tuple[str, str], KeyedTag]:
    """Return the living return tags by their tidied keys, `{(category, label): tag}`, of several the oldest key."""
    keys = await batches.return_tag_keys(conn, catalogue.channel_id)
    return {
        (normalise_name(key.category), normalise_name(key.label)): KeyedTag(key.owner_tag_id, key_id)
        for key_id, key in sorted(keys.items(), reverse=True)
        if (tag := catalogue.tags.get(key.owner_tag_id)) is not None and tag.deleted_at is None
    }
