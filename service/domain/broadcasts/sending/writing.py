"""Write the message of a broadcast to one person after the other, with what is known of each."""

from collections.abc import Sequence
from typing import NamedTuple

from service.domain.broadcasts.messages.calls import call_to_one
from service.domain.broadcasts.messages.rendering import NO_VALUES, MessageRenderer
from service.domain.broadcasts.messages.tag_values import TagValueReader
from service.entities.broadcast_messages import BroadcastMessage, message_from_json
from service.entities.broadcasts import Broadcast
from service.storage.broadcasts import broadcast_ledger as ledger
from service.storage.database.pool import Connection
from service.wechat.api.call import ApiCall
from service.wechat.api.message_calls import Sent


class Letter(NamedTuple):
    """Hold a message as one person gets it, and the person's openid."""

    openid: str
    message: BroadcastMessage

    def call(self, client_id: str) -> ApiCall[Sent]:
        """Return the call that sends it, with an id by which WeChat knows a repeat where the kind has one."""
        return call_to_one(self.message, self.openid, client_id)


class LetterWriter:
    """Write a frozen message to people; one for all people of a slice, as it remembers what they share."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._channel_id = broadcast.channel_id
        self._renderer = MessageRenderer(message_from_json(broadcast.message))
        self._values = TagValueReader(broadcast.channel_id, self._renderer.categories)

    async def write(self, conn: Connection, ordinals: Sequence[int]) -> dict[int, Letter]:
        """Return the letters, `{ordinal: letter}`; none for whom a value is missing, or who was forgotten."""
        if not ordinals:
            return {}
        openids = await ledger.openids_by_ordinal(conn, self._channel_id, ordinals)
        values = await self._values.read(conn, ordinals)
        letters = {}
        for ordinal, openid in openids.items():
            message = self._renderer.render(openid, values.get(ordinal, NO_VALUES))
            if message is not None:
                letters[ordinal] = Letter(openid, message)
        return letters
