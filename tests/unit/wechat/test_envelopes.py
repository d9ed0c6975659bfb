"""Encrypt and decrypt AES envelopes as the official vector and an independent client do."""

import base64
import re

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import assume, given
from hypothesis import strategies as st
from wechatpy.crypto import PrpCrypto

from service.wechat.crypto import Envelope, EnvelopeError, new_encoding_aes_key

KEY = "A" * 43
APP_ID = "wxba5fad812f8e6fb9"
OFFICIAL_REPLY = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="

app_ids = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


def encrypt_raw(plain: bytes, iv: bytes | None = None) -> str:
    key = base64.b64decode(KEY + "=")
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv or key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def padded(plain: bytes, block: int = 32) -> bytes:
    size = block - len(plain) % block
    return plain + bytes([size]) * size


def test_the_official_vector_is_reproduced() -> None:
    encrypted = Envelope(KEY, APP_ID).encrypt(b'{"demo_resp":"good luck"}', b"707722b803182950")

    assert encrypted == OFFICIAL_REPLY
    assert Envelope(KEY, APP_ID).decrypt(encrypted) == b'{"demo_resp":"good luck"}'


@given(message=st.binary(max_size=300), app_id=app_ids)
def test_any_message_comes_back_for_any_app_id(message: bytes, app_id: str) -> None:
    key = new_encoding_aes_key()

    assert Envelope(key, app_id).decrypt(Envelope(key, app_id).encrypt(message)) == message


@given(message=st.binary(max_size=100))
def test_a_message_is_never_encrypted_to_the_same_bytes_twice(message: bytes) -> None:
    envelope = Envelope(KEY, APP_ID)

    assert envelope.encrypt(message) != envelope.encrypt(message)


@given(text=st.text(st.characters(codec="utf-8"), max_size=200))
def test_wechatpy_and_we_open_each_others_envelopes(text: str) -> None:
    theirs = PrpCrypto(base64.b64decode(KEY + "="))
    ours = Envelope(KEY, APP_ID)

    assert theirs.decrypt(ours.encrypt(text.encode()), APP_ID) == text
    assert ours.decrypt(theirs.encrypt(text, APP_ID).decode()) == text.encode()


@given(message=st.binary(max_size=120), position=st.integers(min_value=0), flipped=st.integers(1, 255))
def test_a_corrupted_byte_never_shifts_the_message_or_passes_for_another_app_id(
    message: bytes, position: int, flipped: int
) -> None:
    # CBC garbles the block that was hit and flips the same bits in the next one: a byte of the message may
    # well change unseen. That is why nothing is believed before its signature was checked.
    envelope = Envelope(KEY, APP_ID)
    encrypted = bytearray(base64.b64decode(envelope.encrypt(message, bytes(16))))
    encrypted[position % len(encrypted)] ^= flipped

    try:
        opened = envelope.decrypt(base64.b64encode(encrypted).decode())
    except EnvelopeError:
        return
    assert len(opened) == len(message)


@given(junk=st.one_of(st.text(max_size=200), st.binary(max_size=200).map(lambda raw: base64.b64encode(raw).decode())))
def test_junk_is_rejected_with_the_one_error(junk: str) -> None:
    with pytest.raises(EnvelopeError):
        Envelope(KEY, APP_ID).decrypt(junk)


@given(other=app_ids)
def test_an_envelope_for_another_app_id_is_rejected(other: str) -> None:
    assume(other != APP_ID)

    with pytest.raises(EnvelopeError, match="another app id"):
        Envelope(KEY, APP_ID).decrypt(Envelope(KEY, other).encrypt(b"hello"))


@pytest.mark.parametrize("cut", [1, 15, 16, 17, 32, 48])
def test_a_truncated_envelope_is_rejected(cut: int) -> None:
    whole = base64.b64decode(Envelope(KEY, APP_ID).encrypt(b"x" * 40))

    with pytest.raises(EnvelopeError):
        Envelope(KEY, APP_ID).decrypt(base64.b64encode(whole[:-cut]).decode())


@pytest.mark.parametrize("length", [0, 4, 6, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_field_that_lies_is_rejected(length: int) -> None:
    plain = padded(bytes(16) + length.to_bytes(4, "big") + b"hello" + APP_ID.encode())

    with pytest.raises(EnvelopeError):
        Envelope(KEY, APP_ID).decrypt(encrypt_raw(plain))


@pytest.mark.parametrize("padding", [bytes(20), b"\x21" * 33 + b"\x00" * 19, b"\x05" * 19 + b"\x14", b"\xff" * 20])
def test_wrong_padding_is_rejected(padding: bytes) -> None:
    plain = bytes(16) + (6).to_bytes(4, "big") + b"hello!" + APP_ID.encode() + padding
    plain += plain[-1:] * (-len(plain) % 16)

    with pytest.raises(EnvelopeError):
        Envelope(KEY, APP_ID).decrypt(encrypt_raw(plain))


def test_a_client_with_a_zero_iv_is_understood() -> None:
    # Only the random block is garbled by it.
    plain = padded(bytes(range(16)) + (5).to_bytes(4, "big") + b"hello" + APP_ID.encode())

    assert Envelope(KEY, APP_ID).decrypt(encrypt_raw(plain, iv=bytes(16))) == b"hello"


def test_a_client_that_pads_to_sixteen_or_wraps_its_base64_is_understood() -> None:
    plain = padded(bytes(16) + (5).to_bytes(4, "big") + b"hello" + APP_ID.encode(), block=16)
    encrypted = encrypt_raw(plain)

    assert Envelope(KEY, APP_ID).decrypt(f"{encrypted[:40]}\r\n{encrypted[40:]}\n") == b"hello"


@pytest.mark.parametrize(
    "key", ["", "A" * 42, "A" * 44, "A" * 42 + "=", "A" * 42 + "-", "A" * 42 + "é", "A" * 43 + "\n"]
)
def test_a_key_that_is_none_is_rejected(key: str) -> None:
    with pytest.raises(EnvelopeError, match="43 characters"):
        Envelope(key, APP_ID)


def test_an_empty_app_id_is_rejected_because_its_tail_would_prove_nothing() -> None:
    with pytest.raises(EnvelopeError, match="app id"):
        Envelope(KEY, "")


@pytest.mark.parametrize("last", "ABCD")
def test_surplus_bits_at_the_end_of_a_key_do_not_matter(last: str) -> None:
    assert Envelope("A" * 42 + last, APP_ID).decrypt(OFFICIAL_REPLY) == b'{"demo_resp":"good luck"}'


def test_a_new_key_is_one_that_strict_decoders_take_too() -> None:
    key = new_encoding_aes_key()

    assert re.fullmatch(r"[A-Za-z0-9]{43}", key)
    assert base64.b64encode(base64.b64decode(key + "=")).decode() == key + "="
    assert key != new_encoding_aes_key()
