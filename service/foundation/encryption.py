"""Encrypt secrets before they are stored, hash those that rows are found by, and make new ones."""

import base64
import hashlib
import hmac
import secrets
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.foundation.settings import SettingsError

ENCRYPTION_PURPOSE: Final = b"user-tags secrets at rest v1"
LINK_SIGNING_PURPOSE: Final = b"user-tags signed links v1"
FINGERPRINT_PURPOSE: Final = b"user-tags fingerprints of forgotten openids v1"
PATH_SECRET_BYTES: Final = 24


class DecryptionError(Exception):
    """Raised when a stored secret fits none of the configured keys: a key is missing, or the value was altered."""


class SecretBox:
    """Encrypt and authenticate short texts (Fernet: AES-128-CBC with HMAC-SHA256).

    `keys` are the strings of `USER_TAGS_SECRETS_KEY`, random and at least 32 bytes long, so that HKDF derives the keys
    and no slow password hash is needed. The first encrypts; all of them decrypt. To rotate, put the new key in front,
    and drop the old one when every value has been encrypted again. Raises SettingsError if there is no key.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        if not keys:
            raise SettingsError("Secrets cannot be stored without USER_TAGS_SECRETS_KEY.")
        self._fernet = MultiFernet([_fernet(key) for key in keys])
        self._signing_keys = [_derive_key(key, LINK_SIGNING_PURPOSE) for key in keys]
        self._fingerprint_keys = [_derive_key(key, FINGERPRINT_PURPOSE) for key in keys]

    def encrypt(self, text: str) -> bytes:
        """Return the text encrypted with the first key; the bytes differ each time."""
        return self._fernet.encrypt(text.encode())

    def decrypt(self, encrypted: bytes) -> str:
        """Return the text that one of the keys encrypted; raises DecryptionError if none did."""
        try:
            return self._fernet.decrypt(encrypted).decode()
        except InvalidToken as error:
            raise DecryptionError("A stored secret fits none of the keys in USER_TAGS_SECRETS_KEY.") from error

    def sign(self, text: str) -> str:
        """Return a signature (HMAC-SHA256, URL-safe) of a text that a client will send back; the same each time."""
        return _signature(self._signing_keys[0], text)

    def verify_signature(self, text: str, signature: str) -> bool:
        """Tell whether one of the keys signed this text."""
        given = signature.encode()
        return any(hmac.compare_digest(_signature(key, text).encode(), given) for key in self._signing_keys)

    def fingerprints(self, text: str) -> tuple[bytes, ...]:
        """Return a hash (HMAC-SHA256, 32 bytes) of a guessable text for each key: store the first, search for any."""
        return tuple(hmac.digest(key, text.encode(), "sha256") for key in self._fingerprint_keys)


def lookup_hash(secret: str) -> bytes:
    """Return a hash (SHA-256, 32 bytes) of an unguessable secret, to find its row by.

    The table does not hold the secret, and the timing of the index reveals only digests. There is no salt, so the
    secret must be random, as from `new_path_secret`.
    """
    return hashlib.sha256(secret.encode()).digest()


def new_path_secret() -> str:
    """Return a new secret for a URL path: 192 random bits in 32 URL-safe characters."""
    return secrets.token_urlsafe(PATH_SECRET_BYTES)


def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derive_key(key, ENCRYPTION_PURPOSE)))


def _derive_key(key: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key.encode())


def _signature(key: bytes, text: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, text.encode(), "sha256")).decode().rstrip("=")
