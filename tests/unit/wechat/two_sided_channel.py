"""Push to one channel from both sides: encrypt as WeChat does, decode as the service does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.dev.demo.push_encoder import BodyFormat, Mode, PushFields, encode_push
from service.wechat.pushes import Push, decode_push

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
COMMON = {
    "ToUserName": "gh_97417a04a28d",
    "FromUserName": "o9AgO5Kd5ggOC-bXrbNODIiE3bGY",
    "CreateTime": str(int(NOW.timestamp())),
}


@dataclass(frozen=True)
class ChannelKeys:
    """Hold the keys of one channel; `now` is the service's clock, `sent` WeChat's."""

    token: str = "AAAAA"
    encoding_aes_key: str | None = "A" * 43
    app_id: str = "wxba5fad812f8e6fb9"
    now: datetime = NOW
    sent: datetime = NOW

    def encrypt(
        self, fields: PushFields, mode: Mode = "safe", body_format: BodyFormat = "xml"
    ) -> tuple[dict[str, str], bytes]:
        return encode_push(
            {**COMMON, **fields},
            token=self.token,
            encoding_aes_key=self.encoding_aes_key,
            app_id=self.app_id,
            now=self.sent,
            mode=mode,
            nonce="415670741",
            body_format=body_format,
        )

    def open(self, query: Mapping[str, str], body: bytes) -> Push:
        return decode_push(
            query,
            body,
            token=self.token,
            encoding_aes_key=self.encoding_aes_key,
            app_ids=[self.app_id],
            now=self.now,
            max_age=timedelta(minutes=10),
        )

    def round_trip(self, fields: PushFields, mode: Mode = "safe", body_format: BodyFormat = "xml") -> Push:
        return self.open(*self.encrypt(fields, mode, body_format))


ENCRYPTED = ChannelKeys()
PLAIN = ChannelKeys(encoding_aes_key=None)
