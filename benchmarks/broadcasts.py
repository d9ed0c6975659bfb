"""Measure broadcasts to many people: what sending takes of ours, what the ledger takes, previews, and claims.

Our own time is that of this process and of PostgreSQL on the processors; the imitation runs beside them.
"""

from typing import Final

from benchmarks.broadcast_claims import measure_claims
from benchmarks.broadcast_runs import TAG, TEMPLATE, Sent, sender
from benchmarks.harness import Table, median_seconds
from benchmarks.machine import Machine
from service.domain.broadcasts.audience.assessment import Terms, assess_audience
from service.domain.broadcasts.audience.sendable import Sending
from service.domain.broadcasts.policy.stored import policy_of
from service.entities.bitmaps import first_people
from service.entities.broadcast_messages import TextMessage
from service.entities.broadcasts import MessageKind
from service.entities.expressions import FOLLOWERS, tag
from service.storage.broadcasts.broadcast_ledger import to_bits, to_number

MOST_SINGLE_SENDS: Final = 100_000
ADD_TAG: Final = """
insert into tag (channel_id, tag_id, kind, category, name, state, created_at, updated_at)
values ($1, $2, 'RETURN', 'Audiences', 'Some', 'ACTIVE', now(), now())
"""
FOLLOWING: Final = """
select block, bit_or(members) as members from tag_members
where channel_id = $1 and tag_id in (3, 4) group by block order by block limit 10
"""
TEXT: Final = TextMessage(MessageKind.MASS_TEXT, "Spring tea is here.")


async def measure(machine: Machine) -> list[Table]:
    """Measure a preview, then a mass message to all followers, template messages to some, and claims of such."""
    preview = await _measure_preview(machine)
    some = min(MOST_SINGLE_SENDS, machine.users // 10)
    await _give_tag(machine, some)
    async with sender(machine) as sending:
        mass = await sending.send(TEXT, FOLLOWERS)
        single = await sending.send(TEMPLATE, tag(TAG))
        claims = await measure_claims(sending, some)
    return [_table("Mass message", mass, "2 µs"), _table("Template messages", single, "200 µs"), claims, preview]


async def _give_tag(machine: Machine, people: int) -> None:
    """Let the first so many followers have a tag."""
    channel_id = machine.channel.channel_id
    await machine.admin.execute(ADD_TAG, channel_id, TAG)
    following = {row["block"]: to_number(row["members"]) for row in await machine.admin.fetch(FOLLOWING, channel_id)}
    members = [(channel_id, block, TAG, to_bits(bits)) for block, bits in first_people(following, people).items()]
    await machine.admin.copy_records_to_table(
        "tag_members", columns=("channel_id", "block", "tag_id", "members"), records=members
    )


async def _measure_preview(machine: Machine) -> Table:
    runtime, channel = machine.runtime, machine.channel
    async with runtime.pool.acquire() as conn:
        policy = await policy_of(conn, channel.channel_id)

    async def preview() -> int:
        terms = Terms(Sending(channel, MessageKind.MASS_TEXT, None, runtime.clock()), policy)
        async with runtime.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            return (await assess_audience(conn, terms, FOLLOWERS)).matched

    table = Table(
        f"Preview of a mass message in {machine.users:,} users",
        "Who follows, who can be sent to, and who is held, with the reasons. The aim is 50 ms in 10,000,000 users.",
    )
    taken = await median_seconds(preview)
    table.add("followers", taken * 1e3, "ms", "", f"{await preview():,} people")
    return table


def _table(what: str, sent: Sent, aim: str) -> Table:
    people = sent.broadcast.sent
    table = Table(
        f"{what} to {people:,} people",
        "To an imitated WeChat that takes everything and keeps nothing. Own time is what this process and PostgreSQL "
        "spent on the processors; the imitated WeChat shares the machine, and whoever waits for it is not counted. "
        f"The aim is less than {aim} of own time a person.",
    )
    for name, spent in (("freezing", sent.frozen), ("sending", sent.sending)):
        each = f"{spent.own / people * 1e6:.2f} µs in Python, {spent.database / people * 1e6:.2f} µs in PostgreSQL"
        table.add(f"{name}, of one person", spent.ours / people * 1e6, "µs", "", each)
    clock = f"{sent.sending.imitation:.1f} s of the imitation"
    table.add("sending, on the clock", people / sent.sending.wall, "people/s", "", clock)
    table.add("ledger", sent.ledger / people, "B/person", "", "with its indexes")
    return table
