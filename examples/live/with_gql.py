"""Follow the tags of one user with gql, and resume without missing anything (`pip install "gql[websockets]"`).

TOKEN=… CHANNEL=… OPENID=… [URL=http://127.0.0.1:8000] python with_gql.py
"""

import asyncio
import json
import os
import sys

from gql import Client, gql
from gql.transport.exceptions import TransportError
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import WebSocketException

URL = os.environ.get("URL", "http://127.0.0.1:8000")
USER_TAGS = """
subscription UserTags($channel: ID!, $openid: String!, $after: String) {
  userTags(channelId: $channel, openid: $openid, after: $after) {
    cursor reset tags { id category name } added { id name } removed { id name }
  }
}
"""


async def follow() -> None:
    """Print each event; after a lost connection, subscribe again from the cursor of the last one."""
    after = os.environ.get("AFTER")
    while True:
        transport = WebsocketsTransport(
            url=URL.replace("http", "ws", 1) + "/graphql",
            init_payload={"Authorization": f"Bearer {os.environ['TOKEN']}"},
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        )
        variables = {"channel": os.environ["CHANNEL"], "openid": os.environ["OPENID"], "after": after}
        try:
            async with Client(transport=transport) as session:
                async for result in session.subscribe(gql(USER_TAGS), variable_values=variables):
                    event = result["userTags"]
                    after = event["cursor"]
                    shown = {name: [tag["name"] for tag in event[name]] for name in ("tags", "added", "removed")}
                    print(json.dumps({"reset": event["reset"], **shown}), flush=True)
        except (OSError, TransportError, WebSocketException) as error:
            print(f"lost: {error}", file=sys.stderr)
        await asyncio.sleep(0.25)


if __name__ == "__main__":
    asyncio.run(follow())
