"""`python -m tests.fuzz`: Schemathesis sends operations of its own making to a service of its own, in production mode.

--seconds N      for how long (600)
--seed N         the same seed, the same operations (random without it)

Fails when an answer is not what tests/fuzz/answers.py promises, or when a process logs a failure.
"""

import argparse
import asyncio
import os
import random
import secrets
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.dev.stack.servers import start_embedded
from service.storage.database.migrations import migrate
from tests.fuzz.world import ENDPOINT, NAME, SCHEMA_FILE, SECRET, URL
from tests.support.processes import environment, web, worker

HERE: Final = Path(__file__).parent
SCHEMA: Final = HERE.parents[1] / "schema.graphql"
FAILURE_MARKERS: Final = ("Traceback", '"level": "ERROR"', '"level":"ERROR"')


@dataclass(frozen=True)
class Run:
    """Say what Schemathesis is run for, and its share of the time."""

    name: str
    share: float
    options: tuple[str, ...]
    address: str = "/graphql"
    root: str = ""


# What the schema refuses never gets far, so most of the time goes to what it does not.
RUNS: Final = (
    Run("right", 0.4, ("--mode=positive",)),
    Run("wrong", 0.2, ("--mode=negative",)),
    # Schemathesis's own checks read no events; tagEvents may have nothing to say for long.
    Run(
        "streams",
        0.15,
        ("--mode=positive", "--checks=answers_as_promised", "--request-timeout=2"),
        "/graphql/stream",
        "schema { query: Subscription }",
    ),
)

# What no schema says: variables of wrong shapes and sizes over all transports, files, pushes and calls.
EDGES_SHARE: Final = 0.25


async def fuzz(directory: Path, seconds: int, seed: int) -> int:
    """Serve, fuzz and read the logs; return the exit code."""
    jwt_secret = secrets.token_hex(32)
    logs = [directory / "web.log", directory / "worker.log"]
    with start_embedded(directory / "data", fast=True) as servers:
        await migrate(servers.database_url)
        settings = environment(
            servers.database_url,
            servers.redis_url,
            ENV="production",
            JWT_SECRET=jwt_secret,
            SECRETS_KEY=secrets.token_hex(32),
            PUBLIC_URL="http://127.0.0.1",
            OPERATIONS_PER_SECOND="1000000",
            CPU_SHARE="1000",
            REFUSALS_PER_SECOND="1000000",
        )
        async with AsyncExitStack() as running:
            url = await running.enter_async_context(web(settings, logs[0]))
            await running.enter_async_context(worker(settings, logs[1]))
            codes = []
            for run in RUNS:
                schema = directory / f"{run.name}.graphql"
                schema.write_text(f"{SCHEMA.read_text(encoding='utf-8')}\n{run.root}\n", encoding="utf-8")
                given = {URL: url, SECRET: jwt_secret, NAME: run.name}
                given |= {SCHEMA_FILE: str(schema), ENDPOINT: url + run.address}
                options = (*run.options, f"--max-time={max(round(seconds * run.share), 1)}", f"--seed={seed}")
                codes.append(await schemathesis(given, str(schema), *options))
            given = {URL: url, SECRET: jwt_secret, NAME: "edges", SCHEMA_FILE: str(SCHEMA)}
            codes.append(await run_edges(given, max(seconds * EDGES_SHARE, 1), seed))
    failed = [line for log in logs for line in log.read_text(errors="replace").splitlines() if is_failure(line)]
    print("\n".join(["A process logged a failure:", *failed[:20]] if failed else ["No process logged a failure."]))
    outcomes = [code == 0 for code in codes] + [not failed]
    print(f"fuzz: {sum(outcomes)} passed, {outcomes.count(False)} failed")
    return int(not all(outcomes))


async def run_edges(given: dict[str, str], seconds: float, seed: int) -> int:
    """Run the fuzzing of variables, files and pushes to its end, and return its exit code."""
    return await run_program(given, "-m", "tests.fuzz.edges", f"--max-time={seconds}", f"--seed={seed}")


async def schemathesis(given: dict[str, str], *arguments: str) -> int:
    """Run Schemathesis to its end, and return its exit code."""
    command = ["-m", "schemathesis.cli", f"--config-file={HERE / 'schemathesis.toml'}", "run", *arguments]
    return await run_program(given, *command, "--continue-on-failure", "--no-color")


async def run_program(given: dict[str, str], *arguments: str) -> int:
    """Run Python with these arguments and variables of the environment to its end, and return its exit code."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=HERE.parents[1], env=os.environ | given
    )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def is_failure(line: str) -> bool:
    return any(word in line for word in FAILURE_MARKERS)


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Sends made-up operations.")
    arguments.add_argument("--seconds", type=int, default=600)
    arguments.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="user-tags-fuzz-") as directory:
        # An embedded PostgreSQL run by root belongs to another account, which must get in.
        Path(directory).chmod(0o711)
        return asyncio.run(fuzz(Path(directory), given.seconds, given.seed))


if __name__ == "__main__":
    sys.exit(main())
