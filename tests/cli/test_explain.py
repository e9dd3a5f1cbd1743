"""`banyan explain` tells what would happen, from the file or from the running gateway."""

import json
from pathlib import Path

import pytest

from gateway.core.policies import Standing
from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan

ENVELOPE = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><Balance/></e:Body></e:Envelope>'


def test_a_request_is_explained_for_people(banyan: Banyan) -> None:
    """The route, the side and why, the address and head, and who else lives there."""
    ran = banyan("explain", "get", "/repairs", "-H", "Cookie: tenancy=a", "-H", "Accept: */*")
    assert ran.code == 0
    assert "  route   list: GET /repairs (routes.yaml:9:5)\n" in ran.out
    assert "25 % go to new; bucket" in ran.out
    assert "            Accept: */*\n" in ran.out
    assert "waits at most: head 10 s" in ran.out
    assert "  everything  ANY /**: its path is less specific\n" in ran.out


def test_both_sides_are_shown_where_chance_decides(banyan: Banyan) -> None:
    """A client without a key may meet either side."""
    ran = banyan("explain", "GET", "/repairs")
    assert "  side    drawn: 25 % go to new" in ran.out
    assert "  new     repairs, http://127.0.0.1:9002/repairs\n" in ran.out
    assert "  legacy  office, http://127.0.0.1:9001/repairs\n" in ran.out


def test_a_ramp_and_a_shadow_are_explained(banyan: Banyan, folder: Path, steering: FakeSteering) -> None:
    """The file says what would be copied; where the ramp stands, the running gateway says."""
    path = folder / "routes.yaml"
    path.write_text(path.read_text().replace("serve: 25% new", "serve: ramp\n    shadow: 5%"))
    ran = banyan("explain", "GET", "/repairs")
    assert "  side    legacy: `serve: ramp`, but where its ramp stands is known to the running gateway alone" in ran.out
    assert "  shadow  5 % of such requests are copied to repairs; answers are compared and dropped\n" in ran.out
    steering.take()
    steering.table.routes["list"].stand(Standing(ramp=10_000, why="finished"))
    ran = banyan("explain", "GET", "/repairs", "--running")
    assert "  side    new: by its ramp, which has finished, 100 % go to new, so new serves everyone\n" in ran.out
    assert "  shadow  5 % of such requests are copied to office;" in ran.out


def test_the_gateway_s_own_answer_is_told(banyan: Banyan, folder: Path) -> None:
    """A request that reaches no backend is explained with the answer, and the exit code is 0 all the same."""
    ran = banyan("explain", "GET", "/a/../b")
    assert (ran.code, ran.out) == (
        0,
        "GET /a/../b\n  answer  400, by the gateway itself: The path has a dot segment.\n",
    )
    path = folder / "routes.yaml"
    path.write_text(path.read_text().replace("ANY /**", "GET /else") + "    serve: retired\n")
    ran = banyan("explain", "DELETE", "/repairs")
    assert "Routes near this address:\n  list  GET /repairs: it takes GET, not DELETE\n" in ran.out


def test_nothing_sent_is_told(banyan: Banyan, folder: Path) -> None:
    """A body beyond its bound is refused before anything is sent."""
    path = folder / "routes.yaml"
    path.write_text(path.read_text().replace("match: ANY /**", "match: ANY /**\n    max_body: 3"))
    (folder / "body").write_text("four")
    ran = banyan("explain", "POST", "/x", "--data", "body")
    assert "  legacy  nothing is sent to office. 413: the body is longer than 3 bytes" in ran.out


def test_a_soap_call_is_read_from_a_file(banyan: Banyan, folder: Path) -> None:
    """`--data` gives the body that names the operation."""
    (folder / "call.xml").write_text(ENVELOPE)
    assert "route   balance:" in banyan("explain", "POST", "/rents", "--data", "call.xml").out
    missing = banyan("explain", "POST", "/rents", "--data", "missing.xml")
    assert (missing.code, missing.err) == (1, "missing.xml cannot be read: No such file or directory.\n")


def test_a_body_may_come_by_standard_input(banyan: Banyan, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--data -` reads what another command wrote."""
    (folder / "call.xml").write_text(ENVELOPE)
    with (folder / "call.xml").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert "route   balance:" in banyan("explain", "POST", "/rents", "--data", "-").out


def test_the_running_gateway_is_asked(banyan: Banyan, folder: Path, steering: FakeSteering) -> None:
    """`--running` explains with the table that serves, whatever the file says by now."""
    path = folder / "routes.yaml"
    path.write_text(path.read_text().replace("serve: 25% new", "serve: new"))
    cookie = ("-H", "X-Banyan-Serve: new opensesame")
    assert "side    new: `serve: new`" in banyan("explain", "GET", "/repairs").out
    running = banyan("explain", "GET", "/repairs", *cookie, "--running")
    assert "side    new: a tester asked for new, with the right secret" in running.out
    (folder / "call.xml").write_text(ENVELOPE)
    assert "route   balance:" in banyan("explain", "POST", "/rents", "--data", "call.xml", "--running").out
    elsewhere = banyan("explain", "GET", "/", "--running", "--at", "elsewhere")
    assert (elsewhere.code, elsewhere.out) == (1, "")


def test_machines_get_json(banyan: Banyan, steering: FakeSteering) -> None:
    """`--json` tells the same, from the file and from the gateway."""
    file = json.loads(banyan("explain", "GET", "/repairs", "--json", "-H", "Cookie: tenancy=a").out)
    live = json.loads(banyan("explain", "GET", "/repairs", "--json", "-H", "Cookie: tenancy=a", "--running").out)
    assert (file["route"], file["side"]) == (live["route"], live["side"])
    assert (file["revision"], live["revision"]) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["FETCH", "/"], "'FETCH' is not a method that the gateway takes"),
        (["GET", "repairs"], "'repairs' is not an address"),
        (["GET", "/", "-H", "nonsense"], "'nonsense' is not a header"),
        (["GET", "/", "--address", "home"], "'home' is not an IP address"),
    ],
)
def test_what_cannot_be_asked_is_explained(banyan: Banyan, arguments: list[str], says: str) -> None:
    """A question that makes no sense says how to ask it."""
    ran = banyan("explain", *arguments)
    assert (ran.code, says in ran.err) == (1, True)
