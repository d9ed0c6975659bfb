"""Measure looking back one day, in which a share of the users changed, beside counting the present."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from benchmarks.harness import Table, median_seconds, multiple
from benchmarks.loading import START
from benchmarks.machine import Machine
from service.domain.audiences.counting import count_audience, count_audience_as_of, members_page
from service.domain.audiences.tag_flow import flows_of_tags
from service.domain.combos.expressions import to_draft
from service.entities.expressions import Expression, all_of, difference, tag
from service.entities.tags import DefaultTagRule

SHARES: Final = (0.01, 0.1)
DAY: Final = timedelta(days=1)
ROUNDS: Final = 7
OLD, OPENED, TOUCHABLE = map(tag, (DefaultTagRule.OLD_USER, DefaultTagRule.OPENED, DefaultTagRule.TOUCHABLE))
EXPRESSION: Final = difference(all_of(OLD, OPENED), TOUCHABLE)
# Each of the chosen users turned from Touchable to Untouchable or back, one after the other, in versions that go round
# the blocks as events do; the bits stay, so undoing them gives what would have been so before.
CHANGES: Final = """
with chosen as materialized (
    select h.block, h.version as before, o.user_offset, row_number() over (partition by h.block order by random()) as n
    from block_head h
    cross join generate_series(0, 31999) o (user_offset)
    where h.channel_id = $1 and random() < $2::float8 and h.block * 32000 + o.user_offset < $5::int
),
logged as (
    insert into user_tag_change (channel_id, block, version, user_offset, at, cause, added, removed)
    select $1, c.block, c.before + c.n, c.user_offset,
        $3::timestamptz + c.n * ($4::interval / (2 * 32000 * $2::float8)), 'EVENT',
        case when get_bit(t.members, c.user_offset) = 1 then '{5}' else '{6}' end::int[],
        case when get_bit(t.members, c.user_offset) = 1 then '{6}' else '{5}' end::int[]
    from chosen c
    join tag_members t on t.channel_id = $1 and t.block = c.block and t.tag_id = 5
    order by c.n, c.block
    returning block, version, at
)
update block_head h set version = l.version, at = l.at
from (select block, max(version) as version, max(at) as at from logged group by block) l
where h.channel_id = $1 and h.block = l.block
"""


async def measure(machine: Machine) -> list[Table]:
    """Measure counts, pages and flows of one day ago, each share of changes in a day of its own."""
    table = Table(
        "Looking back one day",
        "(Old user ∩ Opened) − Touchable, with how many follow and how many are touchable, where so many of the users "
        "turned Touchable or Untouchable since, a line of the log each; the aim is 150 ms where 1 % did. The present "
        f"is the baseline. Medians of {ROUNDS} rounds.",
    )
    day = START
    for share in SHARES:
        day += 2 * DAY
        await machine.admin.execute(CHANGES, machine.channel.channel_id, share, day, DAY, machine.users)
        await machine.admin.execute("vacuum (analyze) user_tag_change, block_head")
        machine.clock.now = day + DAY
        await _measure_share(machine, table, share, day)
    return [table]


async def _measure_share(machine: Machine, table: Table, share: float, day: datetime) -> None:
    runtime, principal, channel_id = machine.runtime, machine.principal, machine.channel.channel_id
    draft = to_draft(channel_id, EXPRESSION)
    changed = await machine.admin.fetchval(
        "select count(*) from user_tag_change where channel_id = $1 and at > $2", channel_id, day
    )

    def page_of(expression: Expression) -> Callable[[], Awaitable[object]]:
        async def page() -> object:
            audience = await count_audience_as_of(runtime, principal, channel_id, draft, day)
            return await members_page(runtime, channel_id, expression, first=200, after=None, past=audience.past)

        return page

    now = await median_seconds(lambda: count_audience(runtime, principal, channel_id, draft), ROUNDS)
    then = await median_seconds(lambda: count_audience_as_of(runtime, principal, channel_id, draft, day), ROUNDS)
    page = await median_seconds(page_of(EXPRESSION), ROUNDS)
    flow = await median_seconds(lambda: flows_of_tags(runtime, channel_id, [DefaultTagRule.TOUCHABLE], day), ROUNDS)
    note = f"{changed:,} changes"
    table.add(f"the present, {share:.0%} changed", now * 1000, "ms", "1 ×")
    table.add(f"one day ago, {share:.0%} changed", then * 1000, "ms", multiple(then, now), note)
    table.add(f"one day ago with 200 of the people, {share:.0%} changed", page * 1000, "ms", multiple(page, now), note)
    table.add(f"flow of a tag in a day, {share:.0%} changed", flow * 1000, "ms", multiple(flow, now), note)
