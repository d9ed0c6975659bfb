"""Execute each event of `tagEvents` once for all panels that ask the same with the same rights.

What an event shows of a tag may take the database, like its count. So it is executed for a principal who stands for all
with those rights, and every panel receives a copy with its own cursor. Who may not see people still sees what their own
lists held: then only panels of one subject have equal rights.
"""

import asyncio
import uuid
from dataclasses import replace
from operator import attrgetter
from typing import Final, NamedTuple

import orjson
from cachetools import FIFOCache
from strawberry.types import ExecutionResult

from service.api.context import Context
from service.api.errors import masked_result
from service.api.live.request import SubscriptionRequest
from service.api.operations.tag_events import tag_event_to_graphql
from service.entities.feed import PanelUpdate
from service.entities.principal import Permission
from service.foundation.byte_cache import ByteCache

TAG_EVENTS_FIELD: Final = "tagEvents"
# Of all encoders: their operations, and what each is reckoned to keep beside them. That is about a thousand encoders.
MAX_BYTES: Final = 67_108_864
ENCODER_BYTES: Final = 65_536
# A panel that is further behind than this has its events executed again.
MAX_CACHED_EVENTS: Final = 100
CURSOR_PLACEHOLDER: Final = uuid.uuid4().hex


class _SharedEvent(NamedTuple):
    """Hold an update and the task that encodes it; while it is held, its identity, which is the key, is not reused."""

    update: PanelUpdate
    encoding: asyncio.Task[list[bytes] | None]


class TagEventsEncoder:
    """Encode the events of equal operations of principals with equal rights."""

    def __init__(self, request: SubscriptionRequest, context: Context) -> None:
        """Take one of the operations, and a context of the principal who stands for all with the same rights."""
        self.size = request.size + ENCODER_BYTES
        self._request = request
        self._context = context
        # By identity: all panels of a channel receive the same object.
        self._events: FIFOCache[int, _SharedEvent] = FIFOCache(MAX_CACHED_EVENTS)

    async def encode(self, update: PanelUpdate, cursor: str) -> bytes | None:
        """Return the `data` of one event as JSON; None if it has errors, which each principal receives for itself."""
        event = self._events.get(id(update))
        if event is None:
            task = asyncio.create_task(self._encode_event(update), name="panel event")
            event = self._events[id(update)] = _SharedEvent(update, task)
        # A panel that closes meanwhile must not cancel what the others wait for.
        chunks = await asyncio.shield(event.encoding)
        return None if chunks is None else cursor.encode().join(chunks)

    async def execute_event(self, update: PanelUpdate, cursor: str, context: Context) -> ExecutionResult:
        """Return the answer to one event for one principal."""
        request = self._request
        event = tag_event_to_graphql(cursor, update, context.named(update.catalogue))
        return masked_result(await request.plan.execute(request.coerced_variables, context, event), context)

    async def _encode_event(self, update: PanelUpdate) -> list[bytes] | None:
        # A context without loaders: every event sees the present.
        result = await self.execute_event(update, CURSOR_PLACEHOLDER, replace(self._context))
        return None if result.errors else orjson.dumps(result.data).split(CURSOR_PLACEHOLDER.encode())


class TagEventsEncoderCache:
    """Keep the encoders of a process, by operation, the variables its events depend on, rights and language."""

    def __init__(self) -> None:
        self._encoders: ByteCache[tuple[object, ...], TagEventsEncoder] = ByteCache(MAX_BYTES, attrgetter("size"))

    def encoder_for(self, request: SubscriptionRequest, context: Context) -> TagEventsEncoder:
        """Return the encoder of an operation with the rights of the principal in `context`, and its language."""
        plan, variables, principal = request.plan, request.variables, context.principal
        event_variables = {name: variables[name] for name in plan.variables_of_events if name in variables}
        subject = "" if principal.may(Permission.VIEW_USERS) else principal.subject
        rights = (principal.robot_id, principal.role, principal.channel_ids, subject)
        key = (plan, orjson.dumps(event_variables, option=orjson.OPT_SORT_KEYS), rights, context.language)
        encoder = self._encoders.get(key)
        if encoder is None:
            representative = replace(principal, subject=subject)
            shared_context = Context(
                context.resources, context.presenters, uuid.uuid4().hex, representative, language=context.language
            )
            encoder = self._encoders[key] = TagEventsEncoder(request, shared_context)
        return encoder
