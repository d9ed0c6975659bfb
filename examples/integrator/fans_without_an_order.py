"""Fans of the Official Account who have not ordered in the Mini Program, in two calls (`pip install httpx`).

The Mini Program knows who ordered, by its own openids; the Official Account has others for the same people. What joins
them are unionids, told once with linkIdentities or by the follower import. Then:

1. submitReturnData hands back who ordered, with `openidsOf` the Mini Program: the tag Orders / Ordered of the account.
2. createComboTag: all fans (New user ∪ Old user) − Ordered. It follows both sides by itself from then on.

TOKEN=… (an admin's) ACCOUNT=… MINI_PROGRAM=… ORDERED=openid,… [URL=http://127.0.0.1:8000] \
    python fans_without_an_order.py
"""

import json
import os
from datetime import UTC, datetime
from typing import Any

import httpx

URL = os.environ.get("URL", "http://127.0.0.1:8000")

FANS = """
query Fans($account: ID!) { channel(id: $account) { tags(category: "Follow time") { nodes { id } } } }
"""
ORDERED = """
mutation HandBack($input: SubmitReturnDataInput!) {
  submitReturnData(input: $input) { receipt { added unmatched tag { id } } }
}
"""
NOT_ORDERED = """
mutation Combine($input: CreateComboTagInput!) {
  createComboTag(input: $input) { tag { id name state expression { text } } }
}
"""


def ask(client: httpx.Client, query: str, **variables: Any) -> Any:
    answer = client.post("/graphql", json={"query": query, "variables": variables}).json()
    if answer.get("errors"):
        raise SystemExit(json.dumps(answer["errors"], ensure_ascii=False, indent=2))
    return answer["data"]


def main() -> None:
    account, ordered = os.environ["ACCOUNT"], os.environ["ORDERED"].split(",")
    with httpx.Client(base_url=URL, headers={"Authorization": f"Bearer {os.environ['TOKEN']}"}, timeout=30) as client:
        fans = [tag["id"] for tag in ask(client, FANS, account=account)["channel"]["tags"]["nodes"]]

        handed_back = {
            "channelId": account,
            "category": "Orders",
            "label": "Ordered",
            "openids": ordered,
            "openidsOf": os.environ["MINI_PROGRAM"],
            "idempotencyKey": f"ordered-{datetime.now(UTC):%Y-%m-%d}",
        }
        receipt = ask(client, ORDERED, input=handed_back)["submitReturnData"]["receipt"]
        print(json.dumps(receipt))

        expression = {
            "except": {
                "from": {"any": [{"tag": tag} for tag in fans]},
                "remove": {"tag": receipt["tag"]["id"]},
            }
        }
        combo = {"channelId": account, "name": "Fans without an order", "expression": expression}
        print(json.dumps(ask(client, NOT_ORDERED, input=combo)["createComboTag"]["tag"], ensure_ascii=False))


if __name__ == "__main__":
    main()
