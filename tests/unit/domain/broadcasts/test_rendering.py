"""Insert what is known of a person as data: nothing of it is read as markup, as a link or as a placeholder."""

import json
import re
import unicodedata
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.broadcasts.messages.checking import examine_message
from service.domain.broadcasts.messages.rendering import MessageRenderer
from service.domain.broadcasts.messages.tag_values import join_names
from service.entities.broadcast_messages import BroadcastMessage, MiniProgramPage, TemplateMessage, TextMessage
from tests.unit.domain.broadcasts.messages import (
    EVERY_KIND,
    MINI_PROGRAM_SUBSCRIPTION,
    PAGE,
    SERVICE_SUBSCRIPTION,
    TEMPLATE,
    channel,
    template,
    text,
)

OPENID = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
FORBIDDEN_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
DIRECTIONS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def taken(message: BroadcastMessage) -> BroadcastMessage:
    """A message as it is stored, which nothing is wrong with."""
    checked, errors = examine_message(channel(), message)
    assert errors == ()
    return checked


def rendered_text(written: str, openid: str = OPENID, **values: str) -> str | None:
    message = taken(text(written))
    found = MessageRenderer(message).render(openid, values)
    assert found is None or isinstance(found, TextMessage)
    return None if found is None else found.text


def rendered_field(key: str, value: str, **values: str) -> str | None:
    message = taken(template((key, value)))
    found = MessageRenderer(message).render(OPENID, values)
    assert found is None or isinstance(found, TemplateMessage)
    return None if found is None else found.data[0].value


def rendered_url(url: str, **values: str) -> str | None:
    message = taken(template(("thing1", "x"), url=url))
    found = MessageRenderer(message).render(OPENID, values)
    assert found is None or isinstance(found, TemplateMessage)
    return None if found is None else found.url


@pytest.mark.parametrize("message", EVERY_KIND, ids=lambda message: message.kind.value)
def test_without_placeholders_a_message_is_the_same_for_all(message: BroadcastMessage) -> None:
    renderer = MessageRenderer(message)

    assert renderer.render(OPENID, {"Level": "Gold"}) == message
    assert renderer.categories == frozenset()


def test_values_stand_where_the_placeholders_stood() -> None:
    written = "Dear {{tag:Level}} member {{ openid }}, {{tag:Place|wherever you are}}!"

    assert rendered_text(written, Level="Gold", Place="Beijing") == f"Dear Gold member {OPENID}, Beijing!"
    assert rendered_text(written, Level="Gold") == f"Dear Gold member {OPENID}, wherever you are!"
    assert rendered_text(written, Place="Beijing") is None
    assert rendered_text(written, Level="", Place="Beijing") is None


def test_a_message_says_what_it_needs() -> None:
    renderer = MessageRenderer(text("{{tag:Level}} {{tag:Place|there}} {{tag:Level|one}} {{openid}}"))

    assert renderer.categories == {"Level", "Place"}


def test_every_part_of_a_message_is_rendered() -> None:
    fields = (("thing1", "For {{tag:Level}}"), ("time2", "15:01"))
    message = template(
        *fields, url="https://x.example/?l={{tag:Level}}", page=MiniProgramPage(PAGE.app_id, "a?l={{tag:Level}}")
    )
    assert MessageRenderer(message).render(OPENID, {"Level": "A B"}) == template(
        ("thing1", "For A B"),
        ("time2", "15:01"),
        url="https://x.example/?l=A%20B",
        page=MiniProgramPage(PAGE.app_id, "a?l=A%20B"),
    )
    for other, page in ((SERVICE_SUBSCRIPTION, "https://x.example/?l="), (MINI_PROGRAM_SUBSCRIPTION, "pages/a?l=")):
        subscription = replace(other, page=page + "{{tag:Level}}")
        assert MessageRenderer(subscription).render(OPENID, {"Level": "A B"}) == replace(other, page=page + "A%20B")
        assert MessageRenderer(subscription).render(OPENID, {}) is None


