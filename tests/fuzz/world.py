"""Keep a robot in which ids exist; what the fuzzer destroys is made again now and then."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from service.auth.tokens import sign_token
from service.entities.principal import Role
from service.foundation.settings import Settings

# Variables of the environment that a run reads.
URL: Final = "FUZZ_URL"
SECRET: Final = "FUZZ_JWT_SECRET"
NAME: Final = "FUZZ_NAME"
SCHEMA_FILE: Final = "FUZZ_SCHEMA"
ENDPOINT: Final = "FUZZ_ENDPOINT"
OPENIDS: Final = [f"person-{number}" for number in range(12)]
UNIONIDS: Final = [f"union-{number}" for number in range(12)]
KINDS: Final = ("SERVICE_ACCOUNT", "SUBSCRIPTION_ACCOUNT", "MINI_PROGRAM")
LABELS: Final = ("Gold", "金牌", "=1+1", "Ordered")

BIND: Final = "mutation($input: BindChannelInput!) { bindChannel(input: $input) { channel { id } } }"
RECORD: Final = "mutation($input: RecordEventsInput!) { recordEvents(input: $input) { accepted } }"
LINK: Final = "mutation($input: LinkIdentitiesInput!) { linkIdentities(input: $input) { linked } }"
CONFIRM: Final = "mutation($id: ID!) { confirmAdReturnAddress(channelId: $id) { channel { id } } }"
OBTAIN: Final = "mutation { obtainReturnEndpoint { returnEndpoint { id } } }"
SUBMIT: Final = """
mutation($input: SubmitReturnDataInput!) { submitReturnData(input: $input) { receipt { id tag { id } } } }
"""
CREATE_AD: Final = "mutation($input: CreateAdTagInput!) { createAdTag(input: $input) { tag { id } } }"
CREATE_COMBO: Final = "mutation($input: CreateComboTagInput!) { createComboTag(input: $input) { tag { id } } }"
EXPORT: Final = "mutation($input: ExportAudienceInput!) { exportAudience(input: $input) { job { id } } }"
FOUND: Final = """
query($id: ID!) { channel(id: $id) {
  tags(first: 100) { nodes { __typename id } pageInfo { endCursor } }
  jobs(first: 20) { nodes { id } pageInfo { endCursor } }
} }
"""
PEOPLE: Final = "query($c: ID!, $o: [String!]!) { users(channelId: $c, openids: $o) { id } viewer { id } }"


KnownValues = dict[str, list[str]]


class FuzzedRobot:
    """Hold the channels of the present robot with what is there, by the names that `with_known_values` asks for."""

    def __init__(self) -> None:
        self._http = httpx.Client(base_url=os.environ[URL], trust_env=False, timeout=30)
        self._settings = Settings(jwt_secret=os.environ[SECRET])
        self._robots = 0
        self.channels: list[KnownValues] = []
        self.new_robot()

    @property
    def robot(self) -> str:
        return f"{os.environ[NAME]}{self._robots}"

    def token(self, role: str) -> str:
        """Sign a token of the present robot; `narrowed` is an integrator of the first channel only."""
        channels = self.channels[0]["channels"] if role == "narrowed" else None
        held = Role.INTEGRATOR if role == "narrowed" else Role(role)
        hour = timedelta(hours=1)
        return sign_token(self._settings, robot=self.robot, role=held, subject=role, ttl=hour, channels=channels)

    def new_robot(self) -> None:
        """Begin another robot, so that nothing piles up and slows everything; ids of the last one stay known."""
        foreign = [each for known in self.channels for each in known["nodes"]][-20:]
        self._robots += 1
        self.channels = [{"apps": [f"wx{self.robot}x{n}"], "foreign": foreign} for n in range(len(KINDS))]
        self.restore()

    def restore(self) -> None:
        """Bind and make again what is there no longer; whatever is there stays."""
        for known, kind in zip(self.channels, KINDS, strict=True):
            given = {"kind": kind, "appId": known["apps"][0], "name": "Bound again", "verified": True}
            known["channels"] = [self.ask(BIND, input=given)["bindChannel"]["channel"]["id"]]
        self.ask(OBTAIN)
        for known, kind in zip(self.channels, KINDS, strict=True):
            self._populate(known, account=kind != "MINI_PROGRAM")
            self._learn_ids(known)

    def send(self, body: bytes, headers: dict[str, str]) -> None:
        """Ask for something whose answer nobody reads."""
        self._http.post("/graphql", content=body, headers=headers | {"Content-Type": "application/json"})

    def add_cursors(self, cursors: Iterable[str]) -> None:
        """Add places in the feeds to come back to."""
        for known in self.channels:
            known["cursors"] = [*known["cursors"], *cursors][-20:]

    def _populate(self, known: KnownValues, *, account: bool) -> None:
        channel = known["channels"][0]
        now = datetime.now(UTC).replace(microsecond=0)
        events: list[dict[str, Any]] = [
            {"openid": openid, "kind": kind, "at": (now - timedelta(hours=7 * number)).isoformat()}
            for number, openid in enumerate(OPENIDS)
            for kind in (("FOLLOW", "MESSAGE") if account else ("MESSAGE", "PAYMENT"))[: 1 + number % 2]
        ]
        if account:
            events += [{**each, "adIds": ["ad-1", "ad-2"]} for each in events[:4] if each["kind"] == "FOLLOW"]
        pairs = [{"openid": openid, "unionid": unionid} for openid, unionid in zip(OPENIDS, UNIONIDS, strict=True)]
        self.ask(RECORD, input={"channelId": channel, "events": events})
        self.ask(LINK, input={"channelId": channel, "pairs": pairs})
        known["receipts"] = known.get("receipts", [])[-10:]
        for label in LABELS:
            given = {"channelId": channel, "category": "Level", "label": label, "openids": OPENIDS[:5]}
            done = self._try(SUBMIT, input=given)
            known["receipts"] += [done["submitReturnData"]["receipt"]["id"]] if done else []
        if account:
            self.ask(CONFIRM, id=channel)
            self._try(CREATE_AD, input={"channelId": channel, "name": "From the fair", "adIds": ["ad-1", "ad-3"]})

    def _learn_ids(self, known: KnownValues) -> None:
        """Make combos of what is there, export them, and know everything by its id."""
        channel = known["channels"][0]
        ids = [each["id"] for each in self.ask(FOUND, id=channel)["channel"]["tags"]["nodes"]]
        for operator, operands in (("all", ids[:2]), ("any", ids[:1])):
            expression = {operator: [{"tag": each} for each in operands]}
            given = {"channelId": channel, "name": f"Combo {operator}", "expression": expression}
            self._try(CREATE_COMBO, input=given)
        self._try(EXPORT, input={"channelId": channel, "expression": {"tag": ids[0]}})
        found = self.ask(FOUND, id=channel)["channel"]
        tags, jobs = found["tags"], found["jobs"]
        people = self.ask(PEOPLE, c=channel, o=OPENIDS)
        known["tags"] = [each["id"] for each in tags["nodes"]]
        known["ads"] = [each["id"] for each in tags["nodes"] if each["__typename"] == "AdTag"]
        known["combos"] = [each["id"] for each in tags["nodes"] if each["__typename"] == "ComboTag"]
        known["jobs"] = [each["id"] for each in jobs["nodes"]]
        known["cursors"] = [page["pageInfo"]["endCursor"] for page in (tags, jobs) if page["nodes"]]
        known["users"] = [each["id"] for each in people["users"] if each] + [people["viewer"]["id"]]
        kinds = ("channels", "tags", "jobs", "receipts", "users", "foreign")
        known["nodes"] = [each for kind in kinds for each in known[kind]]

    def _try(self, query: str, **variables: Any) -> dict[str, Any] | None:
        """Return the data, or None where it is refused: it may be there already, or a limit is reached."""
        answer = self._answer(query, variables)
        return None if answer.get("errors") else answer["data"]

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the data of an operation of the admin; raises AssertionError if it is refused."""
        answer = self._answer(query, variables)
        if answer.get("errors"):
            raise AssertionError(f"{query} with {variables}: {answer}")
        data: dict[str, Any] = answer["data"]
        return data

    def _answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token('admin')}"}
        given = {"query": query, "variables": variables}
        answer: dict[str, Any] = self._http.post("/graphql", json=given, headers=headers).json()
        return answer
