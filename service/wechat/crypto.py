"""Check WeChat's signatures, and open and make its AES envelopes.

Source: developers.weixin.qq.com `/doc/subscription/guide/dev/push/encryption.md`; docs/specification.md §9.4.
"""

import base64
import hashlib
import hmac
import re
import secrets
import string
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

ENCODING_AES_KEY: Final = re.compile(r"[A-Za-z0-9+/]{43}")
AES_BLOCK: Final = 16
PADDING_BLOCK: Final = 32
HEADER_BYTES: Final = 20
"""Bytes before the message: 16 random ones and the length, a big-endian uint32."""
ASCII_SPACE: Final = b" \t\n\r\f\v"
CANONICAL_ENDINGS: Final = "AEIMQUYcgkosw048"
"""Last characters whose two surplus bits are zero: strict decoders refuse the others."""


class EnvelopeError(Exception):
    """The key or the envelope cannot be used.

    `reason` is for logs. Never send it to a caller: telling padding from app id apart is a decryption oracle.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def sign(*parts: str) -> str:
    """Return the hex SHA-1 of the sorted, joined parts: token, timestamp, nonce and, in safe mode, `Encrypt`."""
    return hashlib.sha1("".join(sorted(parts)).encode(errors="surrogatepass")).hexdigest()  # noqa: S324 (WeChat's choice)


def verify_signature(*parts: str, given: str) -> bool:
    """Return whether `given` signs `parts`, in a time that does not tell how much of it is right."""
    return hmac.compare_digest(sign(*parts).encode(), given.encode(errors="surrogatepass"))


def new_encoding_aes_key() -> str:
    """Return a random key of 43 letters and digits (250 bits) that every base64 decoder accepts."""
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(42)) + secrets.choice(CANONICAL_ENDINGS)


class Envelope:
    """Encrypt and decrypt messages of one account: AES-256-CBC over random(16), length(4), message, app id, padding.

    `encoding_aes_key` is the 43 characters shown in WeChat's console (surplus bits in the last one
    are ignored, as there); `app_id` is whose envelope it is, and `others` may have written what is read.
    Raises EnvelopeError when one of them cannot be used.
    CBC does not authenticate: who can alter an envelope can alter the message in it. Only a signature prevents that.
    """

    def __init__(self, encoding_aes_key: str, app_id: str, *others: str) -> None:
        if ENCODING_AES_KEY.fullmatch(encoding_aes_key) is None:
            raise EnvelopeError("an EncodingAESKey has 43 characters of the base64 alphabet")
        if not app_id:
            raise EnvelopeError("the app id is empty")
        key = base64.b64decode(encoding_aes_key + "=")
        self._cipher = Cipher(algorithms.AES(key), modes.CBC(key[:AES_BLOCK]))
        self._app_id = app_id.encode()
        self._readable = (self._app_id, *(other.encode() for other in others))

    def encrypt(self, message: bytes, random16: bytes | None = None) -> str:
        """Return the envelope of `message` in base64. `random16` is fixed only to reproduce test vectors."""
        random_block = secrets.token_bytes(AES_BLOCK) if random16 is None else random16
        plaintext = random_block + len(message).to_bytes(4, "big") + message + self._app_id
        padding = PADDING_BLOCK - len(plaintext) % PADDING_BLOCK
        encryptor = self._cipher.encryptor()
        return base64.b64encode(
            encryptor.update(plaintext + bytes([padding]) * padding) + encryptor.finalize()
        ).decode()

    def decrypt(self, encrypted: str) -> bytes:
        """Return the message in an envelope. Raises EnvelopeError when it is malformed or another account's.

        The random block is not checked, because clients that use a zero IV garble it.
        """
        try:
            ciphertext = base64.b64decode(encrypted.encode("ascii").translate(None, ASCII_SPACE), validate=True)
        except ValueError as error:
            raise EnvelopeError("the envelope is not base64") from error
        if len(ciphertext) < HEADER_BYTES or len(ciphertext) % AES_BLOCK:
            raise EnvelopeError("the envelope is cut off")
        decryptor = self._cipher.decryptor()
        plaintext = _unpad(decryptor.update(ciphertext) + decryptor.finalize())
        end = HEADER_BYTES + int.from_bytes(plaintext[AES_BLOCK:HEADER_BYTES], "big")
        if len(plaintext) < HEADER_BYTES or end > len(plaintext):
            raise EnvelopeError("the length in the envelope is wrong")
        if not any(hmac.compare_digest(plaintext[end:], app_id) for app_id in self._readable):
            raise EnvelopeError("the envelope is for another app id")
        return plaintext[HEADER_BYTES:end]


def _unpad(padded: bytes) -> bytes:
    size = padded[-1]
    if not 1 <= size <= PADDING_BLOCK or padded[-size:] != bytes([size]) * size:
        raise EnvelopeError("the padding is wrong")
    return padded[:-size]
