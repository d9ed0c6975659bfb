"""Import tags of the imitated account, and look at what became of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from service.domain.events.recorder import record_events
from service.domain.jobs.running import SliceFunction, run_job
from service.domain.official_account.remote_import import CATEGORY, start_remote_import
from service.domain.official_account.remote_import_pages import read_imported_members
from service.domain.return_data.batches import receipts_page
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.jobs import Job, JobKind
from service.entities.remote_tags import LinkedTag
from service.entities.return_data import ReceiptHead
from service.entities.tags import Tag
from service.entities.users import EventKind, UserEvent
from service.storage import jobs, remote_tags, tags
from tests.dev.wechat_api.wechat import Wechat
from tests.support.database_state import miscounted, remote_members_of, replay_and_check
from tests.support.runtime import admin
from tests.support.tags import members_of

KIND = JobKind.REMOTE_TAG_IMPORT
LIST = "/cgi-bin/tags/get"
MEMBERS = "/cgi-bin/user/tag/get"


@dataclass
class Importer:
    """Import tags of one account, and look at what became of them."""

    runtime: Runtime
    channel: Channel
    wechat: Wechat

    def tag(self, name: str, openids: Iterable[str] = ()) -> int:
        """Let the account have a tag with these followers, and return its id."""
        made = self.wechat.account.tags.create(name, self.wechat.clock())
        self.wechat.account.tags.tag(made.id, self.wechat.follow(*openids))
        return made.id

    async def know(self, *openids: str) -> None:
        """Let the channel know of these follows."""
        follows = [UserEvent(each, EventKind.FOLLOW, self.wechat.clock()) for each in openids]
        await record_events(self.runtime, self.channel, follows)

    async def start(self, *remote_tag_ids: int) -> Job:
        """Ask for an import."""
        return await start_remote_import(self.runtime, admin(), self.channel.channel_id, remote_tag_ids)

    async def work(self, job: Job, page: SliceFunction = read_imported_members) -> Job:
        """Work on a job until it is over or has to wait, and return it."""
        await run_job(self.runtime, {KIND: page}, job.channel_id, job.job_id)
        async with self.runtime.pool.acquire() as conn:
            found = await jobs.job(conn, job.channel_id, job.job_id)
        assert found is not None
        return found

    async def run(self, *remote_tag_ids: int) -> Job:
        """Import tags until the job is over or has to wait."""
        return await self.work(await self.start(*remote_tag_ids))

    async def tags(self) -> dict[str, Tag]:
        """Return the living tags of the category by name."""
        async with self.runtime.pool.acquire() as conn:
            catalogue = await tags.catalogue(conn, self.channel.channel_id)
        return {tag.name: tag for tag in catalogue.living() if tag.category == CATEGORY}

    async def members(self, name: str) -> set[str]:
        """Return the openids with a tag of the category."""
        return await members_of(self.runtime, self.channel, (await self.tags())[name].tag_id)

    async def openids(self) -> dict[int, str]:
        """Return the openids of the channel by ordinal."""
        rows = await self.runtime.pool.fetch(
            "select ordinal, openid from channel_user where channel_id = $1", self.channel.channel_id
        )
        return {row["ordinal"]: row["openid"] for row in rows}

    async def link(self, name: str) -> LinkedTag:
        """Return the link of a tag of the category."""
        tag_id = (await self.tags())[name].tag_id
        async with self.runtime.pool.acquire() as conn:
            return (await remote_tags.linked_tags(conn, self.channel.channel_id))[tag_id]

    async def remote(self, name: str) -> tuple[set[str], set[str]]:
        """Return who is known to have a tag at WeChat, and who had it when it was synced last."""
        tag_id, openids = (await self.tags())[name].tag_id, await self.openids()
        members, synced = await remote_members_of(self.runtime, self.channel, tag_id)
        return {openids[each] for each in members}, {openids[each] for each in synced}

    async def receipts(self, name: str) -> list[ReceiptHead]:
        """Return the receipts of a tag, oldest first."""
        tag_id = (await self.tags())[name].tag_id
        page = await receipts_page(self.runtime, self.channel.channel_id, tag_id, first=99, before=None)
        return page.items[::-1]

    async def check(self) -> None:
        """Check that counts, log and batches agree with the bits."""
        assert await miscounted(self.runtime, self.channel) == []
        await replay_and_check(self.runtime, self.channel)
        report = await verify_channel(self.runtime, self.channel, repair=False)
        assert report.clean
