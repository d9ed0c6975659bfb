"""A thousand pages on a whole installation where things keep happening, and what must be true in the end."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import httpx

from service.entities.enums import EventKind
from tests.faults.books import Books, Sender, sending
from tests.faults.change_log import lines_by_openid, tags_by_openid
from tests.faults.channel import ask
from tests.faults.conftest import Install
from tests.faults.crowd import Crowd, crowd
from tests.faults.installation import REMEMBER_WHAT_IS_PRUNED, Installation
from tests.faults.programs import Holdings, WebProgram
from tests.faults.seen import note
from tests.faults.told import check_edits, check_exactly_once, check_fold
from tests.waiting import wait_until

SIZE: Final = 1000
PEOPLE: Final = [f"person-{number}" for number in range(250)]
GOLDEN: Final = frozenset(PEOPLE[::2])
KINDS: Final = (EventKind.FOLLOW, EventKind.UNFOLLOW, EventKind.FOLLOW, EventKind.MESSAGE, EventKind.SCAN)
SENDERS: Final = 4
AT_ONCE: Final = 10
ENOUGH: Final = 40
# Short enough for time to pass for everybody while a test runs, so that the worker has something to tell too.
SETTINGS: Final = {
    "FEED_HEAL_EVERY": "3s",
    "WINDOW_FOLLOW": "15s",
    "WINDOW_SCAN": "10s",
    "WINDOW_MESSAGE": "20s",
    "WINDOW_NEW_USER": "25s",
}
PATIENCE: Final = 60.0
GIVE: Final = """
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
class Scene:
    installation: Installation
    pages: Crowd
    books: Books
    before: dict[WebProgram, Holdings]

    async def heal(self, what: str, but: int | None = None) -> None:
        """Something has just been mended: wait until all works again, and say how long that took."""
        began = time.monotonic()
        await everybody(self.installation, self.books, EventKind.FOLLOW)
        written = time.monotonic() - began
        await everybody(self.installation, self.books, EventKind.UNFOLLOW)
        await self.catch_up(but)
        told = time.monotonic() - began

        async def evaluated() -> bool:
            return bool((await self.installation.rows(EVALUATED))[0]["lately"])

        await wait_until(evaluated, within=PATIENCE)
        worked = time.monotonic() - began
        note(f"{what}: written after {written:.1f} s, told to all after {told:.1f} s, the worker after {worked:.1f} s")

    async def catch_up(self, but: int | None = None) -> None:
        """Wait until every page, `but` one by number, has been told everything that is in the log by now."""
        lines = await lines_by_openid(self.installation)
        newest = {openid: of_person[-1].version for openid, of_person in lines.items()}

        async def told() -> bool:
            await asyncio.sleep(0.1)
            return set(await self.pages.behind(newest)) <= {but}

        try:
            await wait_until(told, within=PATIENCE)
        except AssertionError:
            print(f"{len(await self.pages.behind(newest))} pages are behind; {await self.pages.standing()}")
            raise


@asynccontextmanager
async def scene(
    install: Install, *, size: int = SIZE, only_west: bool = False, unexact: Sequence[int] = (), **settings: str
) -> AsyncIterator[Scene]:
    """Let things happen inside the block; then look whether every page was told every change once, and leave.

    `unexact` are pages by number that may be told fewer, larger events.
    """
    installation = await install(everybody_far=True, **SETTINGS, **settings)
    await installation.execute(REMEMBER_WHAT_IS_PRUNED)
    books = Books()
    await everybody(installation, books, EventKind.FOLLOW)
    async with httpx.AsyncClient(base_url=installation.west.url, trust_env=False, timeout=30) as http:
        golden = await _give(http, installation)
    before = {web: await web.holdings() for web in installation.webs}
    began = time.monotonic()
    async with crowd(installation, PEOPLE, size, installation.webs[:1] if only_west else installation.webs) as pages:
        note(f"{size} pages opened in {time.monotonic() - began:.1f} s")
        await pages.ask("move", ports=[web.port for web in installation.webs])
        current = Scene(installation, pages, books, before)
        async with sending(installation, books, "scene", SENDERS, _something_happens), _renaming(installation, golden):
            await wait_until(lambda: books.answers["acknowledged"] > ENOUGH, within=PATIENCE)
            yield current
        await current.catch_up()
        assert await installation.worker.stop() == 0
        await installation.verify()
        await current.catch_up()
        await _check_what_was_told(current, unexact)
        for web, after in (await leave_nothing(current)).items():
            note(
                f"{web.log_path.stem}: {before[web].memory:.0f} MiB and {before[web].blocks} blocks before, "
                f"{after.memory:.0f} MiB and {after.blocks} blocks after"
            )
    await books.check(installation)


