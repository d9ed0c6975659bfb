"""Encrypt secrets with the first key, decrypt them with any, and notice every change."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.foundation.encryption import DecryptionError, SecretBox, lookup_hash, new_path_secret
from service.foundation.settings import SettingsError

OLD, NEW = "the old key, which is long enough, is this", "the new key, which is long enough, is this"


@given(st.text(st.characters(codec="utf-8")))
def test_what_is_encrypted_can_be_decrypted(text: str) -> None:
    secret_box = SecretBox((OLD,))
    assert secret_box.decrypt(secret_box.encrypt(text)) == text


def test_encrypted_bytes_hide_the_text_and_its_repetition() -> None:
    secret_box = SecretBox((OLD,))
    assert b"app secret" not in secret_box.encrypt("app secret")
    assert secret_box.encrypt("app secret") != secret_box.encrypt("app secret")


def test_two_processes_with_the_same_key_understand_each_other() -> None:
    assert SecretBox((OLD,)).decrypt(SecretBox((OLD,)).encrypt("app secret")) == "app secret"


def test_keys_can_be_rotated() -> None:
    before = SecretBox((OLD,)).encrypt("app secret")
    during = SecretBox((NEW, OLD))
    assert during.decrypt(before) == "app secret"
    after = during.encrypt("app secret")
    assert SecretBox((NEW,)).decrypt(after) == "app secret"
    with pytest.raises(DecryptionError):
        SecretBox((OLD,)).decrypt(after)
    with pytest.raises(DecryptionError):
        SecretBox((NEW,)).decrypt(before)


def test_every_altered_byte_is_noticed() -> None:
    secret_box = SecretBox((OLD,))
    encrypted = secret_box.encrypt("app secret")
    for at in range(len(encrypted)):
        with pytest.raises(DecryptionError):
            secret_box.decrypt(encrypted[:at] + bytes([encrypted[at] ^ 1]) + encrypted[at + 1 :])


@pytest.mark.parametrize("encrypted", [b"", b"app secret", b"\xff\x00", b"=" * 100])
def test_what_was_never_encrypted_is_refused(encrypted: bytes) -> None:
    with pytest.raises(DecryptionError, match="USER_TAGS_SECRETS_KEY"):
        SecretBox((OLD,)).decrypt(encrypted)


def test_no_key_names_the_variable() -> None:
    with pytest.raises(SettingsError, match="USER_TAGS_SECRETS_KEY"):
        SecretBox(())


def test_a_lookup_hash_is_the_sha256_of_the_secret() -> None:
    assert lookup_hash("secret") == hashlib.sha256(b"secret").digest()
    assert lookup_hash("secret") != lookup_hash("Secret")


def test_path_secrets_are_long_and_need_no_quoting() -> None:
    made = {new_path_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[\w-]{32}", secret) for secret in made)
