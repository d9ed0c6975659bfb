"""Secrets at rest: sealed before they reach the database, found again by hash, made unguessable."""

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
    """A sealed value fits none of the configured keys: a key is missing, or the value was altered."""


class SecretBox:
    """Encrypts and authenticates short texts (Fernet: AES-128-CBC with HMAC-SHA256).

    `keys` are the strings of `USER_TAGS_SECRETS_KEY`, random and at least 32 bytes long, so that HKDF and no
    slow password hash derives the key. The first seals; all of them open. To rotate, put the new key in front
    and keep the old one behind it; drop the old one once every value has been sealed again.
    Raises SettingsError when there is no key.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        if not keys:
            raise SettingsError("Secrets cannot be stored without USER_TAGS_SECRETS_KEY.")
        self._fernet = MultiFernet([_fernet(key) for key in keys])
        self._signing_keys = [_derive_key(key, LINK_SIGNING_PURPOSE) for key in keys]
        self._fingerprint_keys = [_derive_key(key, FINGERPRINT_PURPOSE) for key in keys]

    def encrypt(self, text: str) -> bytes:
        """Encrypt with the first key. The same text gives different bytes every time."""
        return self._fernet.encrypt(text.encode())

    def decrypt(self, encrypted: bytes) -> str:
        """Decrypt what any of the keys sealed; raises DecryptionError when none did."""
        try:
            return self._fernet.decrypt(encrypted).decode()
        except InvalidToken as error:
            raise DecryptionError("A stored secret fits none of the keys in USER_TAGS_SECRETS_KEY.") from error

    def sign(self, text: str) -> str:
        """A signature (HMAC-SHA256, URL-safe) for a text that goes out and comes back. The same each time."""
        return _signature(self._signing_keys[0], text)

    def verify_signature(self, text: str, signature: str) -> bool:
        """Whether one of the keys signed this text."""
        given = signature.encode()
        return any(hmac.compare_digest(_signature(key, text).encode(), given) for key in self._signing_keys)

    def fingerprints(self, text: str) -> tuple[bytes, ...]:
        """Hash (HMAC-SHA256) a text that could be guessed, with each key: store the first, look for any."""
        return tuple(hmac.digest(key, text.encode(), "sha256") for key in self._fingerprint_keys)


def lookup_hash(secret: str) -> bytes:
    """Hash (SHA-256, 32 bytes) an unguessable secret, to find its row by.

    The index then compares digests, whose timing tells nothing of the secret, and the table does not hold it.
    Only for secrets of high entropy: there is no salt.
    """
    return hashlib.sha256(secret.encode()).digest()


def new_path_secret() -> str:
    """Make a secret for a URL path: 192 random bits in 32 URL-safe characters."""
    return secrets.token_urlsafe(PATH_SECRET_BYTES)


def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derive_key(key, ENCRYPTION_PURPOSE)))


def _derive_key(key: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key.encode())


def _signature(key: bytes, text: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, text.encode(), "sha256")).decode().rstrip("=")
