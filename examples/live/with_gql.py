"""Follow the tags of one user with gql, and resume without missing anything (`pip install "gql[websockets]"`).

TOKEN=… CHANNEL=… OPENID=… [URL=http://127.0.0.1:8000] python with_gql.py
"""

import asyncio
import json
import os
import random
import sys

from gql import Client, gql
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import ConnectionClosed, WebSocketException

URL = os.environ.get("URL", "http://127.0.0.1:8000")
# Seconds.
FIRST_DELAY, LONGEST_DELAY = 0.25, 30.0
# What the service answers to a request that will not be better next time, and closes a socket with.
FINAL_CODES = {"UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "BAD_USER_INPUT"}
TOKEN_NOT_GOOD = 4403
USER_TAGS = """
subscription UserTags($channel: ID!, $openid: String!, $after: String) {
  userTags(channelId: $channel, openid: $openid, after: $after) {
    cursor reset tags { id category name } added { id name } removed { id name }
  }
}
"""


def required(name: str) -> str:
    """Return a variable of the environment; exits where it is missing."""
    if not (value := os.environ.get(name)):
        raise SystemExit(f"{name} is not set: the beginning of this program says what is needed.")
    return value


def is_final(error: BaseException | None) -> bool:
    """Tell whether trying again would not help: the token is not good, or the request is refused."""
    if isinstance(error, TransportQueryError):
        return any(each.get("extensions", {}).get("code") in FINAL_CODES for each in error.errors or ())
    if isinstance(error, ConnectionClosed) and error.rcvd is not None:
        return error.rcvd.code == TOKEN_NOT_GOOD
    return error is not None and is_final(error.__cause__)


async def follow() -> None:
    """Print each event; after a lost connection, subscribe again from the cursor of the last one, later each time."""
    token, channel, openid = required("TOKEN"), required("CHANNEL"), required("OPENID")
    after, delay = os.environ.get("AFTER"), FIRST_DELAY
    while True:
        transport = WebsocketsTransport(
            url=URL.replace("http", "ws", 1) + "/graphql",
            init_payload={"Authorization": f"Bearer {token}"},
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        )
        variables = {"channel": channel, "openid": openid, "after": after}
        try:
            async with Client(transport=transport) as session:
                async for result in session.subscribe(gql(USER_TAGS), variable_values=variables):
                    event = result["userTags"]
                    after, delay = event["cursor"], FIRST_DELAY
                    shown = {name: [tag["name"] for tag in event[name]] for name in ("tags", "added", "removed")}
                    print(json.dumps({"reset": event["reset"], **shown}), flush=True)
        except (OSError, TransportError, WebSocketException) as error:
            print(f"lost: {error}", file=sys.stderr)
            if is_final(error):
                raise SystemExit(1) from None
        # Not all at the same moment: after a restart thousands of pages come back.
        await asyncio.sleep(delay * random.uniform(0.5, 1))
        delay = min(2 * delay, LONGEST_DELAY)


if __name__ == "__main__":
    asyncio.run(follow())