async def everybody(installation: Installation, books: Books, kind: EventKind) -> None:
    """The same event of everybody, acknowledged."""
    sender = Sender("everybody", installation.webs, installation.channel, books)

    async def recorded() -> bool:
        return await sender.record(*((openid, kind) for openid in PEOPLE))

    await wait_until(recorded, within=PATIENCE)
    await sender.close()


async def _give(http: httpx.AsyncClient, installation: Installation) -> str:
    """Every second person has a tag that is renamed all the time."""
    given = {"channelId": installation.channel.gid, "category": "Level", "label": "Gold", "openids": sorted(GOLDEN)}
    tag: str = (await ask(http, GIVE, input=given))["submitReturnData"]["receipt"]["tag"]["id"]
    return tag


async def _something_happens(sender: Sender, number: int) -> None:
    if number == 0:
        await sender.push(sender.draw.choice(PEOPLE), sender.draw.choice(KINDS))
    else:
        await sender.record(*((each, sender.draw.choice(KINDS)) for each in sender.draw.sample(PEOPLE, AT_ONCE)))
    await asyncio.sleep(sender.draw.uniform(0.1, 0.3))


@asynccontextmanager
async def _renaming(installation: Installation, tag: str) -> AsyncIterator[None]:
    """A tag that many have gets another name every second, as far as that is possible."""
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


async def _check_what_was_told(scene: Scene, unexact: Sequence[int]) -> None:
    installation = scene.installation
    lines = await lines_by_openid(installation)
    tags = await tags_by_openid(installation)
    edits = [row["version"] for row in await installation.rows(EDITS, installation.channel.channel_id)]
    told = await scene.pages.told(installation.directory)

    def check() -> None:
        for number, (openid, events) in enumerate(told):
            if number in unexact:
                check_fold(events)
            else:
                check_exactly_once(events, lines[openid], forgotten=0)
                check_edits(events, edits if openid in GOLDEN else [])
            assert events[-1].tags == tags[openid], (number, openid)

    await asyncio.to_thread(check)  # the networks of the installation are in this loop
    standing = await scene.pages.standing()
    resets = sum(event.reset for _, events in told for event in events)
    note(
        f"{sum(map(len, lines.values()))} changes of people and {len(edits)} edits: {standing.events} events to "
        f"{len(told)} pages on {standing.visits} visits, {resets} resets; answers {dict(scene.books.answers)}"
    )
    assert resets == len(told), "somebody had to begin anew"
    assert standing.events > 4 * len(told), "hardly anything happened"


async def leave_nothing(scene: Scene) -> dict[WebProgram, Holdings]:
    """All pages close: no subscription, no task and no busy connection is left, and no transaction was abandoned."""
    await scene.pages.ask("leave")
    left = {web: await wait_until(_is_idle(web, before), within=PATIENCE) for web, before in scene.before.items()}
    ((abandoned,),) = await scene.installation.rows(ABANDONED)
    assert abandoned == 0
    return left


def _is_idle(web: WebProgram, before: Holdings) -> Callable[[], Awaitable[Holdings | None]]:
    async def idle_again() -> Holdings | None:
        await asyncio.sleep(0.2)
        now = await web.holdings()
        idle = (now.subscriptions, now.pages, now.idle, now.tasks) == (0, 0, now.connections, before.tasks)
        return now if idle else None

    return idle_again
