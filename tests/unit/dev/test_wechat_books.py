"""Keep the books of the imitated server API consistent, whatever is done to them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dev.demo.wechat_api.books.accounts import Account, AccountBooks
from service.dev.demo.wechat_api.books.books import WechatBooks
from service.dev.demo.wechat_api.books.saving import restore_books, save_books
from service.dev.demo.wechat_api.limits import Limits

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ACCOUNT = Account(app_id="wxba5fad812f8e6fb9", gh_id="gh_97417a04a28d", token="AAAAA", secret="the app secret")
OPENIDS = [f"oPerson{number}" for number in range(5)]
PAGE = 3
Step: TypeAlias = tuple[str, int, int]
Steps = st.lists(
    st.tuples(st.sampled_from(["follow", "unfollow", "tag", "untag", "delete"]), st.integers(0, 9), st.integers(0, 2))
)


def books_of(crowd_size: int) -> tuple[AccountBooks, list[str]]:
    """Return books with a crowd of this size, and the openids to do something with."""
    books = AccountBooks(ACCOUNT, Limits())
    books.people.set_crowd(crowd_size, NOW)
    return books, [*books.people.followers_after("", crowd_size), *OPENIDS]


def perform(books: AccountBooks, openid: str, step: Step) -> None:
    action, _, tag = step
    living = list(books.tags.tags)
    if action == "follow":
        # Later than the crowd, which follows second by second.
        books.follow(openid, NOW + timedelta(minutes=1))
    elif action == "unfollow":
        books.unfollow(openid)
    elif action == "delete" and len(living) > tag:
        books.tags.delete(living[tag])
    elif action == "tag":
        tag_id = living[tag] if len(living) > tag else books.tags.create(f"tag {len(living)}", NOW).id
        books.tags.tag(tag_id, [openid])
    elif len(living) > tag:
        books.tags.untag(living[tag], [openid])


@given(steps=Steps, crowd_size=st.integers(0, 5))
def test_members_and_the_tags_of_users_say_the_same(steps: list[Step], crowd_size: int) -> None:
    books, openids = books_of(crowd_size)
    for step in steps:
        perform(books, openids[step[1] % len(openids)], step)
        tags = books.tags.tags.values()
        for openid in openids:
            assert set(books.tags.tags_of(openid)) == {tag.id for tag in tags if openid in tag.members}
        for tag in tags:
            assert tag.members_after("", len(openids)) == sorted(tag.members)


@given(steps=Steps, crowd_size=st.integers(0, 5))
def test_pages_of_followers_have_everybody_once(steps: list[Step], crowd_size: int) -> None:
    books, openids = books_of(crowd_size)
    following = dict.fromkeys(openids[:crowd_size], True)
    for step in steps:
        openid = openids[step[1] % len(openids)]
        perform(books, openid, step)
        if step[0] in {"follow", "unfollow"}:
            following[openid] = step[0] == "follow"

    found: list[str] = []
    for _ in openids:
        found += books.people.followers_after(found[-1] if found else "", PAGE)
    assert sorted(found) == sorted(openid for openid, follows in following.items() if follows)
    assert len(found) == books.people.follower_count()


@given(number=st.integers(0, 49), wrong=st.text(max_size=28))
def test_a_crowd_knows_its_own_openids_and_no_others(number: int, wrong: str) -> None:
    books, _ = books_of(50)
    openid = books.people.followers_after("", 50)[number]
    user = books.people.find(openid)

    assert user is not None
    assert user.followed_at == NOW + timedelta(seconds=number)
    assert books.people.find(wrong) is None
    assert books.people.find(f"{openid}{wrong}x") is None
    assert books.people.known == {}


@pytest.mark.parametrize("order", [*permutations(["follow", "unfollow", "follow again"])])
def test_what_was_done_last_counts_in_whatever_order_it_is_told(order: tuple[str, ...]) -> None:
    books, _ = books_of(0)
    doing: dict[str, Callable[[], object]] = {
        "follow": lambda: books.follow("o1", NOW, "old"),
        "unfollow": lambda: books.unfollow("o1", NOW + timedelta(minutes=1)),
        "follow again": lambda: books.follow("o1", NOW + timedelta(minutes=2), "new"),
    }
    for what in order:
        doing[what]()
    user = books.people.user("o1")

    assert (user.following, user.followed_at, user.qr_scene) == (True, NOW + timedelta(minutes=2), "new")


@given(steps=Steps)
def test_books_that_were_saved_say_the_same_when_restored(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    file = tmp_path_factory.mktemp("books") / "books.json"
    books = WechatBooks(lambda: NOW)
    account = books.register(ACCOUNT)
    for step in steps:
        perform(account, OPENIDS[step[1] % len(OPENIDS)], step)
    save_books(books, file)
    later = WechatBooks(lambda: NOW)
    restored = later.register(ACCOUNT)

    assert restore_books(later, file) == {ACCOUNT.app_id}
    assert restored.people.known == account.people.known
    assert restored.tags.next_id == account.tags.next_id
    assert [(tag.id, tag.name, tag.members) for tag in restored.tags.tags.values()] == [
        (tag.id, tag.name, tag.members) for tag in account.tags.tags.values()
    ]


@pytest.mark.parametrize("text", [None, "", "{", '{"wx": {"people": 1}}'])
def test_books_that_cannot_be_read_begin_anew(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "books.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    books = WechatBooks(lambda: NOW)
    books.register(ACCOUNT)

    assert restore_books(books, file) == frozenset()
    assert books.accounts[ACCOUNT.app_id].people.known == {}


def test_a_file_is_only_written_when_something_changed(tmp_path: Path) -> None:
    file = tmp_path / "books.json"
    books = WechatBooks(lambda: NOW)
    account = books.register(ACCOUNT)
    save_books(books, file)
    before = file.stat().st_ino
    save_books(books, file)
    assert file.stat().st_ino == before
    account.follow("o1", NOW)
    save_books(books, file)
    assert file.stat().st_ino != before
