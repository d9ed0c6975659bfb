"""Let the book of messages say the same in every way it can be asked."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.dev.demo.wechat_api.behaviour import Records
from service.dev.demo.wechat_api.books.conversations import ConversationBook
from service.dev.demo.wechat_api.books.messages import Message, MessageBook, SentBy

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OPENIDS = ["oAda", "oBob", "oCat"]
Deliveries = st.lists(
    st.tuples(st.sampled_from(SentBy), st.sampled_from(["Sale", "New"]), st.lists(st.sampled_from(OPENIDS), max_size=4))
)


@given(deliveries=Deliveries)
def test_whoever_asks_is_told_the_same(deliveries: list[tuple[SentBy, str, list[str]]]) -> None:
    book = MessageBook(lambda _: None, ConversationBook())
    got: dict[str, list[Message]] = {openid: [] for openid in OPENIDS}
    for number, (sent_by, text, openids) in enumerate(deliveries):
        message = Message(sent_by=sent_by, content={"text": text}, at=NOW + timedelta(seconds=number), msg_id=number)
        book.deliver(message, openids, Records.EACH)
        for openid in openids:
            got[openid].append(message)

    for sent_by in SentBy:
        counts = {openid: sum(each.sent_by is sent_by for each in got[openid]) for openid in OPENIDS}
        assert book.receipts(sent_by) == +Counter(counts)
        assert book.sent[sent_by] == sum(counts.values())
    repeated: dict[str, list[Message]] = {}
    for openid in OPENIDS:
        assert book.of(openid) == got[openid]
        ours = [each for each in got[openid] if each.sent_by not in {SentBy.PREVIEW, SentBy.CONSOLE, SentBy.AGENT}]
        assert book.receipts()[openid] == len(ours)
        pairs = [(each.sent_by, each.content["text"]) for each in ours]
        again = [each for each, pair in zip(ours, pairs, strict=True) if pairs.count(pair) > 1]
        repeated |= {openid: again} if again else {}
    assert book.repeated() == repeated