def test_several_tags_of_a_category_stand_in_the_order_of_their_names() -> None:
    names = [("Level", "Silver"), ("Place", "Beijing"), ("Level", "Gold"), ("Level", "Bronze")]

    assert join_names(names) == {"Level": "Bronze, Gold, Silver", "Place": "Beijing"}


@pytest.mark.parametrize(
    ("value", "inserted"),
    [
        ("{{openid}}", "{{openid}}"),
        ("{{tag:Level}}", "{{tag:Level}}"),
        ("</xml>", "/xml"),
        ('<a href="https://evil.example">', 'a href="https://evil.example"'),
        ("R&D &lt;", "RD lt;"),
        ("\u202eevil", "evil"),
        ("\u2066a\u2069", "a"),
        ("two\nlines\r\u2028", "twolines"),
        ("\x00\x1b[31m", "[31m"),
        ("\ud800half", "half"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    ],
    ids=ascii,
)
def test_a_value_is_data(value: str, inserted: str) -> None:
    assert rendered_text("Hello {{tag:Level}}!", Level=value) == f"Hello {inserted}!"
    assert rendered_field("keyword1", "{{tag:Level}}", Level=value) == inserted


@pytest.mark.parametrize("value", ["&x=1", "a&x=1#y", "a/../b?c", "%26x=1", "a b", "春", "a\r\nHost: evil"])
def test_a_value_in_an_address_stays_one_value(value: str) -> None:
    url = rendered_url("https://shop.example/a/?level={{tag:Level}}&then=z", Level=value)

    assert url is not None
    parts = urlsplit(url)
    assert (parts.netloc, parts.path, parts.fragment) == ("shop.example", "/a/", "")
    assert parse_qs(parts.query) == {"level": [re.sub(r"[<>&\r\n]", "", value)], "then": ["z"]}


@pytest.mark.parametrize("value", ["..", ".", "<.>."])
def test_a_value_leads_out_of_no_folder(value: str) -> None:
    assert rendered_url("https://shop.example/a/{{tag:Level}}/b", Level=value) is None
    assert rendered_url("https://shop.example/a/{{tag:Level|c d}}/b", Level=value) == "https://shop.example/a/c%20d/b"


@pytest.mark.parametrize(
    ("key", "written", "value", "expected"),
    [
        ("thing1", "{{tag:A}}", "x" * 30, "x" * 20),
        ("thing1", "For {{tag:A}}!", "x" * 30, "For " + "x" * 15 + "!"),
        ("thing1", "{{tag:A}}", "春" * 30, "春" * 20),
        ("thing1", "{{tag:A}}", "x" * 19 + "🎁🎁", "x" * 19),
        ("thing1", "{{tag:A}}", "x" * 14 + "👨\u200d👩\u200d👧", "x" * 14),
        ("thing1", "{{tag:A}}", "ten chars, and ten more", "ten chars, and ten m"),
        ("thing1", "{{tag:A}}", "nineteen characters more", "nineteen characters"),
        ("thing1", "x" * 19 + "{{tag:A}}", "🎁", None),
        ("thing1", "x" * 19 + "{{tag:A|y}}", "🎁", "x" * 19 + "y"),
        ("phrase2", "{{tag:A}}", "春夏秋冬春夏", "春夏秋冬春"),
        ("phrase2", "{{tag:A}}", "VIP", None),
        ("phrase2", "{{tag:A|会员}}", "VIP", "会员"),
        ("character_string3", "No. {{tag:A|1}}", "春", "No. 1"),
        ("number4", "{{tag:A|0}}", "many", "0"),
        ("number4", "{{tag:A}}", "9" * 33, None),
        ("number4", "1{{tag:A|0}}", ".", "10"),
        ("date5", "2026年3月{{tag:Day|1}}日", "32", "2026年3月1日"),
        ("date5", "2026年3月{{tag:A}}日", "31", "2026年3月31日"),
        ("phone_number6", "{{tag:A}}", "1" * 18, None),
        ("name7", "{{tag:A}}", "王" * 12, None),
    ],
)
def test_values_are_cut_to_the_rule_of_the_field(key: str, written: str, value: str, expected: str | None) -> None:
    assert rendered_field(key, written, A=value, Day=value) == expected


def test_several_values_are_cut_alike() -> None:
    written = "{{tag:A}}-{{tag:B}}-{{tag:C}}"

    assert rendered_field("thing1", written, A="a" * 30, B="b", C="c" * 30) == "aaaaaaaa-b-ccccccccc"
    assert rendered_text("x" * 2_045 + "{{tag:A}}", A="春") is None
    assert rendered_text("x" * 2_044 + "{{tag:A}}", A="春夏") == "x" * 2_044 + "春"


def test_an_address_is_never_cut() -> None:
    url = "https://shop.example/" + "x" * 1_000 + "?{{tag:A|a}}"

    assert rendered_url(url, A="yy") == url.replace("{{tag:A|a}}", "yy")
    assert rendered_url(url, A="yyyy") == url.replace("{{tag:A|a}}", "a")


LITERALS = st.text(st.sampled_from(list("ab 1春.-:{}|<&")), max_size=12)
FALLBACKS = st.one_of(st.just(""), LITERALS.map(lambda text: "|" + re.sub(r"[{}|]", "", text)))
PLACEHOLDERS = st.one_of(
    st.builds("{{{{tag:{0}{1}}}}}".format, st.sampled_from("ABC"), FALLBACKS),
    st.builds("{{{{openid{0}}}}}".format, FALLBACKS),
)
WRITTEN = st.lists(st.one_of(LITERALS, PLACEHOLDERS), max_size=6).map("".join)
NASTY = st.sampled_from(
    [
        "{{openid}}",
        "{{tag:B}}",
        "</xml>",
        "\u202e",
        "\n",
        "&x=1",
        "..",
        "%2e%2e",
        "]]>",
        "\\",
        '"',
        "\u200b",
        "👨\u200d👩\u200d👧",
    ]
)
VALUES = st.dictionaries(
    st.sampled_from("ABC"), st.lists(st.one_of(NASTY, st.text(max_size=30)), max_size=4).map("".join), max_size=3
)
KEYS = st.sampled_from(
    [
        f"{kind}1"
        for kind in ("thing", "character_string", "number", "letter", "phrase", "date", "time", "amount", "name")
    ]
)


def is_plain(text: str) -> bool:
    return not any(unicodedata.category(each) in FORBIDDEN_CATEGORIES or each in DIRECTIONS for each in text)


@given(KEYS, WRITTEN, VALUES)
def test_what_was_taken_renders_to_what_would_be_taken(key: str, written: str, values: dict[str, str]) -> None:
    message = template((key, written))
    if examine_message(channel(), message).errors:
        return
    found = MessageRenderer(message).render(OPENID, values)

    if found is None:
        assert "{{" in written
        return
    assert isinstance(found, TemplateMessage)
    value = found.data[0].value
    assert is_plain(value)
    # It passes the same check; only braces that came with a value would be read as a placeholder.
    taken(template((key, value.replace("{", "-"))))


@given(st.text(st.sampled_from("ab/?#&=.春"), max_size=10), VALUES)
def test_an_address_leads_to_the_site_it_was_written_for(path: str, values: dict[str, str]) -> None:
    written = f"https://shop.example/{path}?a={{{{tag:A|b}}}}&o={{{{openid}}}}"
    message = taken(replace(TEMPLATE, url=written))
    found = MessageRenderer(message).render(OPENID, values)

    assert isinstance(found, TemplateMessage)
    url = found.url or ""
    assert urlsplit(url).netloc == "shop.example"
    assert len(url.encode()) <= 1_024
    for each in ("&", "#", "?", "/", "="):
        assert url.count(each) == written.count(each)
    json.dumps(url).encode("ascii")
