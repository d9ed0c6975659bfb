"""Serve the control API of the demo: list the users of the platform, and let one of them do something."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request

from service.dev.demo.platform import Delivery, WechatPlatform
from service.dev.demo.wechat_api.errors import ApiError
from service.entities.channels import ChannelKind
from service.wechat.pushes import OPENID_PATTERN

ACTIONS: Final = ("follow", "unfollow", "message", "click", "scan", "accept", "reject", "revoke", "pay")


class ControlApi:
    """Answer `GET /demo/people`, `POST /demo/{openid}/{action}` and `POST /demo/results`.

    Whoever does not follow an Official Account cannot write to it, so that person follows first. The query of an action
    may have an `appId`, by default that of the account that knows the openid, or else of the first account, and a
    `scene`, `text`, `key` or `template`. An unknown openid becomes a new user.
    """

    def __init__(self, platform: WechatPlatform) -> None:
        self._platform = platform

    async def people(self, _: Request) -> dict[str, Any]:
        """Return the users of all accounts who are known one by one, and whether they follow."""
        return {
            "people": [
                {"appId": app_id, "openid": user.openid, "following": user.following}
                for app_id, books in self._platform.books.accounts.items()
                for user in books.people.known.values()
            ]
        }

    async def push_results(self, _: Request) -> dict[str, Any]:
        """Push what became of messages, as far as its time has come, and return how the service took each push."""
        deliveries = await self._platform.push_results()
        return {
            "pushed": [
                {"event": each.fields["Event"], "acknowledged": each.acknowledged, "answers": list(each.answers)}
                for each in deliveries
            ]
        }

    async def perform_action(self, request: Request) -> dict[str, Any]:
        """Perform an action and return how the service took the push; raises ApiError for a wrong request."""
        openid, action = request.path_params["openid"], request.path_params["action"]
        if OPENID_PATTERN.fullmatch(openid) is None:
            raise ApiError(40003, "invalid openid")
        if action not in ACTIONS:
            raise ApiError(-1, f"the actions are {', '.join(ACTIONS)}")
        app_id = self._app_id(request.query_params.get("appId"), openid)
        if action not in ("follow", "unfollow") and self._must_follow(app_id, openid):
            await self._platform.follow(app_id, openid)
        if action == "pay":
            # Of which WeChat pushes nothing.
            self._platform.pay(app_id, openid)
            return {"appId": app_id}
        delivery = await self._perform(app_id, openid, action, request.query_params)
        return {"appId": app_id, "acknowledged": delivery.acknowledged, "answers": list(delivery.answers)}

    def _app_id(self, given: str | None, openid: str) -> str:
        accounts = self._platform.books.accounts
        app_ids = [app_id for app_id, books in accounts.items() if books.account.callback_url]
        if given is not None:
            app_ids = [app_id for app_id in app_ids if app_id == given]
        if not app_ids:
            raise ApiError(40013, "invalid appid")
        known = (app_id for app_id in app_ids if accounts[app_id].people.find(openid))
        return next(known, app_ids[0])

    def _must_follow(self, app_id: str, openid: str) -> bool:
        official = self._platform.account(app_id).kind is not ChannelKind.MINI_PROGRAM
        return official and not self._platform.user(app_id, openid).following

    async def _perform(self, app_id: str, openid: str, action: str, query: Mapping[str, str]) -> Delivery:
        match action:
            case "follow":
                return await self._platform.follow(app_id, openid, query.get("scene"))
            case "unfollow":
                return await self._platform.unfollow(app_id, openid)
            case "message":
                return await self._platform.send_text(app_id, openid, query.get("text", "你好"))
            case "click":
                return await self._platform.click_menu(app_id, openid, query.get("key", "MENU_HELP"))
            case "accept" | "reject":
                answers = {query.get("template", ""): action == "accept"}
                return await self._platform.answer_request(app_id, openid, answers)
            case "revoke":
                return await self._platform.revoke_consent(app_id, openid, query.get("template", ""))
            case _:
                return await self._platform.scan(app_id, openid, query.get("scene", "poster"))
