"""Answer a client of automatic persisted queries so that it goes on as Apollo Client does."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any, Final

import pytest

from service.foundation.settings import TrustMode
from tests.support.processes import EXAMPLES, node
from tests.support.web import web_process

# As Apollo Client writes it after it has added what its cache needs.
TEXT: Final = "query Mine {\n  viewer {\n    robotId\n    __typename\n  }\n}"
HASH, BOTH = ["hash"], ["hash", "text"]


async def asked(url: str, token: str, by_get: str) -> dict[str, Any]:
    given = {"URL": url, "TOKEN": token, "QUERY": TEXT, "BY_GET": by_get, "MODULES": str(EXAMPLES / "package.json")}
    process = await asyncio.create_subprocess_exec(
        node(),
        str(Path(__file__).with_name("persisted.mjs")),
        env=os.environ | given,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    printed: dict[str, Any] = json.loads(output)
    return printed


@pytest.mark.parametrize("by_get", ["no", "yes"])
@pytest.mark.parametrize(
    ("mode", "listed", "sent", "answer"),
    [
        ("only", TEXT, HASH * 2, "r1"),
        ("allowed", TEXT, HASH * 2, "r1"),
        ("allowed", "{ __typename }", BOTH * 2, "r1"),
        ("off", TEXT, [*BOTH, "text"], "r1"),
        ("only", "{ __typename }", BOTH * 2, "PersistedQueryOnly"),
    ],
)
async def test_apollo_client_goes_on_as_it_is_told(
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    mode: TrustMode,
    listed: str,
    sent: list[str],
    answer: str,
    by_get: str,
) -> None:
    file = tmp_path / "documents.json"
    file.write_text(json.dumps({"one": listed}), encoding="utf-8")
    trusting = {"trusted_documents": (str(file),), "trusted_documents_mode": mode}
    async with web_process(database_url, redis_url, **trusting) as web:
        assert await asked(web.url, web.token("agent"), by_get) == {"sent": sent, "answers": [answer, answer]}
