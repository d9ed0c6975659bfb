"""Read the orders that come over HTTP: JSON objects, with the names of the fields of what is ordered."""

from typing import Any, Final, TypeVar

from pydantic import TypeAdapter
from starlette.requests import Request

from service.dev.demo.wechat_api.books.accounts import AccountBooks
from service.dev.demo.wechat_api.books.books import WechatBooks
from service.dev.demo.wechat_api.errors import ApiError

DONE: Final[dict[str, Any]] = {"errcode": 0, "errmsg": "ok"}
T = TypeVar("T")


async def read_order(request: Request, shape: type[T]) -> T:
    """Return what is ordered; raises pydantic's ValidationError if it has another shape."""
    return TypeAdapter(shape).validate_json(await request.body())


def account_of(books: WechatBooks, request: Request) -> AccountBooks:
    """Return the books of the account in the path; raises ApiError 40013 if there is none."""
    found = books.accounts.get(request.path_params["app_id"])
    if found is None:
        raise ApiError(40013)
    return found
