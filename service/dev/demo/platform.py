"""Imitate the WeChat platform, which knows who follows an account and pushes their events to its callback.

Source: developers.weixin.qq.com `/doc/oplatform/developers/dev/push` and the pages on messages and
events under `/doc/service/guide/product/message`.
"""

import asyncio
import itertools
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import httpx

from service.dev.demo.push_encoder import PushFields, encode_push
from service.dev.demo.wechat_api.books.accounts import Account
from service.dev.demo.wechat_api.books.books import WechatBooks
from service.dev.demo.wechat_api.books.people import PlatformUser
from service.dev.demo.wechat_api.limits import Limits, Trigger
from service.dev.demo.wechat_api.subscription_events import CHANGE, POPUP, subscription_event
from service.foundation.clock import system_clock
from service.wechat.crypto import sign

MAX_ATTEMPTS: Final = 3
RESPONSE_TIMEOUT: Final = timedelta(seconds=5)
"""Limit the wait for the whole answer to one attempt, as WeChat does."""
CONCURRENT_RESULTS: Final = 8
TRIGGERS: Final = {
    "subscribe": Trigger.FOLLOW,
    "SCAN": Trigger.SCAN,
    "CLICK": Trigger.MENU_CLICK,
    "scancode_push": Trigger.MENU_CLICK,
    "scancode_waitmsg": Trigger.MENU_CLICK,
    "user_enter_tempsession": Trigger.ENTER,
}
"""Say which events let customer service write to somebody; every message does."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Describe one push and its attempts. `answers` has the HTTP status, or the name of the error, of each."""

    fields: dict[str, Any]
    acknowledged: bool
    answers: tuple[int | str, ...]


class CallbackRejectedError(Exception):
    """Raised when a callback address does not answer the verification with the echostr."""


