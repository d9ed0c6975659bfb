"""Encode positions in numbered feeds as opaque text, and refuse every other text."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.change_feed.cursors import MAX_OFFSET, MAX_SEQ, MAX_VERSION, decode_cursor, encode_cursor
from service.entities.change_feed import FeedPosition
from service.entities.errors import BadInputError
from service.storage.change_feed import instant_of

positions = st.builds(FeedPosition, st.integers(0, MAX_SEQ), st.integers(0, MAX_VERSION), st.integers(0, MAX_OFFSET))


def test_each_entry_that_can_be_named_is_an_instant() -> None:
    assert instant_of(MAX_SEQ).year < 10_000


@given(channel_id=st.integers(1, 2**62), position=positions)
def test_a_cursor_names_one_position_of_one_channel(channel_id: int, position: FeedPosition) -> None:
    text = encode_cursor(channel_id, position)
    assert decode_cursor(text, channel_id, "after") == position
    with pytest.raises(BadInputError) as refused:
        decode_cursor(text, channel_id + 1, "after")
    assert refused.value.fields[0].path == ("after",)


@given(st.one_of(st.text(max_size=300), st.binary(max_size=80).map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        decode_cursor(text, 1, "after")


@pytest.mark.parametrize(
    "inside",
    [
        '["f1",1,2,3]',
        '["f1",1,2,3,-1]',
        '["f1",1,2,3,4,5]',
        '["u1",1,2,3,4]',
        '["f1",1,2.5,3,4]',
        '["f1",1,99e99,3,4]',
        '["f1",1,4611686018427387904,0,0]',
        "{}",
    ],
)
def test_neither_are_other_contents_taken(inside: str) -> None:
    with pytest.raises(BadInputError):
        decode_cursor(base64.urlsafe_b64encode(inside.encode()).decode().rstrip("="), 1, "after")
