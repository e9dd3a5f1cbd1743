"""`banyan routes` lists the routes of the file, with live counts when a gateway runs."""

import json
from pathlib import Path

from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan, Elsewhere


def test_the_file_s_routes_are_listed(banyan: Banyan) -> None:
    """Without a gateway the table has no counts; columns are aligned for people and plain for `awk`."""
    assert banyan("routes").out.splitlines() == [
        "route       match                serve    share  legacy  new",
        "everything  ANY /**              legacy     0 %  office  -",
        "list        GET /repairs         25% new   25 %  office  repairs",
        "balance     SOAP /rents#Balance  legacy     0 %  office  -",
    ]


def test_live_counts_come_from_the_gateway(banyan: Banyan, steering: FakeSteering) -> None:
    """What each side served, what failed, and what the gateway refused itself."""
    header, everything, listed, _ = banyan("routes").out.splitlines()
    assert header.split("  ")[-1] == "refused"
    assert everything.split()[-4:] == ["0", "0", "0", "0"]
    assert listed.split()[-4:] == ["1,200", "400", "4", "2"]


def test_a_route_that_is_not_served_yet_has_no_counts(banyan: Banyan, folder: Path, steering: FakeSteering) -> None:
    """Where file and gateway differ, that is said, and counts stand only where there are any."""
    with (folder / "routes.yaml").open("a") as file:
        file.write("  - {name: fresh, match: GET /fresh, legacy: office, serve: retired}\n")
    lines = banyan("routes").out.splitlines()
    assert lines[4].split() == ["fresh", "GET", "/fresh", "retired", "-", "office", "-", "-", "-", "-", "-"]
    assert lines[-1] == "The gateway serves another version of this file: see `banyan diff`."


def test_machines_get_json(banyan: Banyan, steering: FakeSteering) -> None:
    """`--json` has the same rows, and the digests of both."""
    document = json.loads(banyan("routes", "--json").out)
    assert document["digest"] == document["running"] == steering.loaded.estate.digest
    assert document["routes"][1]["traffic"] == steering.traffic()["list"]
    assert json.loads(banyan("routes", "--json", "--data", "none").out)["running"] is None


def test_ramps_and_overrides_stand_in_a_column_of_their_own(
    banyan: Banyan, folder: Path, steering: FakeSteering
) -> None:
    """Where a route stands, and with what share, comes from the gateway; while nothing is to be told, no column is."""
    path = folder / "routes.yaml"
    path.write_text(path.read_text().replace("serve: 25% new", "serve: ramp\n    shadow: 5%"))
    steering.take()
    steering.desk.standings["list"] = {"share": 5.0, "standing": ""}
    assert "standing" not in banyan("routes").out
    steering.desk.standings["list"] = {"share": 5.0, "standing": "5 %, climbing"}
    header, everything, listed, _ = banyan("routes").out.splitlines()
    assert header.split()[4:8] == ["legacy", "new", "standing", "by"]
    assert everything.split()[6:9] == ["office", "-", "-"]
    assert listed.split()[3:10] == ["ramp", "5", "%", "office", "repairs", "5", "%,"]
    assert json.loads(banyan("routes", "--json").out)["routes"][1]["standing"] == "5 %, climbing"


def test_a_share_is_the_gateway_s_only_where_both_mean_the_same(
    banyan: Banyan, folder: Path, steering: FakeSteering
) -> None:
    """A file that says something else by now shows its own share: what holds is about the word before."""
    steering.desk.standings["list"] = {"share": 0.0, "standing": "legacy by override"}
    assert banyan("routes").out.splitlines()[2].split()[3:7] == ["25%", "new", "0", "%"]
    path = folder / "routes.yaml"
    path.write_text(path.read_text().replace("serve: 25% new", "serve: 50% new"))
    assert banyan("routes").out.splitlines()[2].split()[3:7] == ["50%", "new", "50", "%"]


def test_a_gateway_elsewhere_has_its_own_routes(banyan: Banyan, folder: Path, elsewhere: Elsewhere) -> None:
    """Whatever the file here says, and where there is none."""
    elsewhere.steering.desk.standings["list"] = {"share": 0.0, "standing": "legacy by override"}
    for text in ("version: 1", None):
        (folder / "routes.yaml").write_text(text) if text else (folder / "routes.yaml").unlink()
        ran = banyan(*elsewhere("viewer"), "routes")
        header, everything, listed, _ = ran.out.splitlines()
        assert (ran.code, ran.err) == (0, "")
        assert header.split()[:7] == ["route", "match", "serve", "share", "legacy", "new", "standing"]
        assert (everything.split()[0], "legacy by override" in listed) == ("everything", True)
        assert listed.split()[-4:] == ["1,200", "400", "4", "2"]
    document = json.loads(banyan(*elsewhere("viewer"), "routes", "--json").out)
    assert document["digest"] == document["running"] == elsewhere.steering.loaded.estate.digest
    assert document["routes"][1]["share"] == 0.0