class WechatPlatform:
    """Push what the users of its accounts do, which is in its books too.

    The methods named after actions take an app id, an openid and optionally `at`, the CreateTime of the push (now by
    default), and return its delivery. They raise ValueError if the account has no callback. `deliveries` holds the
    newest `max_deliveries`, by default all.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        clock: Callable[[], datetime] = system_clock,
        max_deliveries: int | None = None,
        response_timeout: timedelta = RESPONSE_TIMEOUT,
        limits: Limits | None = None,
    ) -> None:
        self.books = WechatBooks(clock, limits)
        self.deliveries: deque[Delivery] = deque(maxlen=max_deliveries)
        self._client = client
        self._timeout = response_timeout.total_seconds()
        self._message_ids = itertools.count(int(clock().timestamp() * 1_000_000) * 10)

    def register(self, account: Account) -> None:
        """Open an account, or replace its configuration; its users stay."""
        self.books.register(account)

    def account(self, app_id: str) -> Account:
        """Return an account as it is configured now."""
        return self.books.accounts[app_id].account

    def clock(self) -> datetime:
        """Return the time of the platform."""
        return self.books.now()

    def user(self, app_id: str, openid: str) -> PlatformUser:
        """Return the user with this openid, who is created if missing."""
        return self.books.accounts[app_id].people.user(openid)

    async def configure_callback(self, app_id: str, url: str) -> None:
        """Verify a callback address by GET, then use it; raises CallbackRejectedError or httpx.TransportError."""
        account = self.account(app_id)
        timestamp, nonce, echo = str(int(self.clock().timestamp())), _nonce(), _nonce()
        signature = sign(account.token, timestamp, nonce)
        query = {"signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": echo}
        answer = await self._client.get(url, params=query, timeout=self._timeout)
        if answer.status_code != httpx.codes.OK or answer.text != echo:
            raise CallbackRejectedError(f"verification was answered {answer.status_code}")
        self.register(replace(account, callback_url=url))

    async def follow(self, app_id: str, openid: str, scene: str | None = None, at: datetime | None = None) -> Delivery:
        """Follow the account, with `scene` by scanning that QR code."""
        self.books.accounts[app_id].follow(openid, at or self.clock(), scene)
        code = {"EventKey": ""} if scene is None else {"EventKey": f"qrscene_{scene}", "Ticket": _ticket(scene)}
        return await self.event(app_id, openid, "subscribe", code, at)

    async def unfollow(self, app_id: str, openid: str, at: datetime | None = None) -> Delivery:
        """Unfollow the account."""
        self.books.accounts[app_id].unfollow(openid, at or self.clock())
        return await self.event(app_id, openid, "unsubscribe", {"EventKey": ""}, at)

    async def send_text(self, app_id: str, openid: str, content: str, at: datetime | None = None) -> Delivery:
        """Send a text message."""
        return await self.message(app_id, openid, "text", {"Content": content}, at)

    async def click_menu(self, app_id: str, openid: str, key: str, at: datetime | None = None) -> Delivery:
        """Click the menu button with this key."""
        return await self.event(app_id, openid, "CLICK", {"EventKey": key}, at)

    async def scan(self, app_id: str, openid: str, scene: str, at: datetime | None = None) -> Delivery:
        """Scan the QR code with this scene, as a user who follows already."""
        return await self.event(app_id, openid, "SCAN", {"EventKey": scene, "Ticket": _ticket(scene)}, at)

    async def message(
        self, app_id: str, openid: str, kind: str, fields: dict[str, str], at: datetime | None = None
    ) -> Delivery:
        """Send a message of any type, with a new MsgId."""
        return await self.push(app_id, openid, {"MsgType": kind, **fields, "MsgId": str(next(self._message_ids))}, at)

    async def event(
        self, app_id: str, openid: str, name: str, fields: dict[str, str], at: datetime | None = None
    ) -> Delivery:
        """Push an event of any name."""
        return await self.push(app_id, openid, {"MsgType": "event", "Event": name, **fields}, at)

    def pay(self, app_id: str, openid: str, at: datetime | None = None) -> None:
        """Pay the merchant, of which WeChat pushes nothing."""
        self.books.accounts[app_id].replies.open(openid, Trigger.PAYMENT, at or self.clock())

    async def answer_request(
        self, app_id: str, openid: str, answers: Mapping[str, bool], at: datetime | None = None
    ) -> Delivery:
        """Accept or refuse messages by templates, `{template_id: accepted}`, in the window that asks for it."""
        consents = self.books.accounts[app_id].consents
        for template_id, accepted in answers.items():
            (consents.accept if accepted else consents.reject)(openid, template_id)
        entries = [
            {
                "TemplateId": template_id,
                "SubscribeStatusString": "accept" if accepted else "reject",
                "PopupScene": "1",
            }
            for template_id, accepted in answers.items()
        ]
        fields = subscription_event(self.account(app_id), POPUP, entries, self.books.behaviour)
        return await self.push(app_id, openid, fields, at)

    async def revoke_consent(self, app_id: str, openid: str, template_id: str, at: datetime | None = None) -> Delivery:
        """Refuse messages by a template in the settings, those accepted before too."""
        self.books.accounts[app_id].consents.reject(openid, template_id)
        entry = {"TemplateId": template_id, "SubscribeStatusString": "reject"}
        fields = subscription_event(self.account(app_id), CHANGE, [entry], self.books.behaviour)
        return await self.push(app_id, openid, fields, at)

    async def push_results(self) -> list[Delivery]:
        """Push what became of messages, as far as its time has come; an account without a callback is told nothing."""
        due = iter(
            [
                (books.account, result)
                for books in self.books.accounts.values()
                for result in books.results.take_due(self.clock())
                if books.account.callback_url is not None
            ]
        )
        deliveries: list[Delivery] = []

        async def push_next() -> None:
            for account, result in due:
                deliveries.append(await self._deliver(account, result.openid, result.fields, self.clock()))

        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENT_RESULTS):
                group.create_task(push_next())
        return deliveries

    async def keep_pushing_results(self, every: float) -> None:
        """Push what became of messages every so many seconds, until cancelled."""
        while True:
            await self.push_results()
            await asyncio.sleep(every)

    async def push(self, app_id: str, openid: str, fields: PushFields, at: datetime | None = None) -> Delivery:
        """Push what somebody did, in up to three attempts; 200 with `success` or an empty body acknowledges it."""
        user, at = self.user(app_id, openid), at or self.clock()
        user.acted_at = at if user.acted_at is None else max(at, user.acted_at)
        trigger = TRIGGERS.get(str(fields.get("Event"))) if fields.get("MsgType") == "event" else Trigger.MESSAGE
        if trigger is not None:
            self.books.accounts[app_id].replies.open(openid, trigger, at)
        self.books.accounts[app_id].conversations.hear(openid, fields, at)
        return await self._deliver(self.account(app_id), openid, fields, at)

    async def _deliver(self, account: Account, openid: str, fields: PushFields, at: datetime) -> Delivery:
        all_fields = {
            "ToUserName": account.gh_id,
            "FromUserName": openid,
            "CreateTime": str(int(at.timestamp())),
            **fields,
        }
        answers: list[int | str] = []
        acknowledged = False
        while not acknowledged and len(answers) < MAX_ATTEMPTS:
            answer, acknowledged = await self._attempt(account, all_fields)
            answers.append(answer)
        delivery = Delivery(all_fields, acknowledged, tuple(answers))
        self.deliveries.append(delivery)
        return delivery

    async def _attempt(self, account: Account, fields: PushFields) -> tuple[int | str, bool]:
        if account.callback_url is None:
            raise ValueError(f"{account.app_id} has no callback address")
        query, body = encode_push(
            fields,
            token=account.token,
            encoding_aes_key=account.encoding_aes_key,
            app_id=account.app_id,
            now=self.clock(),
            mode=account.mode,
            nonce=_nonce(),
            body_format=account.body_format,
        )
        content_type = "application/json" if account.body_format == "json" else "text/xml"
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._client.post(
                    account.callback_url,
                    params=query,
                    content=body,
                    headers={"Content-Type": content_type},
                    # The timeout around it covers the whole attempt.
                    timeout=None,
                )
        except (httpx.TransportError, TimeoutError) as error:
            return type(error).__name__, False
        return answer.status_code, answer.status_code == httpx.codes.OK and answer.text in {"success", ""}


def _nonce() -> str:
    return str(secrets.randbelow(9_000_000_000) + 1_000_000_000)


def _ticket(scene: str) -> str:
    return f"gQH{sign(scene)}"
