"""Open a thousand pages on a whole installation where things keep happening, and check them in the end."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import httpx

from service.entities.users import EventKind
from tests.faults.harness.bound_channel import ask
from tests.faults.harness.change_log import changes_by_openid, tags_by_openid
from tests.faults.harness.figures import report_figure
from tests.faults.harness.installation import KEEP_PRUNED_ROWS, Install, Installation
from tests.faults.harness.page_crowd import PageClients, open_page_clients
from tests.faults.harness.programs import ProcessStats, WebProgram
from tests.faults.harness.received_events import check_deltas, check_edits, check_exactly_once
from tests.faults.harness.sent_events import EventLedger, Sender, run_senders
from tests.support.waiting import wait_until

SIZE: Final = 1000
PEOPLE: Final = [f"person-{number}" for number in range(250)]
TAGGED: Final = frozenset(PEOPLE[::2])
KINDS: Final = (EventKind.FOLLOW, EventKind.UNFOLLOW, EventKind.FOLLOW, EventKind.MESSAGE, EventKind.SCAN)
SENDERS: Final = 4
EVENTS_PER_BATCH: Final = 10
MIN_ACKNOWLEDGED: Final = 40
EVENTS_PER_PAGE: Final = 4
# Short enough for time to pass for everybody while a test runs, so that the worker has something to tell too.
SETTINGS: Final = {
    "FEED_HEAL_EVERY": "3s",
    "WINDOW_FOLLOW": "15s",
    "WINDOW_SCAN": "10s",
    "WINDOW_MESSAGE": "20s",
    "WINDOW_NEW_USER": "25s",
}
TIMEOUT: Final = 60.0
SUBMIT_RETURN_DATA: Final = """
mutation Give($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { tag { id } } } }
"""
RENAME: Final = """
mutation Rename($id: ID!, $name: String!) { renameTag(id: $id, name: $name) { tag { id } } }
"""
EDITS: Final = "select version from tag_change where channel_id = $1 and kind = 'UPDATED' order by version"
EVALUATED: Final = "select min(evaluated_at) > now() - interval '3 seconds' as lately from block_head"
ABANDONED: Final = """
select count(*) from pg_stat_activity
where state like 'idle in transaction%' and state_change < now() - interval '15 seconds'
"""


@dataclass(frozen=True, slots=True)
class FaultScenario:
    installation: Installation
    pages: PageClients
    ledger: EventLedger
    before: dict[WebProgram, ProcessStats]

    async def wait_recovered(self, what: str, except_page: int | None = None) -> None:
        """Wait until all works again after a fault was mended, and return how long that took."""
        began = time.monotonic()
        await record_for_all(self.installation, self.ledger, EventKind.FOLLOW)
        written = time.monotonic() - began
        await record_for_all(self.installation, self.ledger, EventKind.UNFOLLOW)
        await self.catch_up(except_page)
        received = time.monotonic() - began

        async def evaluated() -> bool:
            return bool((await self.installation.rows(EVALUATED))[0]["lately"])

        await wait_until(evaluated, within=TIMEOUT)
        worked = time.monotonic() - began
        report_figure(
            f"{what}: written after {written:.1f} s, received by all after {received:.1f} s,"
            f" the worker after {worked:.1f} s"
        )

    async def enough_happened(self) -> bool:
        """Tell whether the pages have received so much that missing something of it would show."""
        await asyncio.sleep(0.2)
        return (await self.pages.stats()).events > EVENTS_PER_PAGE * len(self.pages.openids)

    async def catch_up(self, except_page: int | None = None) -> None:
        """Wait until every page, except `except_page`, has received all that is in the log by now."""
        lines = await changes_by_openid(self.installation)
        newest = {openid: of_person[-1].version for openid, of_person in lines.items()}

        async def received() -> bool:
            await asyncio.sleep(0.1)
            return set(await self.pages.pages_behind(newest)) <= {except_page}

        try:
            await wait_until(received, within=TIMEOUT)
        except AssertionError:
            print(f"{len(await self.pages.pages_behind(newest))} pages are behind; {await self.pages.stats()}")
            raise


@asynccontextmanager
async def fault_scenario(
    install: Install, *, size: int = SIZE, only_west: bool = False, inexact: Sequence[int] = (), **settings: str
) -> AsyncIterator[FaultScenario]:
    """Let things happen inside the block; then look whether every page received every change once, and leave.

    `inexact` are pages by number that may receive fewer, larger events.
    """
    installation = await install(all_proxied=True, **SETTINGS, **settings)
    await installation.execute(KEEP_PRUNED_ROWS)
    ledger = EventLedger()
    await record_for_all(installation, ledger, EventKind.FOLLOW)
    async with httpx.AsyncClient(base_url=installation.west.url, trust_env=False, timeout=30) as http:
        golden = await _tag_half(http, installation)
    before = {web: await web.process_stats() for web in installation.webs}
    began = time.monotonic()
    async with open_page_clients(
        installation, PEOPLE, size, installation.webs[:1] if only_west else installation.webs
    ) as pages:
        report_figure(f"{size} pages opened in {time.monotonic() - began:.1f} s")
        await pages.send_command("move", ports=[web.port for web in installation.webs])
        current = FaultScenario(installation, pages, ledger, before)
        async with (
            run_senders(installation, ledger, "scene", SENDERS, _write_events),
            _rename_repeatedly(installation, golden),
        ):
            await wait_until(lambda: ledger.answers["acknowledged"] > MIN_ACKNOWLEDGED, within=TIMEOUT)
            yield current
            await wait_until(current.enough_happened, within=TIMEOUT)
        await current.catch_up()
        assert await installation.worker.stop() == 0
        await installation.verify()
        await current.catch_up()
        await _check_received(current, inexact)
        for web, after in (await check_nothing_leaked(current)).items():
            report_figure(
                f"{web.log_path.stem}: {before[web].memory:.0f} MiB and {before[web].blocks} blocks before, "
                f"{after.memory:.0f} MiB and {after.blocks} blocks after"
            )
    await ledger.check(installation)


async def record_for_all(installation: Installation, ledger: EventLedger, kind: EventKind) -> None:
    """Record the same event of everybody until it is acknowledged."""
    sender = Sender("everybody", installation.webs, installation.channel, ledger)

    async def recorded() -> bool:
        return await sender.record(*((openid, kind) for openid in PEOPLE))

    await wait_until(recorded, within=TIMEOUT)
    await sender.close()


async def _tag_half(http: httpx.AsyncClient, installation: Installation) -> str:
    """Give every second person a tag that is renamed all the time."""
    given = {"channelId": installation.channel.gid, "category": "Level", "label": "Gold", "openids": sorted(TAGGED)}
    tag: str = (await ask(http, SUBMIT_RETURN_DATA, input=given))["submitReturnData"]["receipt"]["tag"]["id"]
    return tag


async def _write_events(sender: Sender, number: int) -> None:
    if number == 0:
        await sender.push(sender.draw.choice(PEOPLE), sender.draw.choice(KINDS))
    else:
        await sender.record(
            *((each, sender.draw.choice(KINDS)) for each in sender.draw.sample(PEOPLE, EVENTS_PER_BATCH))
        )
    await asyncio.sleep(sender.draw.uniform(0.1, 0.3))


@asynccontextmanager
async def _rename_repeatedly(installation: Installation, tag: str) -> AsyncIterator[None]:
    """Rename a tag that many have every second, as far as that is possible."""
    done = asyncio.Event()

    async def go_on() -> None:
        number = 0
        async with httpx.AsyncClient(base_url=installation.east.url, trust_env=False, timeout=5) as http:
            while not done.is_set():
                number += 1
                with suppress(httpx.TransportError, AssertionError):
                    await ask(http, RENAME, id=tag, name=f"Gold {number}")
                await asyncio.sleep(1)

    task = asyncio.create_task(go_on(), name="renaming")
    try:
        yield
    finally:
        done.set()
        await task


async def _check_received(fault_scenario: FaultScenario, inexact: Sequence[int]) -> None:
    installation = fault_scenario.installation
    lines = await changes_by_openid(installation)
    tags = await tags_by_openid(installation)
    edits = [row["version"] for row in await installation.rows(EDITS, installation.channel.channel_id)]
    received = await fault_scenario.pages.received(installation.directory)

    def check() -> None:
        for number, (openid, events) in enumerate(received):
            if number in inexact:
                check_deltas(events)
            else:
                check_exactly_once(events, lines[openid], forgotten=0)
                check_edits(events, edits if openid in TAGGED else [])
            assert events[-1].tags == tags[openid], (number, openid)

    await asyncio.to_thread(check)  # the networks of the installation are in this loop
    stats = await fault_scenario.pages.stats()
    resets = sum(event.reset for _, events in received for event in events)
    report_figure(
        f"{sum(map(len, lines.values()))} changes of people and {len(edits)} edits: {stats.events} events to "
        f"{len(received)} pages on {stats.connections} connections, {resets} resets;"
        f" answers {dict(fault_scenario.ledger.answers)}"
    )
    assert resets == len(received), "a page had to begin anew"
    assert stats.events > EVENTS_PER_PAGE * len(received), "hardly anything happened"


async def check_nothing_leaked(fault_scenario: FaultScenario) -> dict[WebProgram, ProcessStats]:
    """Close all pages, and check that no subscription, task, busy connection or abandoned transaction is left."""
    await fault_scenario.pages.send_command("leave")
    left = {
        web: await wait_until(_is_idle(web, before), within=TIMEOUT) for web, before in fault_scenario.before.items()
    }
    ((abandoned,),) = await fault_scenario.installation.rows(ABANDONED)
    assert abandoned == 0
    return left


def _is_idle(web: WebProgram, before: ProcessStats) -> Callable[[], Awaitable[ProcessStats | None]]:
    async def idle_again() -> ProcessStats | None:
        await asyncio.sleep(0.2)
        now = await web.process_stats()
        idle = (now.subscriptions, now.pages, now.idle, now.tasks) == (0, 0, now.connections, before.tasks)
        return now if idle else None

    return idle_again
