"""Sign as the official vectors do, and compare with any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.utils import WeChatSigner

from service.wechat.crypto import sign, verify_signature


@pytest.mark.parametrize(
    ("timestamp", "nonce", "signature"),
    [
        ("1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        ("1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
        ("1714112445", "415670741", "6c5c811b55cc85e0e1b54100749188c20beb3f5d"),
    ],
)
def test_the_official_vectors_are_reproduced(timestamp: str, nonce: str, signature: str) -> None:
    assert sign("AAAAA", timestamp, nonce) == signature
    assert verify_signature("AAAAA", timestamp, nonce, given=signature)


@given(parts=st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=5))
def test_wechatpy_signs_alike(parts: list[str]) -> None:
    signer = WeChatSigner()
    signer.add_data(*parts)

    assert sign(*parts) == signer.signature


@given(given_signature=st.text())
def test_any_text_may_be_given_and_does_not_match(given_signature: str) -> None:
    assert not verify_signature("AAAAA", "1714036504", "1514711492", given=given_signature)


@given(parts=st.lists(st.text(), max_size=4))
def test_any_text_may_be_signed(parts: list[str]) -> None:
    assert verify_signature(*parts, given=sign(*parts))
