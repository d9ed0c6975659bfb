"""Say at `/` where things are, without a token and without a secret."""

from tests.support.web import WebClient


async def test_the_root_says_where_things_are(web: WebClient) -> None:
    answer = await web.http.get("/")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    paths = {path.partition(" ")[0] for path in answer.json().values() if path.startswith("/")}
    assert paths == {"/graphql", "/graphql/stream", "/import/return-data", "/feed/changes", "/healthz", "/readyz"}
    for path in paths:
        assert {(await web.http.get(path)).status_code, (await web.http.post(path)).status_code} != {404}
    assert (await web.http.post("/")).status_code == 405
