"""Keep a robot with an account that the imitated server API serves, whose secrets and people are easy to recognise."""

from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from service.dev.demo.wechat_api.books.accounts import Account, AccountBooks
from service.domain.jobs.running import run_job
from service.entities.ids import parse_tag_gid, split_gid
from service.entities.jobs import JobState
from service.entities.remote_tags import RemoteAdditions
from service.storage import remote_tags
from service.worker.tasks.jobs import SLICES
from tests.dev.wechat_api.wechat import Wechat
from tests.support.broadcasts import insert_broadcast_of
from tests.support.clock import START
from tests.support.robot import Robot, event_input
from tests.support.webhooks import URL, Webhooks
from tests.support.worker import worker_runtime

# In each text that must not get into the audit log.
PLANTED: Final = "PLANTED"
APP_SECRET: Final = f"{PLANTED}-app-secret-0123456789"
SECRETS: Final = {
    "appSecret": APP_SECRET,
    "callbackToken": f"{PLANTED}CallbackToken",
    "encodingAesKey": PLANTED + "Zx9" * 12,
}
OPENID, OTHER_OPENID = f"o{PLANTED}-ada", f"o{PLANTED}-bob"
LABEL: Final = f"{PLANTED} gold"
TEXT: Final = {"massText": {"text": f"{PLANTED} Spring tea is here."}}
SUBMIT: Final = (
    "mutation($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { id tag { id } } } }"
)


@dataclass
class Office:
    """Act for a robot whose channel two people follow."""

    robot: Robot
    wechat: Wechat
    books: AccountBooks
    channel: str
    known: dict[str, str] = field(default_factory=dict)

    async def do(self, mutation: str, /, role: str = "admin", **variables: Any) -> Any:
        """Carry out a mutation on the way to another one, and return what it answers."""
        answer = await self.robot.ask(mutation, role=role, **variables)
        assert answer.errors == []
        return next(iter(answer.data.values()))

    async def tag(self, name: str = "New user") -> str:
        """Return the id of a default tag."""
        return (await self.robot.tag_ids(self.channel, OPENID))[name]

    async def endpoint(self) -> str:
        """Make a webhook endpoint."""
        return str((await Webhooks(self.robot).create(url=f"{URL}/{PLANTED}-before"))["id"])

    async def returned(self, label: str = LABEL) -> dict[str, Any]:
        """Hand back a list of one person, and return its receipt."""
        given = {"channelId": self.channel, "category": "Level", "label": label, "openids": [OPENID]}
        receipt: dict[str, Any] = (await self.do(SUBMIT, input=given))["receipt"]
        return receipt

    async def combo(self) -> str:
        """Make a combo."""
        return await self.robot.create_combo(self.channel, await self.tag())

    async def broadcast(self, state: JobState = JobState.WAITING, **changes: Any) -> str:
        """Put a broadcast of somebody else's there."""
        return await insert_broadcast_of(self.robot, self.channel, state=state, **changes)

    async def linked(self) -> str:
        """Make a combo that is linked to a tag of the account."""
        combo, remote = await self.combo(), self.books.tags.create("贵宾", self.wechat.clock())
        channel_id, tag_id = parse_tag_gid(combo)
        conn = await asyncpg.connect(self.robot.web.settings.database_url)
        try:
            await remote_tags.link_tag(
                conn,
                channel_id,
                tag_id,
                remote_tag_id=remote.id,
                remote_name="贵宾",
                keep_in_sync=False,
                remote_additions=RemoteAdditions.KEEP,
                job_id=99,
                now=START,
            )
        finally:
            await conn.close()
        return combo

    async def work(self, job: str) -> None:
        """Work on a job until it is finished."""
        found = split_gid(job)
        assert found is not None
        async with worker_runtime(self.robot.web) as runtime:
            await run_job(runtime, SLICES, *found.numbers)


async def open_office(robot: Robot, wechat: Wechat) -> Office:
    """Bind an account that two people follow, and which has a tag."""
    account = Account(app_id=robot.app_id(), gh_id=f"gh_{robot.name}", token="T", secret=APP_SECRET)
    books = wechat.platform.books.register(account)
    channel = (await robot.bind(**SECRETS))["id"]
    for openid in (OPENID, OTHER_OPENID):
        books.follow(openid, wechat.clock())
        await robot.record(channel, event_input(openid, "FOLLOW"))
    return Office(robot, wechat, books, channel)
