"""Run the supervisor as `user-tags up` does, but over tiny children; told what to do by one line of JSON."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from service.dev.stack.children import Child, Pace
from service.dev.stack.supervisor import Plan, up
from service.foundation.settings import Settings


def main(told: str) -> int:
    order = json.loads(told)
    elsewhere = None if order.get("embedded") else "postgresql://elsewhere/"
    children = tuple(
        Child(name, (*tiny(order, name), *options), after_ready=name == "demo")
        for name, options in order["children"].items()
    )
    pace = Pace(first_pause=0.05, longest_pause=0.2, ready_within=order["ready_within"], stop_within=0.5)
    return up(
        Settings(data_dir=order["data_dir"], database_url=elsewhere, redis_url=elsewhere),
        port=order["port"],
        web_processes=1,
        demo=True,
        on_ready=lambda environment: tell(environment, order),
        summary_line=lambda: "all is well",
        plan=Plan((sys.executable, "-c", order["migration"]), children),
        pace=pace,
    )


def tiny(order: Mapping[str, str], name: str) -> tuple[str, ...]:
    return (sys.executable, str(Path(__file__).with_name("tiny_child.py")), order["events"], name)


def tell(environment: Mapping[str, str], order: Mapping[str, str]) -> None:
    names = ("DATABASE_URL", "REDIS_URL", "USER_TAGS_PUBLIC_URL")
    with Path(order["events"]).open("a", encoding="utf-8") as file:
        file.write(f"ready {json.dumps({name: environment[name] for name in names})}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
