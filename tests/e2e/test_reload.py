"""routes.yaml is edited while traffic flows: good files serve, bad ones change nothing, and no request notices."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import pytest

from tests.support.client import Client
from tests.support.gateway import Gateway
from tests.support.messages import answer
from tests.support.origin import Origin, Talk, eventually

OK = "banyan_config_last_reload_successful"


def routes_yaml(origin: Origin, serve: str = "legacy", more: int = 6, tail: str = "") -> str:
    others = "".join(
        f"  - {{name: other-{number}, match: GET /other/{number}, legacy: old}}\n" for number in range(more)
    )
    return f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  old: {{url: "{origin.url}"}}
  new: {{url: "{origin.url}/new"}}
routes:
  - name: main
    match: ANY /main
    legacy: old
    new: new
    serve: {serve}
{others}{tail}"""


@pytest.fixture(scope="module")
def gateway(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    origin.on("/main", answer(b"legacy"))
    origin.on("/new/main", answer(b"new"))
    with Gateway(tmp_path_factory.mktemp("gateway"), routes_yaml(origin)) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def _good_again(gateway: Gateway, origin: Origin) -> Iterator[None]:
    """Each test begins with the first file being served."""
    yield
    gateway.write(routes_yaml(origin))
    gateway.reload(accept=True)
    assert eventually(lambda: gateway.get("/main").body == b"legacy")


class Load:
    """Clients that call without a break, on kept connections; `failed` is what was not answered as it should be."""

    def __init__(self, gateway: Gateway, path: str = "/main", clients: int = 4) -> None:
        self.served = 0
        self.failed: list[str] = []
        self.bodies: set[bytes] = set()
        self._gateway = gateway
        self._path = path
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(10)

    def _call(self) -> None:
        try:
            with Client(self._gateway.port) as client:
                while not self._stop.is_set():
                    reply = client.get(self._path)
                    self.served += 1
                    self.bodies.add(reply.body)
                    if reply.status != 200:
                        self.failed.append(f"{reply.status} {reply.body[:200]!r}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a failed request
            self.failed.append(repr(error))


def test_a_valid_edit_serves(gateway: Gateway, origin: Origin) -> None:
    """One word is changed, and the traffic moves; the metric and the probe say that it was taken."""
    gateway.edit(routes_yaml(origin, "new"))
    assert gateway.get("/main").body == b"new"
    assert gateway.metric(OK) == 1


def test_an_edit_in_place_serves_too(gateway: Gateway, origin: Origin) -> None:
    """Not every editor renames: the file may also be written where it is."""
    gateway.config.write_text(routes_yaml(origin, "new"))
    assert eventually(lambda: gateway.get("/main").body == b"new")


def test_an_edit_right_after_a_reload_serves(gateway: Gateway, origin: Origin) -> None:
    """There and back and there again, with `banyan reload` in between: what the file says last is what serves."""
    gateway.edit(routes_yaml(origin, "new"))
    gateway.write(routes_yaml(origin))
    assert gateway.reload()["outcome"] == "accepted"
    gateway.write(routes_yaml(origin, "new"))
    assert eventually(lambda: gateway.get("/main").body == b"new", 5)


def test_a_swapped_link_serves_too(gateway: Gateway, origin: Origin, tmp_path: Path) -> None:
    """Kubernetes swaps a link: what it leads to is what counts."""
    (tmp_path / "routes.yaml").write_text(routes_yaml(origin, "new"))
    gateway.config.unlink()
    gateway.config.symlink_to(tmp_path / "routes.yaml")
    try:
        assert eventually(lambda: gateway.get("/main").body == b"new", 5)
    finally:
        gateway.config.unlink()


def test_an_invalid_edit_changes_nothing_and_is_reported(gateway: Gateway, origin: Origin) -> None:
    """The old table serves on; log, metric and probe say what is wrong, until a good file comes."""
    gateway.write(routes_yaml(origin, "newest"))
    assert eventually(lambda: gateway.metric(OK) == 0)
    code, text = gateway.look("/readyz?verbose")
    checks = {each["check"]: each for each in json.loads(text)["checks"]}
    assert (code, checks["last_reload"]["ok"]) == (200, False)
    assert "newest" in checks["last_reload"]["detail"]
    assert "routes.yaml:11:" in checks["last_reload"]["detail"]
    assert any(event["event"] == "configuration_refused" for event in gateway.events)
    assert gateway.get("/main").body == b"legacy"
    gateway.edit(routes_yaml(origin, "new"))
    assert (gateway.get("/main").body, gateway.metric(OK)) == (b"new", 1)


def test_a_file_that_went_away_changes_nothing(gateway: Gateway) -> None:
    """A deleted file is a broken one: the last good one serves."""
    gateway.config.unlink()
    assert eventually(lambda: gateway.metric(OK) == 0, 5)
    assert gateway.get("/main").body == b"legacy"


def test_a_half_written_file_is_held(gateway: Gateway, origin: Origin) -> None:
    """The beginning of the accepted file, valid as it is, waits for a person; `reload --accept` takes it."""
    shorter = routes_yaml(origin, more=5)
    assert routes_yaml(origin).startswith(shorter)
    gateway.write(shorter)
    assert eventually(lambda: gateway.status["config"]["held"] is not None)
    assert gateway.get("/other/5").status == 200
    assert gateway.metric(OK) == 0
    plain = gateway.banyan("reload")
    assert plain.returncode == 1
    assert "--accept" in plain.stderr + plain.stdout
    assert gateway.get("/other/5").status == 200
    assert gateway.banyan("reload", "--accept").returncode == 0
    assert eventually(lambda: gateway.get("/other/5").status == 404)
    assert gateway.status["config"]["held"] is None


def test_a_file_that_lost_most_of_its_routes_is_held(gateway: Gateway, origin: Origin) -> None:
    """More than half of the routes gone is more often an accident than a plan."""
    gateway.write(routes_yaml(origin, "new", more=1))
    assert eventually(lambda: gateway.status["config"]["held"] is not None)
    assert (gateway.get("/main").body, gateway.get("/other/5").status) == (b"legacy", 200)


def test_a_refused_reload_says_what_is_wrong(gateway: Gateway, origin: Origin) -> None:
    """`banyan reload` on a broken file: exit 2 and the problems."""
    gateway.write(routes_yaml(origin, "newest"))
    done = gateway.banyan("reload")
    assert done.returncode == 2
    assert "newest" in done.stderr


def test_a_flip_on_the_command_line_moves_live_traffic(gateway: Gateway) -> None:
    """`banyan flip` changes one word in the file, shows it, and does not return before it serves."""
    before = gateway.config.read_text()
    done = gateway.banyan("flip", "main", "new", "--reason", "a test", "--config", str(gateway.config))
    assert done.returncode == 0, done.stderr
    assert gateway.get("/main").body == b"new"
    assert gateway.config.read_text() == before.replace("serve: legacy", "serve: new")
    back = gateway.banyan("flip", "main", "legacy", "--reason", "and back", "--config", str(gateway.config))
    assert (back.returncode, gateway.get("/main").body) == (0, b"legacy")


def test_reloads_under_load_fail_no_request(gateway: Gateway, origin: Origin) -> None:
    """Twenty good and twenty broken files in turn, while clients call without a break: no request fails."""
    taken = gateway.status["config"]["revision"]
    with Load(gateway) as load:
        for number in range(20):
            gateway.write(routes_yaml(origin, "new" if number % 2 == 0 else "legacy"))
            assert gateway.reload()["outcome"] in ("accepted", "unchanged")
            gateway.write(routes_yaml(origin)[: 150 + number * 15] + "\n  x: [")
            assert gateway.reload()["outcome"] == "refused"
            sleep(0.03)
    assert load.failed == []
    assert load.bodies == {b"legacy", b"new"}
    assert load.served > 100
    assert gateway.status["config"]["revision"] == taken + 20


def test_truncations_fail_no_request(gateway: Gateway, origin: Origin) -> None:
    """A file cut off anywhere: whatever the gateway makes of it, the route that is called serves on."""
    text = routes_yaml(origin)
    with Load(gateway) as load:
        for at in range(0, len(text), len(text) // 25):
            gateway.config.write_text(text[:at])
            sleep(0.12)
    assert load.failed == []
    assert load.bodies == {b"legacy"}


def test_requests_in_flight_finish_on_their_table(gateway: Gateway, origin: Origin) -> None:
    """A request that began on the old table ends on it, also when its route is gone by then."""
    release = threading.Event()

    def script(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
        release.wait(8)
        talk.send(b"later")

    origin.on("/other/0", script)
    with gateway.client() as client:
        client.say("GET", "/other/0")
        client.hear_head()
        gateway.edit(routes_yaml(origin).replace("other-0, match: GET /other/0", "other-0, match: GET /gone/0"))
        assert gateway.get("/other/0").status == 404
        release.set()
        assert client.reader.exactly(10) == b"firstlater"
        assert client.get("/main").status == 200
    origin.on("/other/0", answer())


def test_connections_to_backends_survive_a_reload(gateway: Gateway, origin: Origin) -> None:
    """A backend that did not change keeps its connections."""
    origin.on("/other/1", lambda talk: talk.send(answer(b"%d" % talk.connection)))
    before = gateway.get("/other/1").body
    gateway.edit(routes_yaml(origin, "new"))
    assert gateway.get("/other/1").body == before
