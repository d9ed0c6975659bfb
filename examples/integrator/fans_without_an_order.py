"""Tag the fans of an Official Account who have not ordered in the Mini Program, in two calls (`pip install httpx`).

The Mini Program knows who ordered, by its own openids; the Official Account has other openids for the same people.
Unionids join them, so tell these with linkIdentities first. Then:

1. submitReturnData returns who ordered, with `openidsOf` the Mini Program, as the tag Orders / Ordered of the account.
2. createComboTag makes (New user ∪ Old user) − Ordered. Its members follow both sides from then on.

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
mutation ReturnData($input: SubmitReturnDataInput!) {
  submitReturnData(input: $input) { receipt { added unmatched tag { id } } }
}
"""
NOT_ORDERED = """
mutation Combine($input: CreateComboTagInput!) {
  createComboTag(input: $input) { tag { id name state expression { text } } }
}
"""


def execute(client: httpx.Client, query: str, **variables: Any) -> Any:
    """Return the data of one operation; exits with the errors if there are any."""
    answer = client.post("/graphql", json={"query": query, "variables": variables}).json()
    if answer.get("errors"):
        raise SystemExit(json.dumps(answer["errors"], ensure_ascii=False, indent=2))
    return answer["data"]


def main() -> None:
    """Submit who ordered, and create the combo tag."""
    account, ordered = os.environ["ACCOUNT"], os.environ["ORDERED"].split(",")
    with httpx.Client(base_url=URL, headers={"Authorization": f"Bearer {os.environ['TOKEN']}"}, timeout=30) as client:
        fans = [tag["id"] for tag in execute(client, FANS, account=account)["channel"]["tags"]["nodes"]]

        returned = {
            "channelId": account,
            "category": "Orders",
            "label": "Ordered",
            "openids": ordered,
            "openidsOf": os.environ["MINI_PROGRAM"],
            "idempotencyKey": f"ordered-{datetime.now(UTC):%Y-%m-%d}",
        }
        receipt = execute(client, ORDERED, input=returned)["submitReturnData"]["receipt"]
        print(json.dumps(receipt))

        expression = {
            "except": {
                "from": {"any": [{"tag": tag} for tag in fans]},
                "remove": {"tag": receipt["tag"]["id"]},
            }
        }
        combo = {"channelId": account, "name": "Fans without an order", "expression": expression}
        print(json.dumps(execute(client, NOT_ORDERED, input=combo)["createComboTag"]["tag"], ensure_ascii=False))


if __name__ == "__main__":
    main()
