"""Let nobody wait while the largest bodies are read that WeChat's addresses take."""

from datetime import UTC, datetime
from typing import Final

import pytest

from service.wechat import batchset, pushes
from service.wechat.crypto import Envelope, sign
from tests.support.robot import Robot, obtain_endpoint
from tests.support.stalls import assert_undisturbed
from tests.web.endpoints.push_account import PushingAccount

BATCHSET_XML: Final = 3 * batchset.MAX_BODY_BYTES // 4 - 200


def filled(unit: bytes, size: int, start: bytes = b"<xml>", end: bytes = b"</xml>") -> bytes:
    """Return so many units between a start and an end that the whole has almost `size` bytes."""
    return start + unit * ((size - len(start) - len(end)) // len(unit)) + end


@pytest.mark.parametrize(
    "inner",
    [
        filled(b"<a/>", pushes.MAX_BODY_BYTES),
        filled(b"<a></a>", pushes.MAX_BODY_BYTES),
        filled(b"<Encrypt>A</Encrypt>", pushes.MAX_BODY_BYTES),
        filled(b"<a>", pushes.MAX_BODY_BYTES),
        filled(b"]]>", pushes.MAX_BODY_BYTES, b"<xml><a><![CDATA["),
        filled(b'"a":1,', pushes.MAX_BODY_BYTES, b"{", b'"a":"\\q"}'),
        filled(b"[", pushes.MAX_BODY_BYTES, b'{"a":', b"}"),
    ],
    ids=lambda body: body[:20].decode(),
)
async def test_no_body_of_a_push_makes_others_wait(account: PushingAccount, inner: bytes) -> None:
    timestamp = str(int(datetime.now(UTC).timestamp()))
    query = {"timestamp": timestamp, "nonce": "1", "msg_signature": sign(account.token, timestamp, "1", "A")}

    await assert_undisturbed(account.robot.web.url, lambda: account.post(query, inner))


@pytest.mark.parametrize(
    "xml",
    [
        filled(b"<a/>", BATCHSET_XML),
        filled(b"\n", BATCHSET_XML),
        filled(b"\xff", BATCHSET_XML),
        filled(b"a", BATCHSET_XML, b"<xml><!--", b"--></xml>"),
        filled(b"\t", BATCHSET_XML, b"<xml a='", b"'></xml>"),
        b"<xml>%s</xml>" % (b"<a/>" * 39_000),
        b"<xml>%s</xml>" % (b"<a b='c'/>" * 1_900 + b"&amp;\n" * 19_000),
    ],
    ids=lambda xml: xml[:20].decode(errors="replace"),
)
async def test_no_xml_of_a_batchset_call_makes_others_wait(robot: Robot, xml: bytes) -> None:
    integrator = await obtain_endpoint(robot)
    body = b'{"encrypt":"%s"}' % Envelope(integrator.key, integrator.app_id).encrypt(xml).encode()

    await assert_undisturbed(robot.web.url, lambda: integrator.post_raw(body))


@pytest.mark.parametrize("unit", [b"[", b"0,", b'"', b"\\/", b" "], ids=repr)
async def test_no_json_of_a_batchset_call_makes_others_wait(robot: Robot, unit: bytes) -> None:
    integrator = await obtain_endpoint(robot)
    body = filled(unit, batchset.MAX_BODY_BYTES, b'{"encrypt":"' if unit == b"\\/" else b'{"encrypt":[', b"]}")

    await assert_undisturbed(robot.web.url, lambda: integrator.post_raw(body))
