"""Serve the imitated server API, and beside it the control API of the demo under `/demo`."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from service.dev.demo.chat import ChatApi
from service.dev.demo.controls import ControlApi
from service.dev.demo.platform import WechatPlatform
from service.dev.demo.wechat_api.application import WechatApi
from service.dev.demo.wechat_api.controls import BookControls
from service.dev.demo.wechat_api.errors import ApiError
from service.dev.demo.wechat_api.message_controls import MessageControls

JsonHandler = Callable[[Request], Awaitable[dict[str, Any]]]


def platform_app(platform: WechatPlatform) -> Starlette:
    """Return the web application of the platform."""
    controls, books, messages = ControlApi(platform), BookControls(platform.books), MessageControls(platform.books)
    chat, api = ChatApi(platform.books), WechatApi(platform.books)
    return Starlette(
        routes=[
            # Before the controls, since measurements call it a hundred thousand times.
            Mount("/cgi-bin", api),
            Route("/demo/people", _json_endpoint(controls.people)),
            Route("/demo/books", _json_endpoint(books.books)),
            Route("/demo/books/{app_id}/tags/{tag_id:int}", _json_endpoint(books.tag_members)),
            Route("/demo/books/{app_id}/messages", _json_endpoint(messages.messages)),
            Route("/demo/books/{app_id}/crowd", _json_endpoint(messages.crowd_counts)),
            Route("/demo/calls", _json_endpoint(books.recent_calls)),
            Route("/demo/faults", _json_endpoint(books.order_fault), methods=["POST"]),
            Route("/demo/faults", _json_endpoint(books.clear_faults), methods=["DELETE"]),
            Route("/demo/behaviour", _json_endpoint(books.change_behaviour), methods=["POST"]),
            Route("/demo/clock", _json_endpoint(books.move_clock), methods=["POST"]),
            Route("/demo/accounts/{app_id}/crowd", _json_endpoint(books.set_crowd), methods=["POST"]),
            Route("/demo/accounts/{app_id}/quotas", _json_endpoint(books.set_quota), methods=["POST"]),
            Route("/demo/accounts/{app_id}/callback", _json_endpoint(books.set_callback), methods=["POST"]),
            Route("/demo/accounts/{app_id}/tokens", _json_endpoint(books.kill_tokens), methods=["DELETE"]),
            Route("/demo/accounts/{app_id}/migration", _json_endpoint(books.migrate), methods=["POST"]),
            Route("/demo/accounts/{app_id}/templates", _json_endpoint(messages.add_template), methods=["POST"]),
            Route("/demo/accounts/{app_id}/consents", _json_endpoint(messages.set_consents), methods=["POST"]),
            Route("/demo/accounts/{app_id}/blacklist", _json_endpoint(messages.set_blacklist), methods=["POST"]),
            Route("/demo/accounts/{app_id}/refusals", _json_endpoint(messages.set_refusals), methods=["POST"]),
            Route("/demo/accounts/{app_id}/console", _json_endpoint(messages.send_from_console), methods=["POST"]),
            Route("/demo/outcomes", _json_endpoint(messages.order_outcome), methods=["POST"]),
            Route("/demo/outcomes", _json_endpoint(messages.clear_outcomes), methods=["DELETE"]),
            Route("/demo/results", _json_endpoint(controls.push_results), methods=["POST"]),
            Route("/demo/conversations", _json_endpoint(chat.conversations)),
            Route("/demo/conversations/{openid}", _json_endpoint(chat.conversation)),
            Route("/demo/{openid}/reply", _json_endpoint(chat.reply), methods=["POST"]),
            Route("/demo/{openid}/{action}", _json_endpoint(controls.perform_action), methods=["POST"]),
            Mount("/", api),
        ]
    )


def _json_endpoint(answer: JsonHandler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            found = await answer(request)
        except ApiError as error:
            found = error.answer()
        except ValidationError as error:
            found = ApiError(47001, str(error)).answer()
        return Response(orjson.dumps(found), media_type="application/json")

    return endpoint
