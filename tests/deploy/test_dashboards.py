"""Dashboards and alarms ask for what the gateway really tells, and say where to read on."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
import yaml

from benchmarks.common import ROOT
from gateway.core.evidence import Verdict
from gateway.core.model import Role, Side
from gateway.core.policies import EventKind
from gateway.core.writing import OPEN, Kind
from gateway.telemetry.gauges import DELIVERED, RAMP_STATES
from tests.support.markdown import anchors, section
from tests.support.measured import Shape, everything, shapes
from tests.support.promql import Expression, placeholders, read

DASHBOARD = ROOT / "deploy" / "grafana" / "banyan.json"
RULES = ROOT / "deploy" / "prometheus" / "banyan.rules.yml"
OPERATE = ROOT / "docs" / "operate.md"
TOLD: dict[str, Shape] = {**shapes(everything()), "up": Shape("gauge", frozenset())}
"""Every sample that a gateway renders, and the one that Prometheus makes of each scrape."""
SCRAPED = frozenset({"instance", "job"})
"""Labels that Prometheus adds."""
VALUES = {
    ("side", ""): {*get_args(Side), ""},
    ("role", ""): set(get_args(Role)),
    ("verdict", ""): set(get_args(Verdict)),
    ("step", ""): set(get_args(EventKind)),
    ("by", ""): {"gateway", "person"},
    ("kind", ""): set(get_args(Kind)),
    ("state", "banyan_ramp_state"): set(RAMP_STATES),
    ("state", "banyan_writes_owed"): set(map(str, OPEN)),
    ("state", "banyan_writes_owed_oldest_seconds"): set(map(str, OPEN)),
    ("state", "banyan_backend_requests"): {"under_way", "waiting"},
    ("state", "banyan_backend_requests_max"): {"under_way", "waiting"},
    ("outcome", "banyan_deliveries_total"): set(DELIVERED),
    ("outcome", "banyan_webhooks_total"): {"delivered", "failed", "given_up"},
}
"""What labels can be, of one metric or ("") of any."""


class Query(NamedTuple):
    """An expression, where it stands, and the text that its labels are put into."""

    where: str
    expr: str
    text: str = ""


def dashboard() -> dict[str, Any]:
    return dict(json.loads(DASHBOARD.read_text()))


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def shown() -> Iterator[Query]:
    """What the dashboard asks."""
    board = dashboard()
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield Query(panel["title"], target["expr"], target["legendFormat"])
    for mark in board["annotations"]["list"]:
        yield Query(mark["name"], mark["expr"], mark["titleFormat"])


def alarms() -> Iterator[Query]:
    for rule in rules():
        yield Query(rule["alert"], rule["expr"], " ".join(rule["annotations"].values()))


QUERIES = [*shown(), *alarms()]
each_query = pytest.mark.parametrize("query", QUERIES, ids=[f"{each.where}-{at}" for at, each in enumerate(QUERIES)])


def labels_of(expression: Expression) -> set[str]:
    """The labels that any metric of an expression has."""
    return set(SCRAPED).union(*(TOLD[each.name].labels for each in expression.asked))


@each_query
def test_what_is_asked_for_is_rendered(query: Query) -> None:
    """Every metric, every label of it that is matched, and every label that is grouped by."""
    expression = read(query.expr)
    assert expression.asked
    for each in expression.asked:
        assert each.name in TOLD
        assert {label for label, _, _ in each.matchers} <= TOLD[each.name].labels | SCRAPED
    for grouping in expression.grouped:
        assert grouping <= labels_of(expression)


def test_expressions_are_read_as_they_are_written() -> None:
    """Metrics wherever they stand, their matchers and groupings; a misspelt function is no function."""
    found = read('ratio(a) / on (x) group_left (y) sum by (x, y) (rate(b_total{z="q(c)", w!~"{d}"}[5m])) > bool 0.5')
    assert [each.name for each in found.asked] == ["ratio", "a", "b_total"]
    assert [each.counted for each in found.asked] == [False, False, True]
    assert found.asked[2].matchers == (("z", "=", "q(c)"), ("w", "!~", "{d}"))
    assert [sorted(grouping) for grouping in found.grouped] == [["x"], ["y"], ["x", "y"]]
    assert placeholders("{{side}} {{ $labels.route }} {{ $value | humanize }}") == {"side", "route"}


@each_query
def test_what_is_put_into_words_is_left_over(query: Query) -> None:
    """A legend, and the text of an alarm, use labels that the result has."""
    expression = read(query.expr)
    left = expression.grouped[0] if expression.grouped else labels_of(expression)
    assert placeholders(query.text) <= left


@each_query
def test_counters_are_asked_how_fast_they_grow(query: Query) -> None:
    """And gauges are not; of a histogram a quantile is asked, by `le`, or how many there were."""
    expression = read(query.expr)
    for each in expression.asked:
        assert each.counted == (TOLD[each.name].type in ("counter", "histogram")), each.name
    buckets = [each for each in expression.asked if each.name.endswith("_bucket")]
    assert bool(buckets) == expression.quantile
    assert not buckets or all("le" in grouping for grouping in expression.grouped[: len(buckets)])


@each_query
def test_values_that_are_asked_for_can_be(query: Query) -> None:
    """A misspelt state would never sound."""
    for each in read(query.expr).asked:
        for label, _, value in each.matchers:
            known = VALUES.get((label, each.name)) or VALUES.get((label, ""))
            if known is not None and "$" not in value:
                assert set(value.split("|")) <= known


# ------------------------------------------------------------------------------------------------ the dashboard


def test_the_dashboard_is_what_its_script_makes() -> None:
    """Change deploy/grafana/dashboard.py, and run it."""
    script = DASHBOARD.with_name("dashboard.py")
    made = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert made.stdout == DASHBOARD.read_text()


def test_the_dashboard_asks_the_prometheus_that_is_chosen() -> None:
    """Everywhere, and every variable that is used is there to be chosen, from labels that there are."""
    board = dashboard()
    variables = {each["name"]: each for each in board["templating"]["list"]}
    assert variables["datasource"]["query"] == "prometheus"
    asking = [*board["annotations"]["list"], *(each for each in variables.values() if each["type"] == "query")]
    asking += [each for panel in board["panels"] if panel["type"] != "row" for each in (panel, *panel["targets"])]
    assert all(each["datasource"] == {"type": "prometheus", "uid": "${datasource}"} for each in asking)
    used = set(re.findall(r"\$(\w+)", " ".join(each.expr for each in shown()))) - {"__rate_interval"}
    assert used == variables.keys() - {"datasource"}
    for name in used:
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variables[name]["query"]["query"]).groups()  # type: ignore[union-attr]
        assert label in TOLD[metric].labels | SCRAPED


def test_panels_stand_beside_each_other() -> None:
    """None lies on another, or outside; each has a number of its own and says what it shows."""
    taken: set[tuple[int, int]] = set()
    panels = dashboard()["panels"]
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + across, place["y"] + down) for across in range(place["w"]) for down in range(place["h"])}
        assert not cells & taken
        assert max(across for across, _ in cells) < 24
        taken |= cells
        assert panel["type"] == "row" or panel["description"]
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_sides_have_their_colours() -> None:
    """Wherever a side is a series."""
    by_side = [panel for panel in dashboard()["panels"] if re.search(r'"legendFormat": "{{side}}"', json.dumps(panel))]
    assert len(by_side) == 3
    for panel in by_side:
        colours = {
            each["matcher"]["options"]: each["properties"][0]["value"]["fixedColor"]
            for each in panel["fieldConfig"]["overrides"]
        }
        assert colours == {"new": "#003f52", "legacy": "#a68a5b"}


# ------------------------------------------------------------------------------------------------ the alarms


def test_alarms_say_what_to_do() -> None:
    """How grave it is, what happened, and what to do next; each has a name of its own."""
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"].keys() == {"summary", "description", "runbook"}
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["description"].endswith(".")


@pytest.mark.parametrize("path", [DASHBOARD, RULES], ids=lambda path: path.name)
def test_what_is_referred_to_is_there(path: Path) -> None:
    """Each heading of the documentation that a dashboard or an alarm names."""
    named = re.findall(r"(docs/\w+\.md)#([\w-]+)", path.read_text())
    assert named
    for document, anchor in named:
        assert anchor in anchors(ROOT / document)


def test_every_alarm_is_documented() -> None:
    """With its severity, beside the heading that it names; and no other is."""
    documented: dict[str, tuple[str, str]] = {}
    anchor = ""
    for line in section(OPERATE, "Alerts").splitlines():
        severity, *_ = cells = [cell.strip() for cell in line.strip("|").split("|")]
        for name in re.findall(r"`(Banyan\w+)`", cells[1] if len(cells) == 3 else ""):
            anchor = (re.findall(r"\(#([\w-]+)\)", cells[2]) or [anchor])[0]
            documented[name] = severity, anchor
    written = {
        rule["alert"]: (rule["labels"]["severity"], rule["annotations"]["runbook"].partition("#")[2])
        for rule in rules()
    }
    assert documented == written
