"""Order what becomes of the next calls of a path."""

from collections.abc import Collection
from typing import Final, Generic, Protocol, TypeVar

EVERY_PATH: Final = "*"


class Order(Protocol):
    """Describe what becomes of the next `times` calls after the first `skip`; `times` None means all of them.

    With an `openid`, calls that do not name it are none of these.
    """

    times: int | None
    skip: int
    openid: str | None


T = TypeVar("T", bound=Order)


class Plan(Generic[T]):
    """Hold the orders to come, by path; those of one path happen in turn."""

    def __init__(self) -> None:
        self._orders: dict[str, list[T]] = {}

    def __bool__(self) -> bool:
        """Say whether anything is ordered."""
        return any(self._orders.values())

    def add(self, path: str, order: T) -> None:
        """Order something for a path, or for every path with `EVERY_PATH`."""
        self._orders.setdefault(path, []).append(order)

    def clear(self) -> None:
        """Forget all orders to come."""
        self._orders.clear()

    def take(self, path: str, openids: Collection[str] = ()) -> T | None:
        """Return what becomes of this call about some people, which is used up by it; None if nothing was ordered."""
        for key in (path, EVERY_PATH):
            orders = self._orders.get(key, [])
            order = next((each for each in orders if each.openid is None or each.openid in openids), None)
            if order is None:
                continue
            if order.skip > 0:
                order.skip -= 1
                continue
            if order.times is not None:
                order.times -= 1
                if order.times <= 0:
                    orders.remove(order)
            return order
        return None
