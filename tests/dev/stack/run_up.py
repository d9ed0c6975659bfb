"""Run the supervisor as `user-tags up` does, over tiny children; one line of JSON says how."""

import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from service.dev.stack.children import Child, RestartPolicy
from service.dev.stack.supervisor import ProcessPlan, up
from service.foundation.settings import Settings


def main(config_json: str) -> int:
    # Under nohup the tests are deaf to it, and so would be what they start.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    config = json.loads(config_json)
    external_url = None if config.get("embedded") else "postgresql://elsewhere/"
    children = tuple(
        Child(name, (*tiny_child_command(config, name), *options), after_ready=name == "demo")
        for name, options in config["children"].items()
    )
    restart_policy = RestartPolicy(
        initial_backoff=0.05,
        max_backoff=0.2,
        ready_timeout=config["ready_timeout"],
        stop_timeout=config["stop_timeout"],
    )
    return up(
        Settings(data_dir=config["data_dir"], database_url=external_url, redis_url=external_url),
        port=config["port"],
        web_processes=1,
        demo=True,
        on_ready=lambda environment: note_ready(environment, config),
        summary_line=lambda: "all is well",
        plan=ProcessPlan((sys.executable, "-c", config["migration"]), children),
        restart_policy=restart_policy,
    )


def tiny_child_command(config: Mapping[str, str], name: str) -> tuple[str, ...]:
    return (sys.executable, str(Path(__file__).with_name("tiny_child.py")), config["events"], name)


def note_ready(environment: Mapping[str, str], config: Mapping[str, str]) -> None:
    names = ("DATABASE_URL", "REDIS_URL", "USER_TAGS_PUBLIC_URL")
    with Path(config["events"]).open("a", encoding="utf-8") as file:
        file.write(f"ready {json.dumps({name: environment[name] for name in names})}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
