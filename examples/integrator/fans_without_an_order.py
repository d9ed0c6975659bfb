"""Tag the fans of an Official Account who have not ordered in the Mini Program, in two calls (`pip install httpx`).

The Mini Program knows who ordered, by its own openids; the Official Account has other openids for the same people.
Unionids join them, so tell these with linkIdentities first. Then:

1. submitReturnData returns who ordered, with `openidsOf` the Mini Program, as the tag Orders / Ordered of the account.
2. createComboTag makes (New user ∪ Old user) − Ordered. Its members follow both sides from then on.

It may be run again with further orders: those are added, and the combo that is there already is kept.

TOKEN=… (an admin's) ACCOUNT=… MINI_PROGRAM=… ORDERED=openid,… [URL=http://127.0.0.1:8000] \
    python fans_without_an_order.py
"""

import hashlib
import json
import os
import random
import time
from datetime import UTC, datetime
from typing import Any

import httpx

URL = os.environ.get("URL", "http://127.0.0.1:8000")
COMBO = "Fans without an order"
ATTEMPTS = 6

TAGS = """
query Tags($account: ID!, $combo: String!) {
  channel(id: $account) {
    fans: tags(kind: DEFAULT) { nodes { id ... on DefaultTag { rule } } }
    combos: tags(kind: COMBO, search: $combo) { nodes { id name } }
  }
}
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
NOT_ORDERED_ANEW = """
mutation Combine($input: UpdateComboTagInput!) {
  updateComboTag(input: $input) { tag { id name state expression { text } } }
}
"""


def required(name: str) -> str:
    """Return a variable of the environment; exits where it is missing."""
    if not (value := os.environ.get(name)):
        raise SystemExit(f"{name} is not set: the beginning of this program says what is needed.")
    return value


def execute(client: httpx.Client, query: str, **variables: Any) -> Any:
    """Return the data of one operation; exits with the errors if there are any.

    A lost connection or an answer that asks for patience is tried again, later each time: nothing here does harm twice.
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


def main() -> None:
    """Submit who ordered, and create the combo tag unless it is there."""
    account, mini_program = required("ACCOUNT"), required("MINI_PROGRAM")
    ordered = [openid for openid in os.environ.get("ORDERED", "").split(",") if openid]
    # The same list sent again on the same day returns the first receipt and changes nothing.
    digest = hashlib.sha256(",".join(ordered).encode()).hexdigest()[:16]
    with httpx.Client(base_url=URL, headers={"Authorization": f"Bearer {required('TOKEN')}"}, timeout=30) as client:
        channel = execute(client, TAGS, account=account, combo=COMBO)["channel"]
        fans = [tag["id"] for tag in channel["fans"]["nodes"] if tag["rule"] in {"NEW_USER", "OLD_USER"}]
        if not fans:
            raise SystemExit("ACCOUNT shows no tag of its followers: is it a verified Official Account, and bound?")

        returned = {
            "channelId": account,
            "category": "Orders",
            "label": "Ordered",
            "openids": ordered,
            "openidsOf": mini_program,
            "idempotencyKey": f"ordered-{datetime.now(UTC):%Y-%m-%d}-{digest}",
        }
        receipt = execute(client, ORDERED, input=returned)["submitReturnData"]["receipt"]
        print(json.dumps(receipt))

        expression = {
            "except": {
                "from": {"any": [{"tag": tag} for tag in fans]},
                "remove": {"tag": receipt["tag"]["id"]},
            }
        }
        known = [tag["id"] for tag in channel["combos"]["nodes"] if tag["name"] == COMBO]
        if known:
            combo = {"id": known[0], "expression": expression}
            made = execute(client, NOT_ORDERED_ANEW, input=combo)["updateComboTag"]
        else:
            combo = {"channelId": account, "name": COMBO, "expression": expression}
            made = execute(client, NOT_ORDERED, input=combo)["createComboTag"]
        print(json.dumps(made["tag"], ensure_ascii=False))


if __name__ == "__main__":
    main()
