"""Receive webhooks: check the signature, take each delivery once, keep who has which tag, and show what happens.

It makes an endpoint for its own address, or finds the one it made before: run again, it goes on where it stopped
(`pip install httpx standardwebhooks`).

TOKEN=… [URL=http://127.0.0.1:8000] [PORT=8090] [BOOK=webhooks.sqlite3] python receiver.py
"""

import json
import os
import sqlite3
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
from standardwebhooks import Webhook, WebhookVerificationError

URL = os.environ.get("URL", "http://127.0.0.1:8000")
PORT = int(os.environ.get("PORT", "8090"))
BOOK = os.environ.get("BOOK", "webhooks.sqlite3")
# The service sends 20 kB at most, but others may call, too.
MAX_BODY = 65_536

FIND = """
query Endpoints { webhookEndpoints { id url secret state } }
"""
MAKE = """
mutation Make($input: CreateWebhookEndpointInput!) {
  createWebhookEndpoint(input: $input) { endpoint { id url secret state } }
}
"""
RETRY = """
mutation Retry($id: ID!) { updateWebhookEndpoint(input: { id: $id, enabled: true }) { endpoint { state } } }
"""
TABLES = """
create table if not exists delivery (id text primary key);
create table if not exists has_tag (channel text, person text, tag text, primary key (person, tag));
"""
EVENTS = [
    *("USER_TAGS_CHANGED", "USER_FORGOTTEN", "USER_MIGRATED", "CHANNEL_STATE_CHANGED"),
    *("TAG_CREATED", "TAG_UPDATED", "TAG_STATE_CHANGED", "TAG_DELETED"),
]


def ask(query: str, **variables: Any) -> Any:
    """Return the data of one operation; exits with the errors, which say what is wrong."""
    if not (token := os.environ.get("TOKEN")):
        raise SystemExit("TOKEN is not set: a creator or an admin makes webhooks.")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=URL, headers=headers, timeout=30) as client:
        answer = client.post("/graphql", json={"query": query, "variables": variables}).json()
    if "errors" in answer:
        raise SystemExit(json.dumps(answer["errors"], ensure_ascii=False))
    return answer["data"]


def own_endpoint(address: str) -> Any:
    """Return the endpoint of an address, made if there is none."""
    for endpoint in ask(FIND)["webhookEndpoints"]:
        if endpoint["url"] == address:
            if endpoint["state"] in {"RETRYING", "FAILING"}:
                ask(RETRY, id=endpoint["id"])  # at once: the next attempt may be a quarter of an hour away
            return endpoint
    given = {"url": address, "description": "examples/webhook_receiver", "events": EVENTS}
    return ask(MAKE, input=given)["createWebhookEndpoint"]["endpoint"]


def take(book: sqlite3.Connection, webhook_id: str, events: list[dict[str, Any]]) -> bool:
    """Take a delivery, all of it or nothing; False if it was taken before, as a repeat has the same id."""
    with book:  # one transaction
        if not book.execute("insert or ignore into delivery values (?)", (webhook_id,)).rowcount:
            return False
        for event in events:
            apply(book, event)
    return True


def apply(book: sqlite3.Connection, event: dict[str, Any]) -> None:
    """Change what the book says by one event; applied again it changes nothing."""
    match event["type"]:
        case "user.tags_changed":
            gained = [(event["channelId"], event["userId"], tag) for tag in event["added"]]
            book.executemany("insert or ignore into has_tag values (?, ?, ?)", gained)
            lost = [(event["userId"], tag) for tag in event["removed"]]
            book.executemany("delete from has_tag where person = ? and tag = ?", lost)
        case "user.forgotten":
            book.execute("delete from has_tag where person = ?", (event["userId"],))
        case "user.migrated":  # two who became one: what the other gains by that is told of it
            book.execute("delete from has_tag where person = ?", (event.get("formerUserId"),))
        case "tag.deleted" | "tag.state_changed" if event["type"] == "tag.deleted" or event["state"] != "ACTIVE":
            book.execute("delete from has_tag where tag = ?", (event["tagId"],))
        case "channel.state_changed" | "feed.reset":
            book.execute("delete from has_tag where channel = ?", (event["channelId"],))
        case _:
            pass  # types that are added later must do no harm
    # Who has a tag that comes into effect is not told one by one, nor who has which when a channel opens or something
    # was missed (feed.reset): whoever needs that asks the API for the members of these tags now.


class Receiver(BaseHTTPRequestHandler):
    """Answer deliveries: 204 once they are taken, 401 to whoever does not know the secret."""

    book: sqlite3.Connection
    webhook: Webhook
    timeout = 10  # seconds that somebody who sends nothing may hold up the others

    def do_POST(self) -> None:
        """Take one delivery."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), MAX_BODY))
        try:
            events = self.webhook.verify(body, dict(self.headers.items()))["events"]
        except WebhookVerificationError as error:
            self.send_error(401, str(error))
            return
        webhook_id = self.headers["webhook-id"]
        new = take(self.book, webhook_id, events)
        self.send_response(204)
        self.end_headers()
        for event in events if new else ():
            print(json.dumps(event, ensure_ascii=False), flush=True)
        if not new:
            print(f"again: {webhook_id}", flush=True)

    def log_message(self, *_: object) -> None:
        """Say nothing: what was taken is printed anyway."""


def main() -> None:
    """Receive until interrupted."""
    address = f"http://127.0.0.1:{PORT}/webhooks"
    with HTTPServer(("127.0.0.1", PORT), Receiver) as server:
        Receiver.book = sqlite3.connect(BOOK)
        Receiver.book.executescript(TABLES)
        endpoint = own_endpoint(address)
        # Rotated, the former secret still signs for a day: this program takes the new one when it is run again.
        Receiver.webhook = Webhook(endpoint["secret"])
        print(f"{address} is {endpoint['state']}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            Receiver.book.close()


if __name__ == "__main__":
    main()
