"""`/demo/…`: relay the conversations of the demo, so that a page asks no other origin. Production has none."""

from http import HTTPStatus
from typing import Final

import aiohttp
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from yarl import URL

from service.auth.tokens import TokenVerifier, bearer_token
from service.entities.channels import Channel
from service.entities.errors import ErrorCode, NotFoundError, RequestError, UnauthenticatedError
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission
from service.foundation.settings import Settings
from service.resources import resources_of
from service.web.endpoints.csv_answers import STATUS_CODES
from service.web.error_answers import error_response
from service.wechat.pushes import OPENID_PATTERN

ACTIONS: Final = frozenset({"follow", "unfollow", "message", "click", "scan", "reply"})
RELAYED: Final = ("limit", "after", "text", "key", "scene")
ANSWER_WITHIN: Final = aiohttp.ClientTimeout(total=20)


def demo_chat_routes(settings: Settings, verifier: TokenVerifier) -> list[BaseRoute]:
    """Return the routes to the demo at `USER_TAGS_DEMO_URL`; none where it is not set."""
    if settings.demo_url is None:
        return []
    relay = DemoChat(settings.demo_url, verifier)
    return [
        Route("/demo/conversations", relay.conversations, methods=["GET"]),
        Route("/demo/conversations/{openid}", relay.conversation, methods=["GET"]),
        Route("/demo/{openid}/{action}", relay.act, methods=["POST"]),
    ]


class DemoChat:
    """Relay to the imitated platform what concerns the `channelId` of the query, as the demo's README describes it.

    Each request needs a token that may see the people of that channel (VIEW_USERS). Errors are JSON with `code` and
    `message`: 400, 401, 403 or 404 by their code, 502 UPSTREAM where the demo does not answer. What the platform
    refuses comes as 200 with its `errcode`.
    """

    def __init__(self, url: str, verifier: TokenVerifier) -> None:
        self._url = URL(url)
        self._verifier = verifier

    async def conversations(self, request: Request) -> Response:
        """Answer with whom the account talked, the newest first, at most `limit`."""
        return await self._relay(request, "conversations")

    async def conversation(self, request: Request) -> Response:
        """Answer what was said in one conversation after the number `after`."""
        return await self._relay(request, "conversations", request.path_params["openid"])

    async def act(self, request: Request) -> Response:
        """Let the imitated person do something, or `reply` to that person."""
        return await self._relay(request, request.path_params["openid"], request.path_params["action"])

    async def _relay(self, request: Request, *path: str) -> Response:
        try:
            channel = await self._channel(request)
            _check_path(request)
            return await self._ask(request, channel, path)
        except RequestError as error:
            status = STATUS_CODES.get(error.code, HTTPStatus.BAD_REQUEST)
            return error_response(request.scope, status, error.code, str(error))
        except (aiohttp.ClientError, TimeoutError):
            message = "The demo does not answer."
            return error_response(request.scope, HTTPStatus.BAD_GATEWAY, ErrorCode.UPSTREAM, message)

    async def _channel(self, request: Request) -> Channel:
        token = bearer_token(request.headers.get("authorization"))
        if token is None:
            raise UnauthenticatedError
        principal = await self._verifier.verify(token)
        channel_id = parse_channel_gid(request.query_params.get("channelId", ""))
        return await resources_of(request.scope).channels.find(principal, channel_id, Permission.VIEW_USERS)

    async def _ask(self, request: Request, channel: Channel, path: tuple[str, ...]) -> Response:
        given = {name: request.query_params[name] for name in RELAYED if name in request.query_params}
        url = self._url.joinpath("demo", *path).with_query({"appId": channel.app_id, **given})
        async with (
            aiohttp.ClientSession(timeout=ANSWER_WITHIN) as session,
            session.request(request.method, url, allow_redirects=False) as answer,
        ):
            return Response(await answer.read(), answer.status, media_type="application/json")


def _check_path(request: Request) -> None:
    """Raise NotFoundError for what is no openid, and for what nobody can do here."""
    openid, action = request.path_params.get("openid"), request.path_params.get("action")
    if openid is not None and OPENID_PATTERN.fullmatch(openid) is None:
        raise NotFoundError("person")
    if action is not None and action not in ACTIONS:
        raise NotFoundError("action")
