"""Make a link that opens the IDE with everything filled in."""

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

FOLLOW_PERSON: Final = """subscription Follow($channel: ID!, $openid: String!) {
  userTags(channelId: $channel, openid: $openid) {
    cursor reset cause
    tags { name }
    added { name }
    removed { name }
  }
}
"""


def ide_link(url: str, token: str, query: str, variables: Mapping[str, str]) -> str:
    """Return the link to the IDE of the service at `url`.

    The token, the query and its variables stand in the fragment, which no browser sends, and which the page takes out
    of the address at once.
    """
    given = {"token": token, "query": query, "variables": json.dumps(variables)}
    return f"{url}/graphql#{urlencode(given, quote_via=quote)}"
