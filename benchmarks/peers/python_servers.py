"""Answer the measured query with plain Strawberry or ariadne: `python -m benchmarks.peers.python_servers KIND PORT`."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp
from strawberry.asgi import GraphQL

from service.storage.database.pool import Pool, open_pool

HERE = Path(__file__).parent
STATEMENT = (HERE / "tags_of_person.sql").read_text(encoding="utf-8")
POOL_SIZE = 10


class Database:
    """Hold the pool, which lives as long as the server."""

    pool: Pool

    async def rows(self, channel_id: str, openid: str) -> list[Any]:
        async with self.pool.acquire() as conn:
            return await conn.fetch(STATEMENT, int(channel_id), openid)


database = Database()


@strawberry.type
class Tag:
    id: strawberry.ID
    name: str
    category: str


@strawberry.type
class UserTag:
    tag: Tag


@strawberry.type
class User:
    tags: list[UserTag]


@strawberry.type
class Query:
    @strawberry.field
    async def user(self, channel_id: strawberry.ID, openid: str) -> User | None:
        rows = await database.rows(channel_id, openid)
        return User(
            tags=[
                UserTag(tag=Tag(id=strawberry.ID(f"{channel_id}.{row[0]}"), name=row[1], category=row[2]))
                for row in rows
            ]
        )


def plain_strawberry() -> ASGIApp:
    """Return Strawberry's own ASGI application, with nothing configured."""
    return GraphQL(strawberry.Schema(Query))


def with_ariadne() -> ASGIApp:
    from ariadne import QueryType, make_executable_schema  # noqa: PLC0415 - may not be installed
    from ariadne.asgi import GraphQL as AriadneGraphQL  # noqa: PLC0415

    query = QueryType()

    async def user(_source: object, _info: object, *, channelId: str, openid: str) -> dict[str, Any]:  # noqa: N803
        rows = await database.rows(channelId, openid)
        return {"tags": [{"tag": {"id": f"{channelId}.{row[0]}", "name": row[1], "category": row[2]}} for row in rows]}

    query.set_field("user", user)
    server: ASGIApp = AriadneGraphQL(
        make_executable_schema((HERE / "schema.graphql").read_text(encoding="utf-8"), query)
    )
    return server


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[None]:
    database.pool = await open_pool(os.environ["DATABASE_URL"], size=POOL_SIZE)
    yield
    await database.pool.close()


def main() -> None:
    kind, port = sys.argv[1:]
    server = with_ariadne() if kind == "ariadne" else plain_strawberry()
    app = Starlette(routes=[Mount("/graphql", server)], lifespan=lifespan)
    uvicorn.run(app, host="127.0.0.1", port=int(port), loop="uvloop", http="httptools", log_level="error")


if __name__ == "__main__":
    main()
