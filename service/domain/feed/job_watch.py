"""Read the watched jobs of one channel with one statement for all, whenever one of them changes."""

from typing import NamedTuple

from service.domain.feed.watch import Watch
from service.entities.broadcasts import Broadcast
from service.entities.jobs import Job, JobKind
from service.foundation.mailbox import Mailbox
from service.storage import jobs
from service.storage.broadcasts import broadcasts
from service.storage.database.pool import Connection, Pool


class JobWatch(Watch):
    """Send each reader the states of its job, at least the last one, and None for a job that is gone."""

    def __init__(self, pool: Pool, channel_id: int, *, resync_interval: float) -> None:
        super().__init__(pool, channel_id, resync_interval=resync_interval)
        self._readers: dict[int, dict[Mailbox[Job | None], _State | None]] = {}

    def join(self, job_id: int) -> Mailbox[Job | None]:
        """Return a mailbox that receives the job as it is, soon, and then each time it has changed."""
        mailbox: Mailbox[Job | None] = Mailbox(_newest)
        self._readers.setdefault(job_id, {})[mailbox] = None
        self.check_everything()
        return mailbox

    def leave(self, job_id: int, mailbox: Mailbox[Job | None]) -> None:
        """Send a mailbox nothing more."""
        readers = self._readers.get(job_id, {})
        readers.pop(mailbox, None)
        if not readers:
            self._readers.pop(job_id, None)

    async def catch_up(self, conn: Connection, dirty: set[int | None], *, everything: bool) -> None:
        """Read all watched jobs, whatever is dirty. One task alone catches up, so states stay in order."""
        del dirty
        asked = list(self._readers)
        if not everything or not asked:
            return
        found = {job.job_id: job for job in await jobs.jobs_by_id(conn, self.channel_id, asked)}
        ids = [job_id for job_id, job in found.items() if job.kind is JobKind.BROADCAST]
        sendings = await broadcasts.broadcasts_by_id(conn, self.channel_id, ids) if ids else {}
        for job_id in asked:
            job = found.get(job_id)
            state = None if job is None else _State(job, sendings.get(job_id))
            for mailbox, sent in self._readers.get(job_id, {}).items():
                if state is None or state != sent:
                    mailbox.put(job)
                    self._readers[job_id][mailbox] = state


class _State(NamedTuple):
    """Hold what is watched of a job: a broadcast's numbers stand in a row of their own."""

    job: Job
    broadcast: Broadcast | None


def _newest(waiting: list[Job | None]) -> list[Job | None]:
    return waiting[-1:]
