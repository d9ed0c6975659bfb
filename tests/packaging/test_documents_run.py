"""Paste the blocks of the documents beside a running demo."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from service.cli.status import has_console
from service.foundation.settings import read_settings
from tests.packaging.dockerfile import REPOSITORY
from tests.packaging.documents import BROADCASTS, FOR_USERS, FRONTEND, INTEGRATOR, OPERATOR, README, WEBHOOKS
from tests.packaging.pasted import EXPORTS, Demo, demo, environment
from tests.support.processes import EXAMPLES, node
from tests.support.servers import enterable_directory, free_port
from tests.support.waiting import wait_until

TOKEN: Final = re.compile(r"eyJ[\w.…-]+")
FENCE_LANGUAGE: Final = re.compile(r"^ *```(\w+)$", re.MULTILINE)
TAGS: Final = "query Tags($id: ID!) { channel(id: $id) { tags(first: 50) { nodes { id name } } } }"
# The names of the operations' variables, and the tags of the demo that stand for them.
NAMES: Final = {
    "tag": "New user",
    "new": "New user",
    "opened": "Opened",
    "ordered": "Old user",
    "touchable": "Touchable",
}

# What each block to paste is known by, and those that cannot be run here: they need Docker, or are how tests begin.
PASTED: Final = (
    "export TOKEN",
    "export USER_TAGS_ENV",
    "userTags",
    "broadcastPreview",
    "createBroadcast",
    "/follow",
    "followerCount",
    "documentId",
    "recordEvents",
    "/import/return-data",
    "import-csv",
)
SIGN_IN: Final = "http://127.0.0.1:…/#token="
ONLY_WITH_CONSOLE: Final = re.compile(r"^  (Console|GraphQL) |/conversation#token=")
# The transcript of the terminal leaves out here what is for the IDE.
LEFT_OUT: Final = "…"
PRINTED_OPERATION: Final = re.compile(r"^  ((?:mutation )?\{$.*?)^  \}$", re.MULTILINE | re.DOTALL)
ENOUGH: Final = 20
SENDABLE: Final = "query Sendable($input: BroadcastPreviewInput!) { broadcastPreview(input: $input) { sendable } }"
THRESHOLD: Final = (
    "mutation Threshold($input: BroadcastPolicyInput!) { setBroadcastPolicy(input: $input) { channel { id } } }"
)
CREATE: Final = """
mutation Create($input: CreateBroadcastInput!) { createBroadcast(input: $input) { broadcast { id waitingFor } } }
"""
AD_TAG: Final = "mutation AdTag($input: CreateAdTagInput!) { createAdTag(input: $input) { tag { id } } }"
PROGRESS: Final = "subscription Progress($id: ID!) { jobProgress(id: $id) { state } }"
NOT_RUN: Final = ("make run", "docker compose up")

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the examples use curl")


@pytest.fixture(scope="module")
def running() -> Iterator[Demo]:
    with enterable_directory() as place, demo(place) as started:
        yield started


def stable_lines(said: str) -> list[str]:
    """Return the lines of the terminal without what depends on tokens, ids and ports."""
    lines = [re.sub(r"\d{4,}", "…", TOKEN.sub("…", line)).rstrip() for line in said.strip().splitlines()]
    return [re.sub(r"(openid\": \"|/demo/)[\w-]+", r"\1…", line) for line in lines]


def test_the_terminal_looks_as_shown(running: Demo) -> None:
    shown = stable_lines(README.block("text", "User Tags is ready"))
    said = stable_lines(running.said)
    if not has_console():
        shown = [line.replace(SIGN_IN, "") for line in shown if not ONLY_WITH_CONSOLE.search(line)]
        said = [line for line in said if not ONLY_WITH_CONSOLE.search(line)]
    begins, ends = shown.index(LEFT_OUT), shown.index("  Ctrl-C stops everything; the data stays.") + 1
    assert said[:begins] == shown[:begins]
    assert said[-len(shown[begins + 1 : ends]) :] == shown[begins + 1 : ends]


async def test_what_is_printed_for_the_ide_works(running: Demo) -> None:
    send, look = (f"{found}  }}" for found in PRINTED_OPERATION.findall(running.said))
    await somebody_can_be_sent_to(running, "MASS_TEXT")
    made = running.ask(send)["data"]["createBroadcast"]["broadcast"]["id"]
    assert running.ask(PROGRESS, id=made)["data"]["jobProgress"]["state"] == "DONE"
    told = running.ask(look)["data"]["channel"]["broadcasts"]["nodes"][0]
    assert (told["message"], told["planned"], told["failed"], told["uncertain"]) == ("New teas are in.", 0, 0, 0)
    assert told["sent"] > 0


async def test_a_broadcast_is_sent_and_watched_as_shown(running: Demo) -> None:
    await somebody_can_be_sent_to(running, "CUSTOMER_SERVICE_TEXT")
    preview = json.loads(running.paste(README.block("sh", "broadcastPreview")))["data"]["broadcastPreview"]
    assert preview["sendable"] + sum(each["count"] for each in preview["unsendable"]) == preview["matched"]

    events = re.findall(r"^data: (\{.*\})\r?$", running.paste(README.block("sh", "createBroadcast")), re.MULTILINE)

    told = [json.loads(event)["data"]["jobProgress"] for event in events]
    assert (told[-1]["state"], told[-1]["planned"], told[-1]["uncertain"]) == ("DONE", 0, 0)
    assert told[-1]["sent"] > 0
    books = running.paste(next(span for span in README.spans() if span.endswith("/demo/books")))
    assert sum(map(int, re.findall(r'"CUSTOM":(\d+)', books))) >= told[-1]["sent"]
    assert re.findall(r'"receivedTwice":(\d+)', books) == ["0", "0"]


async def test_the_example_sends_once_however_often_it_is_run(running: Demo) -> None:
    await somebody_can_be_sent_to(running, "CUSTOMER_SERVICE_TEXT")
    program = f".venv/bin/python {REPOSITORY}/examples/broadcasts/send_once.py"
    assert len(running.paste(f"TEXT='Cold brew' {program}").splitlines()) == 1, "it only looks"

    send = f"TEXT='Cold brew' SEND=yes {program} && echo 0 || echo $?"
    first, second = (running.paste(send).splitlines() for _ in range(2))

    made, again = json.loads(first[1]), json.loads(second[1])
    assert (made["replayed"], again["replayed"]) == (False, True)
    assert made["broadcast"]["id"] == again["broadcast"]["id"]
    report, status = json.loads(second[-2]), second[-1]
    assert (report["state"], report["planned"], report["uncertainUsers"]["totalCount"]) == ("DONE", 0, 0)
    assert report["sent"] > 0
    # Who of the demo wrote and left in one second counts as a follower, and cannot be answered.
    assert {each["errcode"] for each in report["failures"]} <= {45015}
    assert status == ("1" if report["failures"] else "0")


async def somebody_can_be_sent_to(running: Demo, kind: str) -> None:
    """Return once people follow, and where that matters have written lately."""
    wanted = {"channelId": running.exported["CHANNEL"], "audience": {"followers": True}, "kind": kind}
    await wait_until(lambda: running.ask(SENDABLE, input=wanted)["data"]["broadcastPreview"]["sendable"] >= ENOUGH)


def test_a_program_is_told_of_what_happens_as_printed(running: Demo) -> None:
    printed = re.findall(r"^  (\S+ examples/webhook_receiver/\S+)$", running.said, re.MULTILINE)
    assert [f"{each}\n" for each in printed] == [WEBHOOKS.block("sh", "receiver.py")]
    program = printed[0].replace("examples/", f"{REPOSITORY}/examples/")
    with running.watching(f"PORT={free_port()} exec {program}") as said:
        assert next(said).endswith("is ACTIVE")
        running.paste(README.block("sh", "/follow").splitlines()[0].replace("$OPENID", "told-by-webhook"))
        assert next(event for event in map(json.loads, said) if event["type"] == "user.tags_changed")["added"]


def test_the_feed_is_read_as_shown(running: Demo) -> None:
    lines = running.paste(WEBHOOKS.block("sh", "/feed/changes")).splitlines()
    assert [set(json.loads(line)) for line in lines] == [{"events", "cursor"}]
    assert json.loads(lines[0])["events"], "the demo's people never rest for so long"


def test_the_exports_of_the_readme_are_those_that_the_demo_prints(running: Demo) -> None:
    assert re.findall(r"^export (\w+)=", EXPORTS, re.MULTILINE) == list(running.exported)
    printed = running.paste("\n".join([EXPORTS, *(f'echo "${name}"' for name in running.exported)])).splitlines()
    by_hand = dict(zip(running.exported, printed, strict=True))
    assert by_hand.pop("TOKEN").split(".")[0] == running.exported["TOKEN"].split(".")[0]
    assert by_hand.items() <= running.exported.items()


def test_a_change_is_seen_live_as_shown(running: Demo) -> None:
    shown = [line for line in README.block("text", "event: next").splitlines() if line]
    with running.watching(README.block("sh", "userTags")) as printed:
        events = (line for line in printed if line and not line.startswith(":"))
        assert list(islice(events, 2)) == shown[:2]
        # One after the other, as a person pastes them: what happens in one moment may come as one event.
        for number, act in enumerate(README.block("sh", "/follow").splitlines(), start=1):
            answer = json.loads(running.paste(act))
            assert answer["acknowledged"] is True
            assert list(islice(events, 2)) == shown[2 * number : 2 * number + 2]
    people = running.paste(next(span for span in README.spans() if span.endswith("/demo/people")))
    assert running.exported["OPENID"] in people


def test_the_queries_of_the_frontend_page_work(running: Demo) -> None:
    service_account, mini_program = json.loads(running.paste(FRONTEND.block("sh", "followerCount")))["data"]["channels"]
    # The demo makes its combo tag when it has people.
    shown = [tag for tag in service_account["tags"]["nodes"] if tag["category"] != "Combo"]
    assert len(shown) == 9, "eight default tags and the campaign"
    assert len(mini_program["tags"]["nodes"]) == 4
    refused = json.loads(running.paste(FRONTEND.block("sh", "documentId")))
    assert refused["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_SUPPORTED"


def test_the_program_of_the_frontend_page_shows_the_whole_set_first(running: Demo) -> None:
    program = node(EXAMPLES)
    (running.place / "node_modules").symlink_to(EXAMPLES / "node_modules")
    (running.place / "watch.mjs").write_text(running.adapted(FRONTEND.block("js", "graphql-ws")), encoding="utf-8")
    happens = README.block("sh", "/follow").splitlines()[0].replace("$OPENID", "another-guest")
    with running.watching(f"export OPENID=another-guest\n{program} watch.mjs") as printed:
        assert next(printed) == "whole set"
        running.paste(happens)
        assert next(printed) == "EVENT New user, Not opened, Non-advertising, Touchable"


def test_the_calls_of_the_integrator_page_work(running: Demo) -> None:
    recorded = json.loads(running.paste(INTEGRATOR.block("sh", "recordEvents")))["data"]["recordEvents"]
    assert (recorded["accepted"], [each["code"] for each in recorded["rejected"]]) == (1, ["MALFORMED_OPENID"])

    (running.place / "report.py").write_text(running.adapted(INTEGRATOR.block("python", "httpx")), encoding="utf-8")
    command = next(span for span in INTEGRATOR.spans() if span.endswith("python report.py"))
    assert running.paste(command).strip() == "{'data': {'recordEvents': {'accepted': 1, 'rejected': []}}}"


def test_the_csv_of_the_integrator_page_is_taken(running: Demo) -> None:
    uploaded = json.loads(running.paste(INTEGRATOR.block("sh", "/import/return-data")))
    assert (uploaded["added"], [each["line"] for each in uploaded["rejects"]]) == (2, [4])

    # The key is the same, so nothing is written twice; the bad line makes the exit code 1.
    again = running.paste(f"{INTEGRATOR.block('sh', 'import-csv').strip()} || test $? -eq 1")
    assert "3 rows" in again
    assert "not an openid" in (running.place / "rejects.csv").read_text(encoding="utf-8")


def test_every_block_of_graphql_works(running: Demo) -> None:
    channel, openid = running.exported["CHANNEL"], running.exported["OPENID"]
    tags = {tag["name"]: tag["id"] for tag in running.ask(TAGS, id=channel)["data"]["channel"]["tags"]["nodes"]}
    values: dict[str, Any] = {"channel": channel, "openid": openid}
    values |= {variable: tags[name] for variable, name in NAMES.items()}
    values["waiting"] = waits_for_approval(running, channel)
    values |= {"from": make_ad_tag(running, channel, "Pears"), "into": make_ad_tag(running, channel, "Apples")}
    values["then"] = datetime.now(UTC).isoformat()
    for operation in (each for page in (FRONTEND, BROADCASTS, INTEGRATOR) for each in page.blocks("graphql")):
        declared = re.findall(r"\$(\w+):", operation.split("{", 1)[0])
        answer = running.ask(operation, **{name: values[name] for name in declared})
        assert "errors" not in answer, operation
        assert None not in answer["data"].values(), operation
        if preview := answer["data"].get("mergeTagPreview"):
            values["hash"] = preview["hash"]
        if export := answer["data"].get("exportAudience"):
            values["job"] = export["job"]["id"]
        if created := answer["data"].get("createBroadcast"):
            values["broadcast"] = created["broadcast"]["id"]
        if planned := answer["data"].get("syncToOfficialAccount"):
            values |= {"sync": planned["sync"]["id"], "plan": planned["sync"]["id"]}
        if job := answer["data"].get("jobProgress"):
            assert job["state"] == "DONE"
            values |= {"hash": job.get("planHash")}
            if "url" in job:
                check_file(job)


def make_ad_tag(running: Demo, channel: str, name: str) -> str:
    """Return the id of a new ad tag."""
    made = running.ask(AD_TAG, input={"channelId": channel, "name": name, "adIds": [name]})
    return str(made["data"]["createAdTag"]["tag"]["id"])


def waits_for_approval(running: Demo, channel: str) -> str:
    """Let the creator make a broadcast that the admin has to approve; return its id."""
    for threshold in (0, None):
        running.ask(THRESHOLD, role="creator", input={"channelId": channel, "approvalAbove": threshold})
        message = {"customerServiceText": {"text": "Whoever is there: we open at nine."}}
        wanted = {"channelId": channel, "audience": {"followers": True}, "message": message, "idempotencyKey": "nine"}
        made = running.ask(CREATE, role="creator", input=wanted)["data"]["createBroadcast"]["broadcast"]
    assert made["waitingFor"] == "SECOND_ADMIN"
    return str(made["id"])


def check_file(export: dict[str, Any]) -> None:
    file = httpx.get(export["url"], trust_env=False)
    assert file.text.splitlines()[0].split(",") == columns()
    assert len(file.text.splitlines()) == export["rowCount"] + 1


def test_every_block_is_run() -> None:
    """A block that no test pastes would be shown without anybody knowing that it works."""
    for document in FOR_USERS:
        assert set(FENCE_LANGUAGE.findall(document.text)) <= {"sh", "graphql", "python", "js", "text"}
        for block in document.blocks("sh"):
            assert len([mark for mark in (*PASTED, *NOT_RUN) if mark in block]) == 1, block
    for language, document in (("python", INTEGRATOR), ("js", FRONTEND)):
        assert [each for each in FOR_USERS for _ in each.blocks(language)] == [document]


def columns() -> list[str]:
    """Return the columns of an export, as the page lists them."""
    listed = FRONTEND.text.split("with a heading:", 1)[1].split(". A cell", 1)[0]
    return re.findall(r"`(\w+)`", listed)


def test_the_environment_of_the_operator_page_is_enough_for_production(tmp_path: Path) -> None:
    exports = OPERATOR.block("sh", "export USER_TAGS_ENV")
    for secret in ("0f8d2b6c4a9e7153", "c3a1957e0b4d62f8"):
        exports = exports.replace("=…", f"={secret * 2}", 1)
    script = f"{exports}\nenv"
    printed = subprocess.run(
        ["sh", "-eu", "-c", script], env=environment(tmp_path), capture_output=True, text=True, check=True
    ).stdout
    given = dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
    del given["USER_TAGS_DATA_DIR"], given["USER_TAGS_DEMO_PORT"]
    assert read_settings(given).production
