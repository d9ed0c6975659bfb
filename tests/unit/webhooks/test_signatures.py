"""Sign so that the reference implementation of Standard Webhooks accepts it, and nothing else."""

import base64
from datetime import UTC, datetime

import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from service.webhooks.signatures import Signer, read_signer, signed_headers

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
SIGNING_KEY = "whsk_" + base64.b64encode(KEY.private_bytes_raw()).decode()
BODY = b'{"events":[]}'


def now() -> int:
    return int(datetime.now(UTC).timestamp())


def signer(first: int = 0) -> Signer:
    secret = "whsec_" + base64.b64encode(bytes(range(first, first + 32))).decode()
    return read_signer(secret, SIGNING_KEY)


@given(st.dictionaries(st.text(), st.text() | st.integers(-(2**53), 2**53)))
def test_the_reference_implementation_accepts_v1(content: dict[str, object]) -> None:
    body = orjson.dumps(content)

    assert Webhook(SECRET).verify(body, signed_headers("msg_a1", now(), body, [signer()])) == content


def test_it_accepts_the_signature_of_either_secret_while_they_change() -> None:
    headers = signed_headers("msg_a1", now(), BODY, [signer(), signer(100)])

    assert Webhook(SECRET).verify(BODY, headers) == {"events": []}
    assert Webhook("whsec_" + base64.b64encode(bytes(range(100, 132))).decode()).verify(BODY, headers) == {"events": []}


@pytest.mark.parametrize("altered", ["id", "timestamp", "body", "secret"])
def test_it_refuses_what_was_altered(altered: str) -> None:
    headers = signed_headers("msg_a1", now(), BODY, [signer(50 if altered == "secret" else 0)])
    if altered == "id":
        headers["webhook-id"] = "msg_a2"
    if altered == "timestamp":
        headers["webhook-timestamp"] = str(now() - 1 if str(now()) == headers["webhook-timestamp"] else now())
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(b"{}" if altered == "body" else BODY, headers)


def test_v1a_is_an_ed25519_signature_of_id_timestamp_and_body() -> None:
    headers = signed_headers("msg_a1", 1_674_087_231, BODY, [signer()])
    version, _, signature = headers["webhook-signature"].split(" ")[1].partition(",")
    raw = base64.b64decode(signature, validate=True)

    assert version == "v1a"
    public_key = Ed25519PublicKey.from_public_bytes(KEY.public_key().public_bytes_raw())
    public_key.verify(raw, b'msg_a1.1674087231.{"events":[]}')
    with pytest.raises(InvalidSignature):
        public_key.verify(raw, b'msg_a1.1674087232.{"events":[]}')


# The vector of RFC 8032, section 7.1, test 3: v1a is Ed25519 itself, not one of its variants.
def test_the_vector_of_the_rfc() -> None:
    private = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
    signing = read_signer(SECRET, "whsk_" + base64.b64encode(private).decode())

    _, v1a = signing.sign(bytes.fromhex("af82")).split()
    assert base64.b64decode(v1a.removeprefix("v1a,")).hex() == (
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    )


# The example of the specification and of all reference implementations.
def test_the_vector_of_the_reference_implementations() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signing = read_signer(secret, SIGNING_KEY)
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}', [signing])

    assert headers["webhook-signature"].split()[0] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(("secret", "key"), [(SIGNING_KEY, SIGNING_KEY), (SECRET, SECRET), ("whsec_?", SIGNING_KEY)])
def test_other_texts_are_no_keys(secret: str, key: str) -> None:
    with pytest.raises(ValueError, match=r"a key that|base64"):
        read_signer(secret, key)
