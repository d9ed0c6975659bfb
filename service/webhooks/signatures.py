"""Sign deliveries by Standard Webhooks 1.0: `v1` is HMAC-SHA256, `v1a` is ed25519.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, "Signature scheme".
"""

import base64
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"


@dataclass(frozen=True, slots=True)
class Signer:
    """Hold the key of HMAC and the private key of ed25519 that an endpoint's deliveries are signed with."""

    hmac_key: bytes = field(repr=False)
    private_key: Ed25519PrivateKey = field(repr=False)

    def sign(self, signed: bytes) -> str:
        """Return both signatures of some bytes, with a space between them."""
        digest = hmac.digest(self.hmac_key, signed, "sha256")
        return f"v1,{_base64(digest)} v1a,{_base64(self.private_key.sign(signed))}"


def read_signer(secret: str, signing_key: str) -> Signer:
    """Return what signs with a secret (`whsec_…`) and a private key (`whsk_…`); raises ValueError for other texts."""
    return Signer(
        hmac_key=_decode(secret, "whsec_"),
        private_key=Ed25519PrivateKey.from_private_bytes(_decode(signing_key, "whsk_")),
    )


def signed_headers(message_id: str, timestamp: int, body: bytes, signers: Iterable[Signer]) -> dict[str, str]:
    """Return the three headers of a delivery, signed by each of the signers.

    `message_id` has no full stop, since one parts it from the `timestamp`: seconds since 1970, of this attempt.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: " ".join(signer.sign(signed) for signer in signers),
    }


def _decode(text: str, prefix: str) -> bytes:
    if not text.startswith(prefix):
        raise ValueError(f"a key that does not begin with {prefix}")
    return base64.b64decode(text.removeprefix(prefix), validate=True)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
