"""Claim messages to one person each, in a process of its own, as fast as they can be claimed and recorded as sent.

`python -m benchmarks.claiming DATABASE_URL CHANNEL_ID JOB_ID`, a broadcast that is frozen and held. Prints the seconds
on the clock and on the processor in JSON.
"""

import json
import sys
import time
from dataclasses import replace

import uvloop

from benchmarks.loading import START
from benchmarks.machine import open_runtime
from service.domain.broadcasts.policy.stored import policy_of
from service.domain.broadcasts.sending.claims import claim_sends
from service.domain.broadcasts.sending.outcomes import record_sends
from service.domain.broadcasts.sending.writing import LetterWriter
from service.domain.runtime import Runtime
from service.entities.broadcast_ledger import Outcome
from service.entities.broadcasts import SendState
from service.foundation.clock import system_clock
from service.storage import channels, jobs, wechat_accounts
from service.storage.broadcasts import broadcasts

SENT = Outcome(SendState.SENT, msg_id="1")


async def _claim_all(url: str, channel_id: int, job_id: int) -> None:
    async with open_runtime(url, START) as still:
        runtime = replace(still, clock=system_clock)
        started, cpu = time.perf_counter(), time.process_time()
        await _claim(runtime, channel_id, job_id)
        print(json.dumps({"wall": time.perf_counter() - started, "cpu": time.process_time() - cpu}))


async def _claim(runtime: Runtime, channel_id: int, job_id: int) -> None:
    async with runtime.pool.acquire() as conn:
        [channel] = await channels.channels_by_id(conn, [channel_id])
        policy = await policy_of(conn, channel_id)
        await wechat_accounts.insert_account(conn, channel_id)
        job = await jobs.job(conn, channel_id, job_id)
        broadcast = await broadcasts.broadcast(conn, channel_id, job_id)
    if job is None or broadcast is None:
        raise LookupError("no such broadcast")
    writer = LetterWriter(broadcast)
    while (claimed := await claim_sends(runtime, channel, policy, job, writer)) is not None:
        outcomes = {message.send_id: SENT for message in claimed.messages}
        async with runtime.pool.acquire() as conn, conn.transaction():
            await record_sends(conn, channel_id, job_id, outcomes, runtime.clock(), conclusive=False)


if __name__ == "__main__":
    uvloop.run(_claim_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
