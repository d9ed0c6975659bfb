"""Make genuine, encrypted pushes of a message whose text, which nobody reads, has odd bytes in it."""

from datetime import UTC, datetime
from random import Random
from typing import Final

from service.dev.demo.push_encoder import BodyFormat, encode_body
from service.wechat.crypto import Envelope, sign
from tests.fuzz.junk import ODD_BYTES

CALLBACK_TOKEN: Final = "fuzzing"
AES_KEY: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
ACCOUNT: Final = "gh_fuzzing"
MARK: Final = "the text of the message"


def encrypted_push(app_id: str, openid: str, random: Random) -> tuple[dict[str, str], bytes]:
    """Return the query and the body of a push, in XML or in JSON."""
    now = str(int(datetime.now(UTC).timestamp()))
    body_format: BodyFormat = random.choice(("xml", "json"))
    fields = {
        "ToUserName": ACCOUNT,
        "FromUserName": openid,
        "CreateTime": now,
        "MsgType": "text",
        "Content": MARK,
        "MsgId": str(random.randrange(2**62)),
    }
    message = encode_body(fields, body_format).replace(MARK.encode(), odd_text(random))
    encrypted = Envelope(AES_KEY, app_id).encrypt(message)
    nonce = str(random.randrange(2**32))
    query = {
        "signature": sign(CALLBACK_TOKEN, now, nonce),
        "timestamp": now,
        "nonce": nonce,
        "openid": openid,
        "encrypt_type": "aes",
        "msg_signature": sign(CALLBACK_TOKEN, now, nonce, encrypted),
    }
    return query, encode_body({"ToUserName": ACCOUNT, "Encrypt": encrypted}, body_format)


def odd_text(random: Random) -> bytes:
    """Return a text with odd bytes in it, also such as seem to end it."""
    choices = (b"hello", "你好".encode(), *ODD_BYTES)
    return b" ".join(random.choice(choices) for _ in range(random.randint(0, 6)))
