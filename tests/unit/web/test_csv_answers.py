"""Answer for imports that end before their file does."""

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.domain.return_data.csv_import import ImportSummary
from service.entities.return_data import ReceiptKey
from service.web.endpoints.csv_answers import import_error_response


async def answer_for(error: Exception) -> httpx.Response:
    """Return what a client sees of an error after one batch was written."""

    def endpoint(request: Request) -> Response:
        del request
        return import_error_response(
            error, ImportSummary(rows=3, batches=1, added=3, receipts=[ReceiptKey(1, 2)]), "r-1"
        )

    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:
        return await http.post("/")


@pytest.mark.parametrize("error", [ValueError("a secret"), asyncpg.DataError("a secret")])
async def test_an_unforeseen_error_tells_what_was_written_and_nothing_of_itself(error: Exception) -> None:
    answer = await answer_for(error)
    content = answer.json()

    assert (answer.status_code, content["code"], content["requestId"]) == (500, "INTERNAL", "r-1")
    assert (content["summary"]["added"], len(content["summary"]["receipts"])) == (3, 1)
    assert "secret" not in answer.text


async def test_an_outage_asks_for_the_same_file_again() -> None:
    answer = await answer_for(ConnectionResetError())
    assert (answer.status_code, answer.json()["code"]) == (503, "TRY_AGAIN")
