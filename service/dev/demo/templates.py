"""Give the accounts of the demo templates for their messages, as their owner chose them in WeChat's console."""

from typing import Final

from service.dev.demo.wechat_api.books.accounts import AccountBooks
from service.entities.channels import ChannelKind

ORDER_TEMPLATE: Final = "demo-order-is-ready"
"""Name a template of the service account, for template messages: fields `thing1` and `time2`."""
NEWS_TEMPLATE: Final = "demo-new-teas"
"""Name a template of both accounts, for subscription messages, which people accept: fields `thing1` and `date2`."""


def add_templates(books: AccountBooks) -> None:
    """Add the templates that an account of its kind can have."""
    books.templates.add(NEWS_TEMPLATE, "thing1", "date2", subscription=True)
    if books.account.kind is ChannelKind.SERVICE_ACCOUNT:
        books.templates.add(ORDER_TEMPLATE, "thing1", "time2")
