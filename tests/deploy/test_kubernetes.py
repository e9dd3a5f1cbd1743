"""The manifest fits the gateway that it runs: its probes, ports, folders and times."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.common import ROOT
from gateway.admin.api import QUESTIONS
from gateway.config.check import load
from gateway.core.model import Gateway

MANIFEST = ROOT / "deploy" / "kubernetes.yaml"
PROBES = {"startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/livez"}


def found(kind: str) -> dict[str, Any]:
    """The one object of a kind."""
    [only] = [each for each in yaml.safe_load_all(MANIFEST.read_text()) if each["kind"] == kind]
    return dict(only)


def pod() -> dict[str, Any]:
    return dict(found("Deployment")["spec"]["template"])


def container() -> dict[str, Any]:
    [only] = pod()["spec"]["containers"]
    return dict(only)


def image() -> dict[str, str]:
    """The variables that the image sets."""
    return dict(re.findall(r"(BANYAN_\w+)=(\S+)", (ROOT / "Dockerfile").read_text()))


@pytest.mark.parametrize("probe", PROBES)
def test_probes_ask_what_the_admin_port_answers(probe: str) -> None:
    """On the port that the image has it listen on."""
    asked = container()[probe]["httpGet"]
    assert asked["path"] == PROBES[probe]
    assert asked["path"] in {each.path for each in QUESTIONS}
    ports = {port["name"]: port["containerPort"] for port in container()["ports"]}
    assert image()["BANYAN_ADMIN"] == f"0.0.0.0:{ports[asked['port']]}"


def test_a_start_has_time_and_an_end_comes_late() -> None:
    """Nothing is shot while it starts, nor soon while traffic goes on; what does not serve gets none within seconds."""
    within = {name: container()[name]["periodSeconds"] * container()[name]["failureThreshold"] for name in PROBES}
    assert within["startupProbe"] >= 120
    assert within["livenessProbe"] >= 60
    assert within["readinessProbe"] <= 10
    assert all(container()[name]["timeoutSeconds"] >= 2 for name in PROBES)


def test_it_may_drain_for_as_long_as_it_wants_to() -> None:
    """Before it is killed; so may the container that systemd or Docker run."""
    [command, seconds] = container()["lifecycle"]["preStop"]["exec"]["command"]
    assert command == "sleep"
    drain = Gateway().drain_timeout
    assert pod()["spec"]["terminationGracePeriodSeconds"] >= int(seconds) + drain + 10
    stop = re.search(r"(?m)^TimeoutStopSec=(\d+)$", (ROOT / "deploy" / "banyan.service").read_text())
    assert stop is not None
    assert int(stop[1]) >= drain + 10


def test_its_routes_are_where_the_image_looks(tmp_path: Path) -> None:
    """A file that is good, in a folder that is mounted whole: one that is mounted by itself would never change."""
    [(name, text)] = found("ConfigMap")["data"].items()
    mounts = {mount["name"]: mount for mount in container()["volumeMounts"]}
    assert f"{mounts['routes']['mountPath']}/{name}" == image()["BANYAN_CONFIG"]
    assert "subPath" not in mounts["routes"]
    [own] = [each["value"] for each in container()["env"] if each["name"] == "BANYAN_DATA"]
    assert Path(own).parent == Path(mounts["data"]["mountPath"])
    (tmp_path / name).write_text(text)
    assert load(tmp_path / name, {}).estate.routes


def test_what_is_named_is_there() -> None:
    """Ports by their names, pods by their labels, wherever they are chosen."""
    names = {port["name"] for port in container()["ports"]}
    policy = found("NetworkPolicy")["spec"]["ingress"]
    assert {port["targetPort"] for port in found("Service")["spec"]["ports"]} <= names
    assert {port["port"] for rule in policy for port in rule["ports"]} == names
    labels = pod()["metadata"]["labels"]
    assert found("Deployment")["spec"]["selector"]["matchLabels"] == labels
    assert found("Service")["spec"]["selector"] == labels
    assert found("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels
    scraped = pod()["metadata"]["annotations"]["prometheus.io/port"]
    assert int(scraped) in {port["containerPort"] for port in container()["ports"]}


def test_the_image_asks_for_its_own_health() -> None:
    """At an address that there is."""
    asked = re.search(r"http://127\.0\.0\.1:8081(/\w+)", (ROOT / "Dockerfile").read_text())
    assert asked is not None
    assert asked[1] in {each.path for each in QUESTIONS}
