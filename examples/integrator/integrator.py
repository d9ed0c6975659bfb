"""Report events of users and return lists of users, as an integrator does (`pip install httpx cryptography`).

Shows three ways: recordEvents, submitReturnData, and the return-data call of the WeChat dialogue platform, for which an
existing client only has to change the host.

TOKEN=… CHANNEL=… APP_ID=wx… RETURN_ADDRESS=… RETURN_APP_ID=… RETURN_KEY=… OPENIDS=a,b [URL=http://127.0.0.1:8000] \
    python integrator.py
"""

import base64
import json
import os
import random
import struct
import time
import uuid
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import httpx
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

URL = os.environ.get("URL", "http://127.0.0.1:8000")
ATTEMPTS = 6

RECORD = """
mutation Report($channel: ID!, $events: [UserEventInput!]!) {
  recordEvents(input: {channelId: $channel, events: $events}) { accepted rejected { index code reason } }
}
"""
SUBMIT = """
mutation ReturnData($input: SubmitReturnDataInput!) {
  submitReturnData(input: $input) {
    replayed receipt { id added unchanged newUsers duplicates rejected { index code } tag { id } }
  }
}
"""


def required(name: str) -> str:
    """Return a variable of the environment; exits where it is missing."""
    if not (value := os.environ.get(name)):
        raise SystemExit(f"{name} is not set: the beginning of this program says what is needed.")
    return value


def post(client: httpx.Client, address: str, body: Any) -> Any:
    """Return the answer to a request, which is sent again, later each time, while nobody answers or patience is asked.

    Sending again does no harm: events and tags do not count repeats, and a list has an idempotency key.
    """
    for attempt in range(ATTEMPTS):
        try:
            response = client.post(address, json=body)
            if response.status_code not in {429, 502, 503, 504}:
                break
        except httpx.TransportError as error:
            if attempt == ATTEMPTS - 1:
                raise SystemExit(f"{client.base_url} does not answer: {error}") from error
        time.sleep(2**attempt * random.uniform(0.25, 0.5))
    if "json" not in response.headers.get("content-type", ""):
        raise SystemExit(f"{response.url.host} answers HTTP {response.status_code}.")
    return response.json()


def execute(client: httpx.Client, query: str, **variables: Any) -> Any:
    """Return the data of one operation; exits with the errors, which name the wrong inputs."""
    answer = post(client, "/graphql", {"query": query, "variables": variables})
    if answer.get("errors"):
        raise SystemExit(json.dumps(answer["errors"], ensure_ascii=False, indent=2))
    return answer["data"]


def encrypt(xml: str, key: str, app_id: str) -> str:
    """Encrypt 16 random bytes, the length, the message and the APPID with AES-256-CBC, padded to 32 bytes."""
    secret = base64.b64decode(key + "=")
    message = xml.encode()
    plain = os.urandom(16) + struct.pack(">I", len(message)) + message + app_id.encode()
    padding = 32 - len(plain) % 32
    encryptor = Cipher(AES(secret), CBC(secret[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()).decode()


def batchset(client: httpx.Client, category: str, label: str, description: str, openids: list[str]) -> Any:
    """Send a list in the platform's call, `{"encrypt": …}`; returns its answer, `{"errcode": 0, …}`."""
    fields = {"appid": required("APP_ID"), "category": category, "label": label, "desc": description}
    scalars = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items())
    people = "".join(f"<openid>{openid}</openid>" for openid in openids)
    xml = f"<xml>{scalars}<list>{people}</list></xml>"
    encrypted = encrypt(xml, required("RETURN_KEY"), required("RETURN_APP_ID"))
    return post(client, required("RETURN_ADDRESS"), {"encrypt": encrypted})


def main() -> None:
    """Report a payment of each user, and return all of them in both ways."""
    for name in ("TOKEN", "CHANNEL", "APP_ID", "RETURN_ADDRESS", "RETURN_APP_ID", "RETURN_KEY"):
        required(name)
    channel = required("CHANNEL")
    openids = [openid for openid in os.environ.get("OPENIDS", "").split(",") if openid]
    headers = {"Authorization": f"Bearer {required('TOKEN')}"}
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    with httpx.Client(base_url=URL, headers=headers, timeout=30) as client:
        paid = [{"openid": openid, "kind": "PAYMENT", "at": now} for openid in openids]
        print(json.dumps(execute(client, RECORD, channel=channel, events=paid)["recordEvents"]))
        gold = {
            "channelId": channel,
            "category": "Level",
            "label": "Gold",
            "openids": openids,
            # Sent again after a lost connection, the request returns the first receipt and changes nothing.
            "idempotencyKey": str(uuid.uuid4()),
        }
        print(json.dumps(execute(client, SUBMIT, input=gold)["submitReturnData"]))
        print(json.dumps(batchset(client, "会员等级", "金牌", "消费满一千元", openids)))


if __name__ == "__main__":
    main()
