"""Keep the books of the imitated server API consistent, whatever is done to them."""

from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from service.dev.demo.wechat_api.books.accounts import Account, AccountBooks

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
    books = AccountBooks(ACCOUNT, first_tag_id=100)
    books.people.set_crowd(crowd_size, NOW)
    return books, [*books.people.followers_after("", crowd_size), *OPENIDS]


def perform(books: AccountBooks, openid: str, step: Step) -> None:
    action, _, tag = step
    living = list(books.tags.tags)
    if action == "follow":
        books.follow(openid, NOW)
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
