"""`/`: say where things are, to people and programs who know nothing but the host."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

# Addresses with secrets in their paths are told to those who may know them, by the API.
ADDRESSES: Final = {
    "service": "User Tags",
    "graphql": "/graphql",
    "websocket": "/graphql (graphql-transport-ws)",
    "eventStream": "/graphql/stream",
    "csvImport": "/import/return-data",
    "changes": "/feed/changes",
    "alive": "/healthz",
    "ready": "/readyz",
    "token": "Authorization: Bearer <JWT>; the robot is the one that its claim `robot` names",
}


async def addresses(request: Request) -> Response:
    """Answer what is served under which path, the same to everybody."""
    del request
    return JSONResponse(ADDRESSES)
