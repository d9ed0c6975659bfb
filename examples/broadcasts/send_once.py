"""Send a text to everybody who may be answered, once, and tell what became of it (`pip install httpx`).

1. broadcastPreview counts whom it would reach, and why others not.
2. createBroadcast makes it. The key is the day and the text: run the program again, after any failure, and it goes on
   watching the broadcast that it has made, instead of making another.
3. jobProgress is followed until the broadcast has ended, or somebody has to look at it.

The exit status is 0 if everybody who could be sent to was sent to, and 1 if the report names somebody who was not.

TOKEN=… (an admin's) CHANNEL=… TEXT=… [SEND=yes, else it only looks] [URL=http://127.0.0.1:8000] python send_once.py
"""

import hashlib
import json
import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

URL = os.environ.get("URL", "http://127.0.0.1:8000")
ATTEMPTS = 6
FOR_PEOPLE = {"PAUSED", "WAITING_FOR_APPROVAL"}

PREVIEW = """
query Preview($input: BroadcastPreviewInput!) {
  broadcastPreview(input: $input) {
    matched sendable unsendable { reason count } held { reason count } earliestStart warnings
  }
}
"""
SEND = """
mutation Send($input: CreateBroadcastInput!) {
  createBroadcast(input: $input) { replayed broadcast { id state waitingFor } }
}
"""
PROGRESS = """
subscription Progress($id: ID!) {
  jobProgress(id: $id) {
    state error resumesAt ... on Broadcast { waitingFor planned sent failed uncertain }
  }
}
"""
REPORT = """
query Report($id: ID!) {
  broadcast(id: $id) {
    state matched sent planned
    failures { errcode reason retryable count }
    uncertainUsers(first: 200) { totalCount nodes { openid } }
  }
}
"""


def required(name: str) -> str:
    """Return a variable of the environment; exits where it is missing."""
    if not (value := os.environ.get(name)):
        raise SystemExit(f"{name} is not set: the beginning of this program says what is needed.")
    return value


def execute(client: httpx.Client, query: str, **variables: Any) -> Any:
    """Return the data of one operation; exits with the errors if there are any.

    A lost connection or an answer that asks for patience is tried again, later each time. That sends nothing twice, as
    the key is the same.
    """
    for attempt in range(ATTEMPTS):
        try:
            response = client.post("/graphql", json={"query": query, "variables": variables})
            if response.status_code not in {429, 502, 503, 504}:
                break
        except httpx.TransportError as error:
            if attempt == ATTEMPTS - 1:
                raise SystemExit(f"{URL} does not answer: {error}") from error
        time.sleep(2**attempt * random.uniform(0.25, 0.5))
    if "json" not in response.headers.get("content-type", ""):
        raise SystemExit(f"{URL} answers HTTP {response.status_code}.")
    answer = response.json()
    if answer.get("errors"):
        raise SystemExit(json.dumps(answer["errors"], ensure_ascii=False, indent=2))
    return answer["data"]


def follow(client: httpx.Client, broadcast: str) -> Iterator[dict[str, Any]]:
    """Yield each state of a broadcast until it has ended.

    A lost connection is opened again, and begins with the present state. Exits when that fails several times in a row.
    """
    failures = 0
    while True:
        body = {"query": PROGRESS, "variables": {"id": broadcast}}
        try:
            with client.stream("POST", "/graphql/stream", json=body, headers={"Accept": "text/event-stream"}) as stream:
                stream.raise_for_status()
                for line in stream.iter_lines():
                    if line.startswith("data: {"):
                        failures = 0
                        yield json.loads(line.removeprefix("data: "))["data"]["jobProgress"]
        except httpx.HTTPError as error:
            failures += 1
            if failures == ATTEMPTS:
                raise SystemExit(f"{URL} does not answer: {error}") from error
            time.sleep(2**failures * random.uniform(0.25, 0.5))
        else:
            return


def main() -> int:
    """Look, send if that is wanted, watch, and report; returns the exit status."""
    channel, text = required("CHANNEL"), required("TEXT")
    audience = {"followers": True}
    key = f"{datetime.now(UTC):%Y-%m-%d}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    with httpx.Client(base_url=URL, headers={"Authorization": f"Bearer {required('TOKEN')}"}, timeout=60) as client:
        looked = {"channelId": channel, "audience": audience, "kind": "CUSTOMER_SERVICE_TEXT"}
        print(json.dumps(execute(client, PREVIEW, input=looked)["broadcastPreview"], ensure_ascii=False))
        if os.environ.get("SEND") != "yes":
            return 0
        wanted = {
            "channelId": channel,
            "audience": audience,
            "message": {"customerServiceText": {"text": text}},
            "idempotencyKey": key,
        }
        made = execute(client, SEND, input=wanted)["createBroadcast"]
        print(json.dumps(made))
        for progress in follow(client, made["broadcast"]["id"]):
            print(json.dumps(progress, ensure_ascii=False))
            if progress["state"] in FOR_PEOPLE:
                break
        report = execute(client, REPORT, id=made["broadcast"]["id"])["broadcast"]
        print(json.dumps(report, ensure_ascii=False))
    whole = not report["failures"] and not report["uncertainUsers"]["totalCount"] and not report["planned"]
    return 0 if report["state"] == "DONE" and whole else 1


if __name__ == "__main__":
    raise SystemExit(main())
