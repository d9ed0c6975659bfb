"""An integrator in Python (`pip install httpx cryptography`): reports what people did, and hands back lists of people.

Shows the three ways in: recordEvents, submitReturnData, and the platform's own return-data call, for which an existing
client only has to change the host.

TOKEN=… CHANNEL=… APP_ID=wx… RETURN_ADDRESS=… RETURN_APP_ID=… RETURN_KEY=… OPENIDS=a,b [URL=http://127.0.0.1:8000] \
    python integrator.py
"""

import base64
import json
import os
import struct
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import httpx
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

URL = os.environ.get("URL", "http://127.0.0.1:8000")

RECORD = """
mutation Report($channel: ID!, $events: [UserEventInput!]!) {
  recordEvents(input: {channelId: $channel, events: $events}) { accepted rejected { index code reason } }
}
"""
SUBMIT = """
mutation HandBack($input: SubmitReturnDataInput!) {
  submitReturnData(input: $input) {
    replayed receipt { id added unchanged newUsers duplicates rejected { index code } tag { id } }
  }
}
"""


def ask(client: httpx.Client, query: str, **variables: Any) -> Any:
    """One operation; a refusal says what was wrong with which input."""
    answer = client.post("/graphql", json={"query": query, "variables": variables}).json()
    if answer.get("errors"):
        raise SystemExit(json.dumps(answer["errors"], ensure_ascii=False, indent=2))
    return answer["data"]


def sealed(xml: str, key: str, app_id: str) -> str:
    """AES-256-CBC over 16 random bytes, the length, the message and the robot's APPID, padded to 32."""
    secret = base64.b64decode(key + "=")
    message = xml.encode()
    plain = os.urandom(16) + struct.pack(">I", len(message)) + message + app_id.encode()
    padding = 32 - len(plain) % 32
    encryptor = Cipher(AES(secret), CBC(secret[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()).decode()


def batchset(client: httpx.Client, category: str, label: str, description: str, openids: list[str]) -> Any:
    """The platform's call: `{"encrypt": …}` in, `{"errcode": 0, …}` out."""
    fields = {"appid": os.environ["APP_ID"], "category": category, "label": label, "desc": description}
    scalars = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items())
    people = "".join(f"<openid>{openid}</openid>" for openid in openids)
    xml = f"<xml>{scalars}<list>{people}</list></xml>"
    encrypted = sealed(xml, os.environ["RETURN_KEY"], os.environ["RETURN_APP_ID"])
    return client.post(os.environ["RETURN_ADDRESS"], json={"encrypt": encrypted}).json()


def main() -> None:
    channel, openids = os.environ["CHANNEL"], os.environ["OPENIDS"].split(",")
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    with httpx.Client(base_url=URL, headers=headers, timeout=30) as client:
        paid = [{"openid": openid, "kind": "PAYMENT", "at": now} for openid in openids]
        print(json.dumps(ask(client, RECORD, channel=channel, events=paid)["recordEvents"]))
        gold = {
            "channelId": channel,
            "category": "Level",
            "label": "Gold",
            "openids": openids,
            # Sent again after a lost connection, it answers with the first receipt and changes nothing.
            "idempotencyKey": f"gold-{now}",
        }
        print(json.dumps(ask(client, SUBMIT, input=gold)["submitReturnData"]))
        print(json.dumps(batchset(client, "会员等级", "金牌", "消费满一千元", openids)))


if __name__ == "__main__":
    main()
