"""Check the values of template and subscription messages by the rule that stands in the name of their field.

Source: developers.weixin.qq.com `/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage`, the
rules of its parameters. A name without a rule, as those of old templates, takes any text.
"""

from collections.abc import Mapping
from typing import Any, Final

import regex

from service.dev.demo.wechat_api.books.templates import Template
from service.dev.demo.wechat_api.errors import ApiError

FIELD_NAME: Final = regex.compile(r"([a-z_]+?)_?[0-9]*")
DAY: Final = (
    r"(?:(?:[0-9]{4}年)?[0-9]{1,2}月[0-9]{1,2}日|[0-9]{4}年[0-9]{1,2}月"
    r"|[0-9]{4}[-/.][0-9]{1,2}(?:[-/.][0-9]{1,2})?|[0-9]{1,2}[-/.][0-9]{1,2})"
)
TIME: Final = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
RULES: Final[Mapping[str, "regex.Pattern[str]"]] = {
    name: regex.compile(rule)
    for name, rule in {
        "thing": r"(?s:.{1,20})",
        "number": r"(?=.{1,32}\Z)[+-]?[0-9]+(?:\.[0-9]+)?",
        "letter": r"[A-Za-z]{1,32}",
        "symbol": r"[^\p{L}\p{N}\s]{1,5}",
        "character_string": r"[^\p{Han}]{1,32}",
        "time": rf"(?:{DAY} ?)?{TIME}(?: ?~ ?(?:{DAY} ?)?{TIME})?|{DAY}",
        "date": rf"{DAY}(?: ?{TIME})?(?: ?~ ?{DAY}(?: ?{TIME})?)?",
        "amount": r"\p{Sc}?[0-9]{1,10}(?:\.[0-9]+)?元?",
        "phone_number": r"[^\p{L}]{1,17}",
        "car_number": r"[A-Za-z0-9\p{Han}·]{1,8}",
        "name": r"[^\p{N}\p{Han}]{1,20}|[^\p{N}]{1,10}",
        "phrase": r"\p{Han}{1,5}",
        "const": r"(?s:.{1,20})",
    }.items()
}


def check_values(template: Template, data: Any) -> None:
    """Raise ApiError 47003 if a field of the template is missing, empty or against its rule; others are ignored."""
    if not isinstance(data, dict):
        raise ApiError(47001)
    for name in template.fields:
        entry = data.get(name)
        value = entry.get("value") if isinstance(entry, dict) else None
        if value is None or not str(value).strip():
            raise ApiError(47003, f"argument invalid! data.{name}.value is emtpy")
        rule = RULES.get(_rule_name(name))
        if rule is not None and rule.fullmatch(str(value)) is None:
            raise ApiError(47003, f"argument invalid! data.{name}.value invalid")


def _rule_name(field_name: str) -> str:
    found = FIELD_NAME.fullmatch(field_name)
    return "" if found is None else found[1]
