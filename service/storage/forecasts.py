"""Count who will be touchable, from facts, by the rules in `sql/functions/default_tag_rules.sql`."""

from collections.abc import Sequence
from datetime import datetime

from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def only_touchable_will_be(conn: Connection, channel_id: int, instant: datetime) -> bool:
    """Tell whether, unless something happens, nobody without the tag Touchable will be touchable from an instant on.

    It is False after windows or rules were changed, until the next scheduled run.
    """
    return bool(await conn.fetchval(STATEMENTS["only_touchable_will_be"], channel_id, instant))


async def touchable_at_instants(
    conn: Connection,
    channel_id: int,
    ordinals: Sequence[int],
    instants: Sequence[datetime],
    *,
    mini_program: bool,
    have_default_tags: bool,
) -> dict[int, int]:
    """Count people by at how many of some ascending instants they are touchable, `{number of instants: people}`.

    Whoever is touchable at one is so at all before it, as nothing happens. `have_default_tags` says that all of these
    people are known to; otherwise their facts are asked. Those who are touchable at none are left out.
    """
    statement = STATEMENTS["touchable_at_instants"]
    rows = await conn.fetch(statement, channel_id, ordinals, mini_program, have_default_tags, instants)
    return {row["instants"]: row["people"] for row in rows}
