"""Make what the deliveries of an endpoint are signed with, and show what its owner needs to check them.

The texts are those of Standard Webhooks 1.0: `whsec_`, `whsk_` and `whpk_`, followed by base64.
"""

import base64
import secrets
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.entities.webhooks import SigningSecrets, WebhookEndpoint
from service.foundation.encryption import SecretBox

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what every secret begins with
SIGNING_KEY_PREFIX: Final = "whsk_"
PUBLIC_KEY_PREFIX: Final = "whpk_"
SECRET_BYTES: Final = 32


class NewSecrets(NamedTuple):
    """Hold new secrets, encrypted, and the public key that goes with the private one."""

    secrets: SigningSecrets
    public_key: str


def new_secrets(secret_box: SecretBox) -> NewSecrets:
    """Return a new secret of 256 bits and a new pair of ed25519 keys."""
    key = Ed25519PrivateKey.generate()
    return NewSecrets(
        SigningSecrets(
            secret=secret_box.encrypt(SECRET_PREFIX + _base64(secrets.token_bytes(SECRET_BYTES))),
            signing_key=secret_box.encrypt(SIGNING_KEY_PREFIX + _base64(key.private_bytes_raw())),
        ),
        public_key=PUBLIC_KEY_PREFIX + _base64(key.public_key().public_bytes_raw()),
    )


def decrypt_secret(secret_box: SecretBox, endpoint: WebhookEndpoint) -> str:
    """Return the secret of an endpoint; the caller has checked who may see it."""
    return secret_box.decrypt(endpoint.secrets.secret)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
