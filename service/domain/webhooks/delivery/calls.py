"""Sign a body with the secrets of an endpoint, and call it."""

import secrets
from collections.abc import Callable
from typing import Final

from cachetools import LRUCache

from service.domain.runtime import Runtime
from service.entities.webhooks import SigningSecrets, WebhookEndpoint, WebhookError
from service.foundation.encryption import DecryptionError
from service.webhooks.answers import Answer
from service.webhooks.client import WebhookClient
from service.webhooks.signatures import Signer, read_signer, signed_headers

MESSAGE_ID_PREFIX: Final = "msg_"
# Of so many endpoints the keys are kept ready.
MAX_SIGNERS: Final = 2_000


def new_message_id() -> str:
    """Return a new `webhook-id`: 144 random bits, without a full stop."""
    return MESSAGE_ID_PREFIX + secrets.token_urlsafe(18)


class Caller:
    """Call endpoints with signed bodies; `may_call` tells whether this installation makes calls at all."""

    def __init__(self, runtime: Runtime, client: WebhookClient, may_call: Callable[[], bool]) -> None:
        self._runtime = runtime
        self._client = client
        self.may_call = may_call
        self._signers: LRUCache[SigningSecrets, Signer] = LRUCache(MAX_SIGNERS)

    async def call(self, endpoint: WebhookEndpoint, message_id: str, body: bytes) -> Answer:
        """Return what an endpoint answers to a body; whatever goes wrong is in the answer."""
        now = self._runtime.clock()
        try:
            signers = [self._signer(endpoint.secrets)]
            if endpoint.former is not None and endpoint.former_until is not None and now < endpoint.former_until:
                signers.append(self._signer(endpoint.former))
        except DecryptionError as error:
            return Answer(None, WebhookError.CONNECT, f"Nothing was sent. {error}")
        headers = signed_headers(message_id, int(now.timestamp()), body, signers)
        return await self._client.send(endpoint.url, headers, body)

    def _signer(self, encrypted: SigningSecrets) -> Signer:
        signer = self._signers.get(encrypted)
        if signer is None:
            box = self._runtime.secret_box
            signer = read_signer(box.decrypt(encrypted.secret), box.decrypt(encrypted.signing_key))
            self._signers[encrypted] = signer
        return signer
