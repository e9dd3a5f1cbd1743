"""A control process that only remembers what it was told, and what its answers are."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse

from gateway.access.auditor import Auditor
from gateway.access.eyes import FourEyes
from gateway.access.keyring import Keyring
from gateway.admin.steering import ReloadResult
from gateway.config.check import Loaded, load
from gateway.core.captured import CapturedRequest
from gateway.core.matching import RoutingTable, compiled
from gateway.errors import CommandError
from gateway.rollouts.capturing import Captures
from gateway.rollouts.replaying import Replays
from gateway.store.repository import Store
from tests.support.recorded import idle_judge

ROUTES = """\
version: 1
backends:
  office: {url: "http://127.0.0.1:9001"}
  repairs: {url: "http://127.0.0.1:9002"}
routes:
  - name: everything
    match: ANY /**
    legacy: office
  - name: list
    match: GET /repairs
    legacy: office
    new: repairs
    serve: 25% new
    sticky: {cookie: tenancy}
    tester: {header: x-banyan-serve, secret: opensesame}
  - name: balance
    match: SOAP /rents#Balance
    legacy: office
"""


def written(folder: Path, text: str = ROUTES) -> Path:
    """A routes.yaml in a folder."""
    path = folder / "routes.yaml"
    path.write_text(text, encoding="utf-8")
    return path


async def problem(answer: ClientResponse, status: int) -> str:
    """The detail of a problem document."""
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    document = await answer.json()
    assert document["status"] == status
    return str(document["detail"])


class FakeDesk:
    """A desk that tells what it is given, and remembers what it was asked and ordered."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.ordered: list[tuple[object, ...]] = []
        self.standings: dict[str, dict[str, Any]] = {}
        self.texts: dict[str, dict[str, str]] = {"ramps": {}, "overrides": {}}
        self.told: dict[str, Any] = {"ramps": [], "overrides": []}
        self.events_told: dict[str, Any] = {"events": [], "store": ""}
        self.shadow_told: dict[str, Any] = {}
        self.holds = True

    def routes(self) -> dict[str, dict[str, Any]]:
        return self.standings

    def ramps(self) -> list[dict[str, Any]]:
        return list(self.told["ramps"])

    def ramp(self, name: str) -> dict[str, Any]:
        found = [each for each in self.told["ramps"] if name == each["ramp"] or name in each["routes"]]
        if not found:
            raise CommandError(f"There is no route and no journey {name!r}.")
        return dict(found[0])

    def overrides(self) -> list[dict[str, Any]]:
        return list(self.told["overrides"])

    async def act(self, name: str, action: str, by: str, reason: str) -> dict[str, Any]:
        return self._done("act", name, action, by, reason)

    async def override(
        self, name: str, serve: str, seconds: float | None, *, writes: bool, by: str, reason: str
    ) -> dict[str, Any]:
        return self._done("override", name, serve, seconds, writes, by, reason)

    async def clear_override(self, name: str, by: str, reason: str) -> dict[str, Any]:
        return self._done("clear", name, by, reason)

    async def shadow(self, name: str, hours: float) -> dict[str, Any]:
        self.asked.append(("shadow", name, hours))
        return self.shadow_told

    async def events(self, limit: int, before: str | None, route: str | None, journey: str | None) -> dict[str, Any]:
        self.asked.append(("events", limit, before, route, journey))
        return self.events_told

    def _done(self, *order: object) -> dict[str, Any]:
        self.ordered.append(order)
        return {"message": "It is done.", "holds": self.holds}


class FakeWrites:
    """Writes that are owed: what is told, and what was asked and ordered."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.ordered: list[tuple[object, ...]] = []
        self.told: dict[str, Any] = {"writes": [], "counts": []}
        self.write: dict[str, Any] = {}

    async def listed(self, states: Sequence[str], route: str | None, limit: int, after: int) -> dict[str, Any]:
        self.asked.append((list(states), route, limit, after))
        return self.told

    async def one(self, write_id: str) -> dict[str, Any]:
        self.asked.append((write_id,))
        return dict(self.write)

    async def steer(self, write_id: str, word: str, by: str, reason: str) -> dict[str, Any]:
        self.ordered.append((write_id, word, by, reason))
        return {"message": "It is done.", "holds": True}


class FakeReconciling:
    """Both sides, as a test has them."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.found: list[str] = []
        self.verdicts: dict[str, dict[str, Any]] = {}

    async def keys(self, name: str) -> dict[str, Any]:
        return {"keys": self.found}

    async def run(self, name: str, keys: Sequence[str], repair: bool, fields: Sequence[str], by: str) -> dict[str, Any]:
        self.asked.append((name, list(keys), repair, list(fields), by))
        usual = {"verdict": "same", "reason": "", "fields": [], "repair": ""}
        return {"results": [{"key": key, **usual, **self.verdicts.get(key, {})} for key in keys]}


class FakeSteering:
    """Steering without processes: the file is loaded once, and again on reload."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.loaded: Loaded = load(config, {})
        self.table: RoutingTable = compiled(self.loaded.estate, 1)
        self.revision = 1
        self.serving = True
        self.problems: list[str] = []
        self.held: str | None = None
        self.store_why = ""
        self.guards: dict[str, list[Any]] = {}
        self.desk = FakeDesk()
        self.writes = FakeWrites()
        self.reconciling = FakeReconciling()
        self.orders: list[tuple[object, ...]] = []
        self.ordered: Callable[[tuple[object, ...]], None] = lambda message: None
        self.captures = Captures(self.order, lambda name: name in self.table.routes)
        self.replays = Replays(self.replay, idle_judge(), lambda: None)
        self.accepted: list[bool] = []
        self.flipped: list[tuple[object, ...]] = []
        self.holds = True
        self.admin_url = "http://127.0.0.1:8081"
        self.store: Store | None = None
        self.four_eyes = FourEyes()
        self.keyring = Keyring(lambda: self.store)
        self.auditor = Auditor(config.parent, lambda: self.store)
        self.result = ReloadResult("unchanged", "The file is what serves already.", (), 1)

    async def reload(self, *, accept: bool, by: str = "", why: str = "") -> ReloadResult:
        self.accepted.append(accept)
        return self.result

    async def flip(self, name: str, serve: str, by: str, why: str) -> dict[str, Any]:
        self.flipped.append((name, serve, by, why))
        return {"message": "It is done.", "holds": self.holds}

    @property
    def store_now(self) -> Store | None:
        return self.store

    async def try_sides(self, method: str, url: str, headers: Sequence[str], body: bytes, side: str) -> dict[str, Any]:
        self.flipped.append((method, url, side))
        return {"route": "list", "sides": {}}

    async def revert(self, number: int, by: str, why: str) -> dict[str, Any]:
        self.flipped.append((number, by, why))
        return {"message": "It is done.", "holds": True}

    async def discovered(self) -> dict[str, Any]:
        return {"routes": [], "store": ""}

    async def configurations(self) -> dict[str, Any]:
        return {"configurations": [], "store": ""}

    def take(self) -> None:
        """Serve what the file says now."""
        self.loaded = load(self.config, {})
        self.revision += 1
        self.table = compiled(self.loaded.estate, self.revision)

    def status(self) -> dict[str, Any]:
        return {
            "version": "0.1.0",
            "pid": 100,
            "ready": self.serving,
            "data": {
                "pid": 101,
                "serving": self.serving,
                "revision": self.revision if self.serving else 0,
                "restarts": 0,
                "connections": 3,
                "pools": {"office": [1, 2]},
                "guards": self.guards,
                "dropped": 0,
                "stall_max": 0.0,
                "busy_max": 0.0,
            },
            "store": {
                "available": not self.store_why,
                "why": self.store_why,
                "replica": "a1",
            },
            **self.desk.texts,
            "config": {
                "file": str(self.config),
                "digest": self.loaded.estate.digest,
                "revision": self.revision,
                "loaded_at": "2026-11-22T09:00:00+00:00",
                "last_reload_ok": not self.problems and self.held is None,
                "problems": self.problems,
                "held": self.held,
            },
        }

    def traffic(self) -> dict[str, dict[str, Any]]:
        return {
            "list": {
                "legacy": {"requests": 1200, "errors": 3},
                "new": {"requests": 400, "errors": 1},
                "refused": 2,
            }
        }

    async def metrics(self) -> bytes:
        return b"# HELP banyan_requests_total Requests.\n"

    async def replay(self, route: str, recorded: CapturedRequest, source: str) -> None:
        if not self.order("replay", route, recorded, source):
            raise CommandError("Nothing can be asked: see `banyan status`.")

    def order(self, *message: object) -> bool:
        self.orders.append(message)
        self.ordered(message)
        return self.serving
