"""Placeholders stand for the tags that people show: ACTIVE ones, while the gate is open."""

import pytest

from service.domain.broadcasts.messages.categories import category_errors
from service.domain.broadcasts.messages.tag_values import TagValueReader
from service.domain.channels.binding import unbind_channel
from service.domain.combos.tag_deletion import rename_tag
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.tags import TagState
from service.storage import tags
from tests.support.runtime import admin, counted_statements, ordinals_for
from tests.support.tags import delete_tag_of, make_tag, remove_members, set_state
from tests.unit.domain.broadcasts.messages import template, text


class Sender:
    """Reads the fruits of people, as the sender of a message does."""

    def __init__(self, runtime: Runtime, channel: Channel) -> None:
        self.runtime, self.channel = runtime, channel
        self._reader = TagValueReader(channel.channel_id, {"Fruit"})

    async def fruits(self, *openids: str) -> dict[str, str | None]:
        """Return what is inserted for each of these people; None for nothing."""
        ordinals = await ordinals_for(self.runtime, self.channel, openids)
        async with self.runtime.pool.acquire() as conn:
            found = await self._reader.read(conn, list(ordinals.values()))
        assert all(set(values) == {"Fruit"} for values in found.values())
        return {openid: found.get(ordinal, {}).get("Fruit") for openid, ordinal in ordinals.items()}


@pytest.fixture
def sender(runtime: Runtime, channel: Channel) -> Sender:
    return Sender(runtime, channel)


async def test_everybody_has_the_names_of_their_own_tags(sender: Sender) -> None:
    await make_tag(sender.runtime, sender.channel, "Plum", "ada", "bob")
    await make_tag(sender.runtime, sender.channel, "Apple", "ada")

    assert await sender.fruits("ada", "bob", "eve") == {"ada": "Apple, Plum", "bob": "Plum", "eve": None}


@pytest.mark.parametrize("state", [TagState.PENDING, TagState.LAPSED])
async def test_only_tags_in_effect_count(runtime: Runtime, channel: Channel, state: TagState) -> None:
    plum = await make_tag(runtime, channel, "Plum", "ada")
    await make_tag(runtime, channel, "Apple", "ada")
    await set_state(runtime, channel, plum, state)

    assert await Sender(runtime, channel).fruits("ada") == {"ada": "Apple"}


async def test_names_and_tags_are_those_of_now(sender: Sender) -> None:
    runtime, channel = sender.runtime, sender.channel
    plum = await make_tag(runtime, channel, "Plum", "ada", "bob")
    assert await sender.fruits("ada", "bob") == {"ada": "Plum", "bob": "Plum"}

    await remove_members(runtime, channel, plum, "bob")
    assert await sender.fruits("ada", "bob") == {"ada": "Plum", "bob": None}
    await rename_tag(runtime, admin(), channel.channel_id, plum, "Prune")
    assert await sender.fruits("ada", "bob") == {"ada": "Prune", "bob": None}
    await make_tag(runtime, channel, "Apple", "ada")
    assert await sender.fruits("ada", "bob") == {"ada": "Apple, Prune", "bob": None}
    await delete_tag_of(runtime, channel, plum)
    assert await sender.fruits("ada", "bob") == {"ada": "Apple", "bob": None}
    await unbind_channel(runtime, admin(), channel.channel_id)
    assert await sender.fruits("ada", "bob") == {"ada": None, "bob": None}


async def test_names_are_inserted_as_data(sender: Sender) -> None:
    await make_tag(sender.runtime, sender.channel, "{{openid}} <b>&amp;", "ada")
    await make_tag(sender.runtime, sender.channel, "<>", "ada", "bob")

    assert await sender.fruits("ada", "bob") == {"ada": "{{openid}} bamp;", "bob": None}


async def test_names_are_read_once(sender: Sender) -> None:
    await make_tag(sender.runtime, sender.channel, "Plum", "ada")
    await sender.fruits("ada")
    with counted_statements() as statements:
        await sender.fruits("ada")
    # Who she is, and her tags.
    assert len(statements) == 2


async def test_a_category_without_tags_is_unknown(runtime: Runtime, channel: Channel) -> None:
    plum = await make_tag(runtime, channel, "Plum", "ada")
    message = template(
        ("thing1", "{{tag:Fruit}} {{tag:Follow time|ever}}"),
        ("thing2", "{{tag:Fruits}} {{tag:Cake}}"),
        url="https://shop.example/?{{tag:fruit}}",
    )

    async def unknown() -> list[str]:
        async with runtime.pool.acquire() as conn:
            catalogue = await tags.catalogue(conn, channel.channel_id)
        assert category_errors(catalogue, text("{{tag:Opening}} {{openid}}")) == []
        return [".".join(map(str, each.path)) for each in category_errors(catalogue, message)]

    assert await unknown() == ["message.template.data.1.value", "message.template.url"]
    await delete_tag_of(runtime, channel, plum)
    assert await unknown() == [
        "message.template.data.0.value",
        "message.template.data.1.value",
        "message.template.url",
    ]
