"""Whatever happens in whatever order, the ledger says what a plain model says, and nobody is sent to twice or lost.

The rule: docs/specification.md §6.6.
"""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from service.domain.runtime import Runtime
from service.entities.broadcasts import MessageKind
from tests.domain.broadcasts.sending.book import Book
from tests.domain.broadcasts.sending.ledger_model import LedgerModel, Step, histories
from tests.support.clock import FrozenClock
from tests.support.examples import compared_with_model
from tests.support.runtime import bind, ordinals_for

_robots = itertools.count(1)
KINDS = st.sampled_from((MessageKind.MASS_TEXT, MessageKind.TEMPLATE))


@compared_with_model(examples=90)
@given(kind=KINDS, size=st.integers(2, 9), history=histories())
async def test_a_ledger_is_as_its_model(
    runtime: Runtime, clock: FrozenClock, kind: MessageKind, size: int, history: list[Step]
) -> None:
    book = Book(runtime, await bind(runtime, robot_id=f"robot-{next(_robots)}"))
    ordinals = await ordinals_for(book.runtime, book.channel, [f"oPerson{number}" for number in range(size)])
    await book.follow(ordinals.values())

    model = await LedgerModel.open(book, clock, kind, sorted(ordinals.values()))
    await model.compare()
    await model.run(history)
